import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { BundledExperiments } from '../../../src/engine/bundled';
import { experimentProblems } from '../../../src/engine/experimentProblems';
import { Origins } from '../../../src/engine/origins';
import { idOf } from '../../../src/store/modelRecord';
import { Store } from '../../../src/store/store';
import { readExperiment } from '../../../src/training/experiment';
import { readSweep } from '../../../src/training/sweep';
import { temporaryFolder } from '../store/folders';
import { modelRecord } from '../store/samples';
import { tinyExperiment } from './experiments';

const media = path.join(import.meta.dirname, '../../../media/experiments');
let folder: string;
let store: Store;
let origins: Origins;

beforeEach(async () => {
  folder = await temporaryFolder();
  store = await Store.open(path.join(folder, 'store'));
  origins = new Origins(store, new BundledExperiments(media));
});

/** A tiny experiment, changed. */
function textOf(more: object): string {
  return JSON.stringify({ ...JSON.parse(tinyExperiment()), ...more });
}

async function write(name: string, more: object = {}): Promise<void> {
  await writeFile(path.join(folder, `${name}.circuit.json`), textOf({ name, ...more }));
}

async function read(text: string) {
  const reading = readExperiment(text, await origins.lookUp({ text, folder }));
  return reading.ok ? reading.experiment : expect.fail(JSON.stringify(reading.problems));
}

async function problemsOf(more: object, from: string | undefined = folder): Promise<readonly string[]> {
  const text = textOf(more);
  const problems = experimentProblems(text, await origins.lookUp({ text, ...(from !== undefined && { folder: from }) }));
  return problems.map(problem => `${problem.path.join('.')}: ${problem.message}`);
}

describe('what an experiment starts from', () => {
  test('is another file, with the same seed, and without a model of its own it has that of the other', async () => {
    await write('base', { seed: 9 });
    const { resolved, origin } = await read(textOf({ seed: 4, model: undefined, from: 'base.circuit.json' }));
    const base = await read(textOf({ seed: 4 }));
    expect(resolved.from).toEqual({ id: idOf(base.resolved), name: 'base' });
    expect(resolved.model).toEqual(base.resolved.model);
    expect(origin?.source).toMatchObject({ seed: 4, folder });
  });

  test('may be a bundled experiment, or a stored model by its name or the beginning of its id', async () => {
    const text = textOf({ task: { name: 'array-update', length: 5 }, from: 'array-update' });
    expect((await origins.lookUp({ text })).origin('array-update', 0)).toMatchObject({ name: 'array-update', source: { folder: media } });
    const record = modelRecord();
    await store.create(record);
    for (const name of [record.name, record.id.slice(0, 5), record.id]) {
      const { origin } = await origins.lookUp({ text: textOf({ from: name }) });
      expect(origin({ model: name, checkpoint: 3 }, 0)).toEqual({
        id: record.id, name: record.name, checkpoint: 3, model: record.experiment.model, config: record.config, task: record.experiment.task,
      });
    }
  });

  test('decides the id of the model, by its id and checkpoint and not by its name', async () => {
    await write('base');
    await write('alias', { description: 'the same under another name' });
    const idFrom = async (from: unknown) => idOf((await read(textOf({ from }))).resolved);
    const id = await idFrom('base.circuit.json');
    expect(await idFrom('alias.circuit.json')).toBe(id);
    expect(await idFrom({ model: 'base.circuit.json', checkpoint: 10 })).not.toBe(id);
    expect(idOf((await read(tinyExperiment())).resolved)).not.toBe(id);
  });

  test('may start from another in its turn, but not from itself', async () => {
    await write('base');
    await write('middle', { from: 'base.circuit.json', training: { steps: 3 } });
    const { origin } = await read(textOf({ from: 'middle.circuit.json' }));
    expect(origin?.name).toBe('middle');
    await write('one', { from: 'two.circuit.json' });
    await write('two', { from: 'one.circuit.json' });
    expect(await problemsOf({ from: 'one.circuit.json' })).toEqual([expect.stringMatching(
      /^from: .*An experiment cannot start from itself: "one\.circuit\.json" starts from "two\.circuit\.json" starts from "one\.circuit\.json"\.$/)]);
  });

  test('is not itself under other names, through a symbolic link', async () => {
    await symlink('.', path.join(folder, 'here'));
    await write('one', { from: 'here/one.circuit.json' });
    expect(await problemsOf({ from: 'one.circuit.json' })).toEqual([expect.stringMatching(
      /^from: .*An experiment cannot start from itself: "one\.circuit\.json" starts from "here\/one\.circuit\.json"\.$/)]);
  });

  test('comes after at most twenty others', async () => {
    await write('0');
    for (let at = 1; at <= 20; at++) await write(`${at}`, { from: `${at - 1}.circuit.json` });
    expect(await problemsOf({ from: '19.circuit.json' })).toEqual([]);
    expect(await problemsOf({ from: '20.circuit.json' })).toEqual([expect.stringMatching(/^from: .*More than 20 experiments start from one another; start from a model that one of them has trained\.$/)]);
  });

  test('loses no other problem when its file cannot be read', async () => {
    await symlink('loop.circuit.json', path.join(folder, 'loop.circuit.json'));
    expect(await problemsOf({ from: 'loop.circuit.json' })).toEqual([expect.stringMatching(/^from: .*loop\.circuit\.json cannot be read: ELOOP/)]);
    expect(await problemsOf({ from: 'loop.circuit.json', task: 'modular-arithmetics' })).toEqual([expect.stringMatching(/^task: There is no task/)]);
  });

  test('is of each run of a sweep its own, and named by its id in the run\'s text', async () => {
    await write('base');
    const text = textOf({ from: 'base.circuit.json', sweep: { seed: [0, 1] } });
    const reading = readSweep(text, {}, 10, await origins.lookUp({ text, folder }));
    const runs = reading.ok ? reading.sweep.runs : expect.fail(JSON.stringify(reading.problems));
    const bases = await Promise.all([0, 1].map(async seed => idOf((await read(textOf({ seed }))).resolved)));
    expect(runs.map(({ text }) => JSON.parse(text).from)).toEqual(bases.map(model => ({ model })));
  });

  test.each([
    ['a name that is nobody\'s', { from: 'array-updates' }, 'from: There is no experiment or model "array-updates"; the nearest is "array-update".'],
    ['a checkpoint that it will not have', { from: { model: 'base.circuit.json', checkpoint: 7 } }, 'from.checkpoint: "base" has no checkpoint at step 7: it keeps one every 10 steps, and one at its end, at step 20.'],
    ['a checkpoint before its first step', { from: { model: 'base.circuit.json', checkpoint: 0 } }, 'from.checkpoint: "base" has no checkpoint at step 0: it keeps one every 10 steps, and one at its end, at step 20.'],
    ['another model', { from: 'base.circuit.json', model: { n_layers: 1, n_heads: 2, d_model: 12, d_head: 4, attn_only: true } }, 'model: embed.W_E is [8, 12] here and [8, 8] in "base"; leave "model" out to take that of "base".'],
    ['another task', { from: 'base.circuit.json', task: { name: 'modular-arithmetic', modulus: 11 } }, 'task: embed.W_E is [12, 8] here and [8, 8] in "base"; what fits is the task of "base", with "modulus": 7.'],
    ['a name with control characters', { from: 'ba\0se.circuit.json' }, 'from: "from": a name has no control characters.'],
    ['a path through a file', { from: 'base.circuit.json/base.circuit.json' }, expect.stringMatching(/^from: \S+base\.circuit\.json cannot be read: ENOTDIR/)],
    ['no such thing', { from: 3 }, 'from: "from": the model to start from is its name, or an object with its name as "model" and a "checkpoint".'],
  ])('with %s is refused where it stands', async (_, more, message) => {
    await write('base');
    expect(await problemsOf(more)).toEqual([message]);
  });

  test('that is not there is refused with the nearest file, and a path without a folder with what to do', async () => {
    await write('base');
    expect(await problemsOf({ from: 'bases.circuit.json' })).toEqual([expect.stringMatching(/^from: There is no experiment file ".*bases\.circuit\.json"; the nearest is ".*base\.circuit\.json"\.$/)]);
    expect(experimentProblems(textOf({ from: 'base.circuit.json' }), await origins.lookUp({ text: textOf({ from: 'base.circuit.json' }) }))).toEqual([
      { path: ['from'], message: '"base.circuit.json" is a path, and this experiment is in no folder to see it from; save it as a file first.' },
    ]);
  });

  test('whose file is wrong says what is wrong in it', async () => {
    await write('base', { training: { steps: 'many' } });
    expect(await problemsOf({ from: 'base.circuit.json' })).toEqual([expect.stringMatching(/^from: "base\.circuit\.json" cannot be trained: "training\.steps"/)]);
  });

  test('with every model left out is missing one', async () => {
    expect(await problemsOf({ model: undefined })).toEqual(['model: "model" is missing.']);
  });
});

describe('a claim about another experiment', () => {
  const claim = { claim: 'it attends', analysis: 'attention', params: { head: '1.0' }, scalar: 'entropy', expect: '> 0' };

  test('is checked with that one\'s model', async () => {
    await write('deep', { model: { n_layers: 2, n_heads: 2, d_model: 8, d_head: 4, attn_only: true } });
    expect(await problemsOf({ claims: [{ ...claim, of: 'deep.circuit.json' }] })).toEqual([]);
    expect(await problemsOf({ claims: [claim] })).toEqual([expect.stringMatching(/^claims\.0\.params\.head: /)]);
  });

  test('that does not exist is refused with the nearest names', async () => {
    expect(await problemsOf({ claims: [{ ...claim, of: 'array-updates' }] })).toEqual(['claims.0.of: There is no experiment "array-updates"; the nearest is "array-update".']);
  });

  test('is about no runs of a sweep', async () => {
    expect(await problemsOf({ sweep: { seed: [0, 1] }, claims: [{ ...claim, of: 'array-update', where: { seed: 0 } }] })).toEqual([
      'claims.0.of: A claim is about runs of this sweep ("where") or about another experiment ("of"), not both.',
    ]);
  });
});
