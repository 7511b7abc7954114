import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Claim } from '../../../src/protocol/experiment';
import { Store } from '../../../src/store/store';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { tinyExperiment } from '../engine/experiments';
import { runHere, runProcess, type Outcome } from './commandLine';

const tinyTraining = { steps: 20, evaluateEvery: 10, batch: 'full' };
const learns: Claim = { claim: 'it learns', analysis: 'training-curves', params: {}, scalar: 'testLoss', expect: '< 100' };
const spreads: Claim = { claim: 'head 1 spreads its attention', analysis: 'attention', params: { head: '0.1' }, scalar: 'entropy', expect: '> 0.01' };

describe('the command line', () => {
  let bundles: Bundles;
  let folder: string;
  let store: string;
  let experiment: string;

  beforeAll(async () => {
    bundles = await buildBundles({ cli: 'src/cli/main.ts', ...trainerEntryPoints });
    folder = await mkdtemp(path.join(tmpdir(), 'cli-'));
    store = path.join(folder, 'store');
    experiment = path.join(folder, 'tiny.circuit.json');
    await writeFile(experiment, tinyExperiment());
    await json('train', experiment);
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(folder, { recursive: true });
  });

  function circuits(...words: readonly string[]): Promise<Outcome> {
    return runHere(bundles.folder, words.includes('--store') ? words : [...words, '--store', store]);
  }

  /** The document that a command prints with `--json`, which must be all that it prints. */
  async function json(...words: readonly string[]) {
    const { code, out, err } = await circuits(...words, '--json');
    expect(code, err).toBe(0);
    return JSON.parse(out);
  }

  /** A tiny experiment with claims, in a file. */
  async function withClaims(name: string, claims: readonly Claim[], training: object = tinyTraining): Promise<string> {
    const file = path.join(folder, `${name}.circuit.json`);
    await writeFile(file, JSON.stringify({ ...JSON.parse(tinyExperiment({ name })), training, claims }));
    return file;
  }

  test('trains, and opens the model when it is asked again', async () => {
    const file = path.join(folder, 'other.circuit.json');
    await writeFile(file, tinyExperiment({ name: 'other', seed: 5 }));
    const first = await json('train', file, '--set', 'task.modulus=5', '--steps', '30');
    expect(first).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'other',
      path: path.join(store, first.id),
      steps: 30,
      seconds: expect.any(Number),
      secondsPerStep: expect.any(Number),
      cached: false,
      // W_E [6, 8], W_pos [3, 8], W_Q W_K W_V W_O 4 × [2, 8, 4], b_Q b_K b_V [2, 4] each, b_O [8], W_U [8, 5], b_U [5]
      parameters: { total: 48 + 24 + 256 + 24 + 8 + 40 + 5, trainable: 48 + 24 + 256 + 24 + 8 + 40 + 5 },
      metrics: { trainLoss: expect.any(Number), testLoss: expect.any(Number), testAccuracy: expect.any(Number), testExactMatch: expect.any(Number) },
    });
    expect(first.metrics.testLoss).toBeGreaterThan(0);
    expect(await json('train', file, '--set', 'task.modulus=5', '--steps', '30')).toEqual({ ...first, cached: true });
    expect((await json('train', file, '--set', 'task.modulus=5', '--steps', '30', '--retrain')).metrics).toEqual(first.metrics);
    expect((await json('train', file, '--set', 'task.modulus=5', '--steps', '30', '--seed', '6')).id).not.toBe(first.id);
  });

  test('stops at Ctrl-C, says how to go on, and goes on as if nothing had happened', async () => {
    const file = path.join(folder, 'long.circuit.json');
    await writeFile(file, tinyExperiment({ name: 'long', steps: 6000, checkpointEvery: 100_000 }));
    const stopping = new AbortController();
    const training = runProcess(bundles.folder, ['train', file, '--json'], { store, interrupt: stopping.signal });
    const there = await Store.open(store);
    await eventually('its first rows', async () => ((await there.readMetrics((await there.find('long')).id)).length > 10 ? true : undefined));
    stopping.abort();
    const interrupted = await training;
    expect(interrupted.code, interrupted.err).toBe(130);
    const stopped = JSON.parse(interrupted.out);
    expect(stopped.steps).toBeGreaterThan(0);
    expect(stopped.steps).toBeLessThan(6000);

    const again = await circuits('train', file);
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/^"long" \([0-9a-f]{16}\) ended at step \d+ of 6000; add --resume to go on from there, or --retrain to start over\.\n$/);

    const resumed = await json('train', file, '--resume');
    expect(resumed).toMatchObject({ id: stopped.id, steps: 6000, cached: false });
    const whole = await runProcess(bundles.folder, ['train', file, '--json'], { store: path.join(folder, 'another store') });
    expect(JSON.parse(whole.out).metrics).toEqual(resumed.metrics);
  }, 60_000);

  test('lists tasks, analyses and models', async () => {
    const { tasks, experiments } = await json('tasks');
    expect(tasks.map(({ id }: { id: string }) => id)).toContain('array-update');
    expect(experiments).toContain('modular-subtraction');
    const { analyses } = await json('analyses');
    expect(analyses.find(({ id }: { id: string }) => id === 'attention').params).toHaveProperty('prompt');
    const { models } = await json('models');
    expect(models).toContainEqual(expect.objectContaining({ name: 'tiny', status: 'finished' }));
    for (const command of ['tasks', 'analyses', 'models']) expect((await circuits(command)).out.length).toBeGreaterThan(100);
  });

  test('shows a model, and an experiment that was never trained', async () => {
    const model = await json('show', 'tiny');
    expect(model).toMatchObject({ name: 'tiny', status: 'finished', config: { n_layers: 1, d_vocab: 8 }, task: { name: 'modular-arithmetic', parameters: { modulus: 7 } } });
    expect(model.parameters.tensors).toContainEqual({ name: 'blocks.0.attn.W_Q', shape: [2, 8, 4], trainable: true });
    const experimentOnly = await json('show', 'modular-subtraction');
    expect(experimentOnly).not.toHaveProperty('id');
    expect(experimentOnly.parameters.tensors).toContainEqual({ name: 'embed.W_E', shape: [114, 128], trainable: true });
    expect((await circuits('show', experiment)).out).toContain('blocks.0.attn.W_Q  [2, 8, 4]  yes');
  });

  test('runs a model on tokens, also of a checkpoint and by its folder', async () => {
    const { logits, shape } = await json('logits', 'tiny', '--tokens', '[[1, 2, 7], [3, 4, 7]]');
    expect(shape).toEqual([2, 3, 7]);
    expect(logits[1][2]).toHaveLength(7);
    const { id } = await json('show', 'tiny');
    expect(await json('logits', path.join(store, id), '--tokens', '[[1, 2, 7], [3, 4, 7]]')).toEqual({ logits, shape });
    const before = await json('logits', id.slice(0, 6), '--tokens', '[[1, 2, 7], [3, 4, 7]]', '--checkpoint', '10');
    expect(before.logits[0][0][0]).not.toBe(logits[0][0][0]);

    const cache = await json('cache', 'tiny', '--tokens', '[[1, 2, 7]]', '--hooks', 'blocks.0.attn.hook_pattern, hook_embed');
    expect(Object.keys(cache)).toEqual(['blocks.0.attn.hook_pattern', 'hook_embed']);
    expect(cache['blocks.0.attn.hook_pattern'].shape).toEqual([1, 2, 3, 3]);
    for (const row of cache['blocks.0.attn.hook_pattern'].data[0][1]) expect(row[0] + row[1] + row[2]).toBeCloseTo(1, 6);
    expect(cache.hook_embed.shape).toEqual([1, 3, 8]);
  });

  test('runs analyses with parameters', async () => {
    const { scalars, figures } = await json('analyze', 'tiny', 'attention', '--param', 'examples=3', '--param', 'head=0.1');
    expect(scalars.largest).toBeGreaterThan(1 / 3);
    expect(figures[0]).toMatchObject({ kind: 'attention', title: expect.any(String) });
    expect(figures[0].heads[0].pattern).toHaveLength(9);
    expect((await circuits('analyze', 'tiny', 'training-curves')).out).toMatch(/trainLoss +[\d.]+/);
  });

  test('compares with another checkpoint, in numbers and in text', async () => {
    const words = ['analyze', 'tiny', 'attention', '--param', 'examples=3'];
    const { scalars, comparison } = await json(...words, '--against', 'tiny@10');
    const before = await json(...words, '--checkpoint', '10');
    expect(comparison).toMatchObject({ names: ['newest weights', 'step 10'], scalars: before.scalars, figures: before.figures });
    expect(comparison.differences[0]).toHaveLength(2);
    const { out } = await circuits(...words, '--against', 'tiny@10');
    expect(out).toMatch(/scalar +newest weights +step 10 +difference\n/);
    expect(out).toContain('L0H1: Attention over 3 examples: difference');
    expect(scalars.largest).not.toBe(before.scalars.largest);
  });

  test('writes a report', async () => {
    const file = path.join(folder, 'report.html');
    expect(await json('report', 'tiny', '-o', file)).toEqual({ path: file });
    const page = await readFile(file, 'utf8');
    for (const part of ['<h1>tiny</h1>', 'Training curves', 'L0H1', 'blocks.0.attn.W_O']) expect(page).toContain(part);
  });

  test('verifies claims on what it trains, and tells of each that fails', async () => {
    const file = await withClaims('claims', [learns, { ...learns, claim: 'it has learned', expect: '< 1e-6' }, spreads]);
    const { code, out, err } = await circuits('verify', file, '--seed', '4', '--steps', '30', '--json');
    expect(code, err).toBe(1);
    const { id } = await json('train', file, '--seed', '4', '--steps', '30');
    expect(JSON.parse(out)).toEqual({
      experiments: [{
        name: 'claims', id, seed: 4, claims: [
          { index: 0, claim: 'it learns', measured: expect.any(Number), expect: '< 100', ok: true },
          { index: 1, claim: 'it has learned', measured: expect.any(Number), expect: '< 1e-6', ok: false },
          { index: 2, claim: 'head 1 spreads its attention', measured: expect.any(Number), expect: '> 0.01', ok: true },
        ],
      }],
    });
    expect(err).toContain('step 30 of 30');
    const { metrics } = await json('train', file, '--seed', '4', '--steps', '30');
    expect(JSON.parse(out).experiments[0].claims[0].measured).toBe(metrics.testLoss);

    const held = await json('verify', file, '--seed', '4', '--steps', '30', '--set', 'claims.1.expect=> 1e-6');
    expect(held.experiments[0].claims).toHaveLength(3);
    const text = await circuits('verify', file, '--seed', '4', '--steps', '30');
    expect(text.code).toBe(1);
    expect(text.out).toMatch(new RegExp(`^claims \\(${id}\\), seed 4\\n[^\\n]*\\n✓ +it learns +[\\d.]+ +< 100\\n✗ +it has learned +[\\d.]+ +< 1e-6\\n✓ .*\\n\\n2 of 3 claims hold\\.\\n$`));
    // Both were trained before.
    expect(text.err).not.toContain('step');
  });

  test('reports claims as results of tests', async () => {
    const file = await withClaims('reported', [learns, { ...learns, claim: 'it "has" <learned>', expect: '< 1e-6' }]);
    const { code, out } = await circuits('verify', file, '--reporter', 'junit');
    expect(code).toBe(1);
    expect(out).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="circuits verify" tests="2" failures="1" errors="0" time="\d+\.\d{3}">\n/);
    expect(out).toMatch(/<testcase classname="reported, seed 0" name="it learns" time="\d+\.\d{3}"\/>/);
    expect(out).toMatch(/name="it &#34;has&#34; &#60;learned&#62;"[^>]*>\n +<failure message="measured [\d.]+, expected &#60; 1e-6"\/>\n/);
    const json = await circuits('verify', file, '--reporter', 'json');
    expect(JSON.parse(json.out)).toEqual(JSON.parse((await circuits('verify', file, '--json')).out));
    expect((await circuits('verify', file, '--reporter=text')).out).toBe((await circuits('verify', file)).out);
    const refused = await circuits('verify', file, '--reporter', 'junit', '--json');
    expect(refused).toMatchObject({ code: 2, err: '--json is the same as --reporter json, and cannot be given with --reporter junit; leave one of them out.\n' });
    // Mistakes too are told as was asked for.
    expect(JSON.parse((await circuits('verify', 'aray-update', '--reporter', 'json')).out)).toEqual({ error: expect.stringContaining('"array-update"') });
  });

  test('says that an experiment makes no claims, and trains nothing for it', async () => {
    const before = await json('models');
    const { code, out } = await circuits('verify', experiment, '--seed', '77');
    expect(code).toBe(0);
    expect(out).toMatch(/^tiny \([0-9a-f]{16}\), seed 77\nThis experiment makes no claims, so there is nothing to verify\.\n$/);
    expect(await json('models')).toEqual(before);
  });

  test('verifies every experiment, also when the training of one fails', async () => {
    const [first, second] = [await withClaims('one', [learns]), await withClaims('two', [learns])];
    await writeFile(first, JSON.stringify({ ...JSON.parse(await readFile(first, 'utf8')), training: { ...tinyTraining, learningRate: 1e30 } }));
    const { code, out, err } = await circuits('verify', first, second, '--json');
    expect(code).toBe(1);
    const problem = expect.stringMatching(/^The loss stopped being a number/);
    expect(JSON.parse(out).experiments).toEqual([
      { name: 'one', id: expect.any(String), seed: 0, problem, claims: [{ index: 0, claim: 'it learns', measured: null, expect: '< 100', ok: false, problem }] },
      { name: 'two', id: expect.any(String), seed: 0, claims: [{ index: 0, claim: 'it learns', measured: expect.any(Number), expect: '< 100', ok: true }] },
    ]);
    expect(err).toContain('The loss stopped being a number');
  });

  test('finds everything that is wrong with experiments and their claims before it trains', async () => {
    const before = await json('models');
    const [right, wrong] = [await withClaims('right', [learns]), await withClaims('wrong', [{ ...learns, scalar: 'testLos' }, { ...spreads, params: { head: '0.7' } }])];
    const { code, out, err } = await circuits('verify', right, wrong, 'nowhere.circuit.json', '--json');
    expect(code).toBe(2);
    const sentences = err.trim().split('\n');
    expect(sentences).toEqual([
      expect.stringMatching(/wrong\.circuit\.json: claims\.0\.scalar: There is no scalar of analysis "training-curves" called "testLos"; the nearest [^\n]*"testLoss"/),
      expect.stringMatching(/wrong\.circuit\.json: claims\.1\.params\.head: There is no head "L0H7"; the nearest [^\n]*"L0H1"/),
      'nowhere.circuit.json: There is no experiment file "nowhere.circuit.json".',
    ]);
    expect(JSON.parse(out)).toEqual({ error: sentences.join('\n') });
    expect(await json('models')).toEqual(before);
  });

  test('goes on with what was stopped to verify it', async () => {
    const file = await withClaims('stopped', [learns], { ...tinyTraining, steps: 6000, checkpointEvery: 100_000 });
    const stopping = new AbortController();
    const verifying = runProcess(bundles.folder, ['verify', file, '--seed', '9', '--json'], { store, interrupt: stopping.signal });
    const there = await Store.open(store);
    await eventually('its first rows', async () => ((await there.readMetrics((await there.find('stopped')).id)).length > 10 ? true : undefined));
    stopping.abort();
    expect(await verifying).toMatchObject({ code: 130, out: '' });
    const { code, out, err } = await circuits('verify', file, '--seed', '9');
    expect(code, err).toBe(0);
    expect(err).toMatch(/^"stopped" ended at step \d+ of 6000; it goes on from there\.\n/);
    expect(out).toContain('1 of 1 claim holds.');
  }, 60_000);

  test('prints the numbers of small figures, and how many a large one has', async () => {
    const { out } = await circuits('analyze', 'tiny', 'attention', '--param', 'examples=2');
    expect(out).toMatch(/\ndestination +L0H0 +L0H1\n0 a /);
    expect((await circuits('analyses')).out).toMatch(/^Training:\n\ntraining-curves\n[^]*\nAttention:\n\nattention\n[^]*head= \(as in 1\.0\): /);
  });

  test('times steps beside what their matrix products need', async () => {
    const { presets } = await json('bench', experiment);
    const { secondsPerStep, gflopPerStep, matmulGflops, floorSeconds } = presets[experiment];
    expect(secondsPerStep).toBeGreaterThan(0);
    expect(gflopPerStep).toBeGreaterThan(0);
    expect(floorSeconds).toBeCloseTo(gflopPerStep / matmulGflops, 12);
  }, 60_000);

  test.each([
    [['fly'], /unknown command 'fly'/],
    [['models', '--colour'], /unknown option '--colour'/],
    [['models', 'tiny'], /too many arguments/],
    [['train'], /missing required argument 'experiment'/],
    [['verify'], /missing required argument 'experiments'/],
    [['verify', 'tiny', '--reporter', 'morse'], /Allowed choices are text, json, junit/],
    [['verify', 'aray-update'], /^There is no bundled experiment "aray-update"; the nearest is "array-update"\.\n$/],
    [['train', 'tiny', '--steps', '-5'], /argument '-5' is invalid. It must be a whole number, at least 0\./],
    [['train', 'tiny', '--steps', '2.5'], /argument '2.5' is invalid/],
    [['train', 'tiny', '--seed', '99999999999'], /at most 2147483647/],
    [['train', 'tiny', '--device', 'abacus'], /Allowed choices are auto, cpu, webgpu, tensorflow/],
    [['train', 'tiny', '--resume', '--retrain'], /cannot be used with/],
    [['train', 'aray-update'], /^There is no bundled experiment "aray-update"; the nearest is "array-update"\.\n$/],
    [['train', 'nowhere.circuit.json'], /^There is no experiment file "nowhere\.circuit\.json"\.\n$/],
    [['train', 'array-update', '--set', 'seed'], /^"seed" is not of the form path=value[^\n]*\.\n$/],
    [['show', 'tinny'], /^There is no model "tinny"; the nearest is "tiny"\.\n$/],
    [['logits', 'tiny', '--tokens', '[[1, 2], [1]]'], /^The prompts in --tokens must have one length, but the first has 2 tokens and prompt 2 has 1\.\n$/],
    [['logits', 'tiny', '--tokens', '[[1, 99]]'], /^Token 99 at position 1 of prompt 1 is outside the vocabulary of 8 tokens \(0 to 7\)\.\n$/],
    [['logits', 'tiny', '--tokens', '[[1, 2, 3, 4]]'], /^The prompt has 4 tokens; this model reads at most 3\.\n$/],
    [['logits', 'tiny', '--tokens', '[1, 2]'], /^--tokens must be an array of prompts[^\n]*\.\n$/],
    [['logits', 'tiny', '--tokens', 'one'], /^--tokens is not JSON[^\n]*\.\n$/],
    [['logits', 'tiny', '--tokens', '[[1]]', '--checkpoint', '11'], /^"tiny" has no checkpoint at step 11; [^\n]*10[^\n]*\.\n$/],
    [['cache', 'tiny', '--tokens', '[[1]]', '--hooks', 'hook_embedding'], /^There is no hook point "hook_embedding"; the nearest [^\n]*"hook_embed"[^\n]*\.\n$/],
    [['analyze', 'tiny', 'atention'], /^There is no analysis "atention"; the nearest [^\n]*"attention"[^\n]*\.\n$/],
    [['analyze', 'tiny', 'attention', '--param', 'examples=many'], /^"examples" of analysis "attention"[^\n]*\.\n$/],
    [['analyze', 'tiny', 'attention', '--param', 'exampels=2'], /^There is no parameter[^\n]*"exampels"[^\n]*"examples"[^\n]*\.\n$/],
    [['analyze', 'tiny', 'attention', '--against', 'tinny'], /^There is no model "tinny"; the nearest is "tiny"\.\n$/],
    [['analyze', 'tiny', 'attention', '--against', 'tiny@11'], /^It cannot be compared with step 11: "tiny" has no checkpoint at step 11; [^\n]*10[^\n]*\.\n$/],
    [['report', 'tiny', '-o', '/nowhere/report.html'], /The report cannot be written to [^\n]*report\.html[^\n]*\.\n$/],
  ])('answers %j with exit code 2 and one sentence', async (words, sentence) => {
    const { code, out, err } = await circuits(...words);
    expect(err).toMatch(sentence);
    expect(code).toBe(2);
    expect(out).toBe('');
  });

  test('has one sentence for each thing that is wrong with an experiment', async () => {
    const file = path.join(folder, 'wrong.circuit.json');
    await writeFile(file, JSON.stringify({ ...JSON.parse(tinyExperiment()), colour: 'red', training: { steps: 'many' } }));
    const { code, out, err } = await circuits('train', file, '--json');
    expect(code).toBe(2);
    expect(err.trim().split('\n')).toHaveLength(2);
    expect(JSON.parse(out)).toEqual({ error: err.trim() });
  });

  test('fails with exit code 1 when the training does', async () => {
    const { code, err } = await circuits('train', experiment, '--set', 'training.learningRate=1e30');
    expect(err).toMatch(/The loss stopped being a number at step \d+; a lower learning rate usually mends it\.\n$/);
    expect(code).toBe(1);
  });

  test('says of a store that cannot be used what to do', async () => {
    const { code, err } = await circuits('models', '--store', experiment);
    expect(err).toMatch(/^\S+ cannot hold models[^\n]*\.\n$/);
    expect(code).toBe(2);
  });

  // A superuser may write everywhere.
  test.runIf(process.getuid?.() !== 0)('says of a store that is read-only that it is, and still reads it', async () => {
    const readOnly = path.join(folder, 'read-only');
    await Store.open(readOnly);
    await chmod(readOnly, 0o500);
    onTestFinished(() => chmod(readOnly, 0o700));
    const { code, err } = await circuits('train', experiment, '--store', readOnly);
    expect(err).toMatch(/^\S+ is read-only[^\n]*\.\n$/);
    expect(code).toBe(2);
    expect((await circuits('models', '--store', readOnly)).code).toBe(0);
  });

  test('leaves nothing about this machine anywhere, and reports to nobody', async () => {
    const home = path.join(folder, 'home');
    await mkdir(home);
    const { id } = await json('train', experiment);
    const { code, err } = await runProcess(bundles.folder, ['logits', id, '--tokens', '[[1, 2]]', '--json'], {
      store, environment: { HOME: home, USERPROFILE: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home, ORT_DISABLE_TELEMETRY: '' },
    });
    expect(code, err).toBe(0);
    expect(await readdir(home)).toEqual([]);
  });

  test('prints help and its version', async () => {
    expect(await runProcess(bundles.folder, ['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('train [options] <experiment>') });
    expect(await runProcess(bundles.folder, ['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(await runProcess(bundles.folder, ['fly'])).toMatchObject({ code: 2, out: '' });
  });
});
