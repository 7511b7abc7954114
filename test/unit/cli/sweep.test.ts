import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Store } from '../../../src/store/store';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { tinyExperiment } from '../engine/experiments';
import { runHere, runProcess, type Outcome } from './commandLine';

const learns = { claim: 'it learns', analysis: 'training-curves', scalar: 'testLoss', expect: '< 100' };

describe('circuits sweep', () => {
  let bundles: Bundles;
  let folder: string;
  let store: string;

  beforeAll(async () => {
    bundles = await buildBundles({ cli: 'src/cli/main.ts', ...trainerEntryPoints });
    folder = await mkdtemp(path.join(tmpdir(), 'sweep-'));
    store = path.join(folder, 'store');
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(folder, { recursive: true });
  });

  function circuits(...words: readonly string[]): Promise<Outcome> {
    return runHere(bundles.folder, [...words, '--store', store]);
  }

  async function withSweep(name: string, sweep: unknown, more: object = {}): Promise<string> {
    const file = path.join(folder, `${name}.circuit.json`);
    await writeFile(file, JSON.stringify({ ...JSON.parse(tinyExperiment({ name })), ...more, sweep }));
    return file;
  }

  test('trains a model for every run, and answers with a row for each and the best', async () => {
    const file = await withSweep('grid', { 'model.d_model': [8, 16], 'task.modulus': [5, 7] });
    const { code, out, err } = await circuits('sweep', file, '--json');
    expect(code, err).toBe(0);
    expect(err).toMatch(/^grid: 0 of 4 finished · 4 waiting\n(grid: \d of 4 finished.*\n)*grid: 4 of 4 finished\n$/);
    const { rows, best, ...rest } = JSON.parse(out);
    expect(rest).toEqual({});
    expect(rows).toEqual([[8, 5], [8, 7], [16, 5], [16, 7]].map(([width, modulus]) => ({
      'model.d_model': width,
      'task.modulus': modulus,
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      status: 'finished',
      metrics: { trainLoss: expect.any(Number), testLoss: expect.any(Number), testAccuracy: expect.any(Number), testExactMatch: expect.any(Number) },
    })));
    expect(best.metrics.testLoss).toBe(Math.min(...rows.map((row: typeof best) => row.metrics.testLoss)));
    const alone = JSON.parse((await circuits('train', file, '--set', 'model.d_model=16', '--json')).out);
    expect(alone).toMatchObject({ id: rows[3].id, cached: true });

    const text = (await circuits('sweep', file)).out;
    expect(text).toMatch(/^grid: 4 of 4 finished\n\nd_model +modulus +status +test loss .*id\n/);
    expect(text).toContain(`with d_model ${best['model.d_model']}, modulus ${best['task.modulus']} (${best.id})`);
    expect(text).toMatch(/\nBest d_model for each modulus:\nmodulus +d_model +test loss +id\n +5 .*\n +7 .*\n$/);

    const csv = (await circuits('sweep', file, '--format', 'csv')).out;
    expect(csv.split('\n')[0]).toBe('model.d_model,task.modulus,status,test loss,train loss,test accuracy,examples right whole,id');
    expect(csv.split('\n')[1]).toBe(`8,5,finished,${['testLoss', 'trainLoss', 'testAccuracy', 'testExactMatch'].map(name => rows[0].metrics[name]).join(',')},${rows[0].id}`);
    const markdown = (await circuits('sweep', file, '--format', 'markdown')).out.split('\n');
    expect(markdown[1]).toBe('| ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |');
    expect(markdown[2]).toMatch(/^\| 8 \| 5 \| finished \| /);
    const left = (await circuits('sweep', file, '--dry-run', '--executor', 'slurm')).out;
    expect(left).toBe('grid: 4 runs over model.d_model, task.modulus; 4 of them are trained already.\n');
  }, 60_000);

  test('says what it would do, and does nothing', async () => {
    const file = await withSweep('planned', { seed: [50, 51, 52] });
    expect((await circuits('sweep', file, '--dry-run')).out).toBe('planned: 3 runs over seed; 0 of them are trained already.\n');
    const { code, out } = await circuits('sweep', file, '--dry-run', '--executor', 'slurm', '--parallel', '2', '--partition', 'long', '--time', '2:00:00', '--json');
    expect(code).toBe(0);
    const { script, ...plan } = JSON.parse(out);
    expect(plan).toEqual({ name: 'planned', fields: ['seed'], runs: 3, finished: 0 });
    expect(script).toContain('#SBATCH --array=0-2%2\n');
    expect(script).toContain('#SBATCH --partition=long\n');
    expect(script).toContain(`'${path.join(bundles.folder, 'cli.js')}' 'sweep-task'`);
    expect((await Store.open(store).then(opened => opened.list())).filter(({ name }) => name.startsWith('planned'))).toEqual([]);
  });

  test('stops at Ctrl-C, says how to go on, and goes on', async () => {
    // Far more steps than are taken before it is stopped.
    const file = await withSweep('stopped', { seed: [0, 1] }, { training: { steps: 1_000_000, evaluateEvery: 1000, batch: 'full' } });
    const there = await Store.open(store);
    const first = async () => there.readMetrics((await there.find('stopped: seed 0')).id);
    /** Sweeps until the first run has been measured more than so many times, and is then interrupted. */
    const sweepBeyond = async (measured: number): Promise<Outcome> => {
      const stopping = new AbortController();
      const sweeping = runProcess(bundles.folder, ['sweep', file, '--json', '--parallel', '1'], { store, interrupt: stopping.signal });
      await eventually('its next measurement', async () => ((await first()).length > measured ? true : undefined));
      stopping.abort();
      return sweeping;
    };
    const statuses = ({ out }: Outcome) => JSON.parse(out).rows.map(({ status }: { status: string }) => status);
    const stopped = await sweepBeyond(0);
    expect(stopped.code, stopped.err).toBe(130);
    expect(stopped.err).toContain('Stopping; the runs keep what they have learned.\n');
    expect(stopped.err).toContain('Run the same command again to go on from there.\n');
    expect(statuses(stopped)).toEqual(['stopped', 'cancelled']);

    const { createdAt } = await there.find('stopped: seed 0');
    const again = await sweepBeyond((await first()).length);
    expect(again.code, again.err).toBe(130);
    expect(statuses(again)).toEqual(['stopped', 'cancelled']);
    expect((await there.find('stopped: seed 0')).createdAt).toBe(createdAt);
    // Nothing was done twice, and nothing was left out.
    const steps = (await first()).map(({ step }) => step);
    expect(steps).toEqual(steps.map((_, at) => 1000 * at));
  }, 90_000);

  test('goes on when a run fails, says why in its row, and exits with 1', async () => {
    // A learning rate beyond what a float holds makes the loss no number.
    const file = await withSweep('diverging', { 'training.learningRate': [1e-3, 1e38] });
    const { code, out } = await circuits('sweep', file, '--json');
    expect(code).toBe(1);
    const [right, wrong] = JSON.parse(out).rows;
    expect(right).toMatchObject({ status: 'finished' });
    expect(right).not.toHaveProperty('problem');
    expect(wrong).toMatchObject({ status: 'failed', problem: expect.stringMatching(/^[^\n]+\.$/) });
    const text = await circuits('sweep', file);
    expect(text.code).toBe(1);
    expect(text.out).toContain(wrong.problem);
  }, 60_000);

  test('says that Slurm is not there in every row', async () => {
    const file = await withSweep('clustered', { seed: [60, 61] });
    const { code, out, err } = await runProcess(bundles.folder, ['sweep', file, '--executor', 'slurm', '--json'], { store, environment: { PATH: '/nowhere' } });
    expect(code).toBe(1);
    const { rows, problem } = JSON.parse(out);
    expect(problem).toMatch(/^Slurm's command \w+ is not on the PATH of this machine/);
    expect(err).toContain(problem);
    expect(rows).toMatchObject([{ seed: 60, status: 'cancelled', problem }, { seed: 61, status: 'cancelled', problem }]);
  }, 60_000);

  test.each([
    ['a field that does not exist', { 'model.d_modle': [8] }, [], /^With d_modle 8: There is no field of "model" called "d_modle"; the nearest (is|are) "d_model".*\n$/],
    ['no values', { seed: [] }, [], /^This sweep has no runs: "seed" is given no values\.\n$/],
    ['no fields', {}, [], /^"sweep": a sweep names at least one field to vary\.\n$/],
    ['no sweep', undefined, [], /^This experiment has no sweep: .*\n$/],
    ['10,000 cells without confirmation', { seed: Array.from({ length: 100 }, (_, i) => i), 'training.steps': Array.from({ length: 100 }, (_, i) => i + 1) }, [], /^This sweep has 10,000 runs; add --yes to train so many\.\n$/],
    ['an option of a cluster without one', { seed: [0] }, ['--time', '1:00:00'], /^--time is for a Slurm cluster; add --executor slurm, or leave it out\.\n$/],
    ['an option that Slurm does not read', { seed: [0] }, ['--executor', 'slurm', '--memory', 'much'], /^--memory "much" is nothing that Slurm reads.*\n$/],
    ['an executor that does not exist', { seed: [0] }, ['--executor', 'cloud'], /Allowed choices are local, slurm/],
    ['a metric that does not exist', { seed: [0] }, ['--metric', 'speed'], /Allowed choices are testLoss/],
  ])('is refused in one sentence for %s', async (_, sweep, words, sentence) => {
    const { code, out, err } = await circuits('sweep', await withSweep('wrong', sweep), ...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(sentence);
  });

  test('has its claims verified run by run', async () => {
    const file = await withSweep('claimed', { seed: [0, 1] }, {
      claims: [{ ...learns, where: { seed: 1 }, claim: 'the second does what it cannot', expect: '< 0' }, learns],
    });
    const { code, out } = await circuits('verify', file, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out).experiments).toEqual([
      { name: 'claimed: seed 0', id: expect.any(String), seed: 0, claims: [expect.objectContaining({ claim: 'it learns', ok: true })] },
      { name: 'claimed: seed 1', id: expect.any(String), seed: 1, claims: [
        expect.objectContaining({ claim: 'the second does what it cannot', ok: false }), expect.objectContaining({ claim: 'it learns', ok: true }),
      ] },
    ]);
    const wrong = await withSweep('claimed wrongly', { seed: [0, 1] }, { claims: [learns, { ...learns, where: { seed: 1 }, scalar: 'testLos' }] });
    const refused = await circuits('verify', wrong);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/^claims\.1\.scalar: .*"testLoss".*\n$/);
    // So many runs as the command that only trains them asks about are verified without a question.
    const many = await withSweep('many', { seed: Array.from({ length: 1001 }, (_, i) => i) }, { claims: [{ ...learns, where: { seed: 1000 }, scalar: 'testLos' }] });
    expect((await circuits('verify', many)).err).toMatch(/^claims\.0\.scalar: .*"testLoss".*\n$/);
  }, 60_000);

  test('leaves the experiment itself as it was to train and show', async () => {
    const file = await withSweep('whole', { 'model.d_model': [16] }, { seed: 70, claims: [{ ...learns, where: { 'model.d_model': 16 } }] });
    expect(JSON.parse((await circuits('show', file, '--json')).out)).toMatchObject({ name: 'whole', config: { d_model: 8 } });
    expect(JSON.parse((await circuits('train', file, '--json')).out)).toMatchObject({ name: 'whole', steps: 20 });
    expect(await readFile(file, 'utf8')).toContain('sweep');
  });
});
