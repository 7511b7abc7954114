import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { tmpdir } from 'node:os';
import { isTemporary } from '../../../src/store/atomicFile';
import type { SavedState } from '../../../src/store/checkpoints';
import { readSafetensors } from '../../../src/store/safetensors';
import { Store } from '../../../src/store/store';
import { buildStoreProcess, ChildStore } from './childStore';
import { copyOf } from './folders';
import { added, again, before, bound, operationNames, other, prepare, type OperationName } from './operations';
import { trainingState, weights } from './samples';

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'circuits-crash-'));
  program = await buildStoreProcess(folder);
  await prepare(await Store.open(path.join(folder, 'models')));
  return () => rm(folder, { recursive: true, force: true });
});

/** What is in a store, as far as the operations change it. */
interface Seen {
  /** Id → name and status. */
  readonly models: Readonly<Record<string, string>>;
  readonly steps: readonly number[];
  readonly resume: SavedState | undefined;
  readonly newest: number | undefined;
  readonly file: number | undefined;
  readonly rows: readonly number[];
  /** The operation that its task is, and the accuracies that it was measured with. */
  readonly task: unknown;
  readonly accuracies: readonly number[];
}

const firstWeight = 'embed.W_E';

/** Opens a store after a crash and looks at all of it; whatever is half there throws. */
async function see(models: string): Promise<Seen> {
  const problems: string[] = [];
  const store = await Store.open(models, problem => problems.push(problem));
  const listed = await store.list();
  expect((await store.summaries()).map(({ id }) => id)).toEqual(listed.map(({ id }) => id));
  expect(problems).toEqual([]);
  const isThere = listed.some(({ id }) => id === before.id);
  const steps = isThere ? await store.checkpoints(before.id) : [];
  for (const step of steps) expect(await store.readWeights(before.id, step)).toEqual(weights(step));
  const resumable = isThere && (await readdir(store.pathOf(before.id))).includes('resume.safetensors');
  const hasFile = isThere && (await readdir(store.pathOf(before.id))).includes('weights.safetensors');
  const file = path.join(models, before.id, 'weights.safetensors');
  const rows = isThere ? await store.readMetrics(before.id) : [];
  return {
    models: Object.fromEntries(listed.map(({ id, name, status }) => [id, `${name} ${status}`])),
    steps,
    resume: resumable ? await store.readCheckpoint(before.id) : undefined,
    newest: steps.length > 0 ? (await store.readWeights(before.id)).get(firstWeight)?.data[0] : undefined,
    file: hasFile ? (await readSafetensors(file)).tensors.get(firstWeight)?.data[0] : undefined,
    rows: rows.map(({ step }) => step),
    task: listed.find(({ id }) => id === before.id)?.experiment.task.parameters['operation'],
    accuracies: rows.flatMap(({ testAccuracy }) => testAccuracy ?? []),
  };
}

const untouched: Seen = {
  models: { [before.id]: 'before stopped' },
  steps: [100, 200],
  resume: trainingState(200),
  newest: 200,
  file: 200,
  rows: [0, 100, 200],
  task: 'add',
  accuracies: [],
};
const emptied = { steps: [], resume: undefined, newest: undefined, file: undefined, rows: [], task: undefined, accuracies: [] };

/** Every content that a crash may leave, from the old to the new, which comes last. */
const allowed: Record<OperationName, readonly Seen[]> = {
  create: [untouched, { ...untouched, models: { [before.id]: 'before stopped', [other.id]: 'other finished' } }],
  add: [untouched, { ...untouched, models: { [before.id]: 'before stopped', [added.id]: 'added finished' } }],
  // Between the old going and the new coming, in one step each, there is neither; whoever retrains has given the old
  // up.
  replace: [untouched, { ...emptied, models: {} }, { ...emptied, models: { [again.id]: 'again finished' }, task: 'add' }],
  update: [untouched, { ...untouched, models: { [before.id]: 'before failed' } }],
  bind: [untouched, { ...untouched, task: bound.experiment.task.parameters.operation, accuracies: [0.25, 0.5] }],
  remove: [untouched, { ...emptied, models: {} }],
  writeCheckpoint: [
    untouched,
    { ...untouched, steps: [100, 200, 300], newest: 300 },
    { ...untouched, steps: [100, 200, 300], newest: 300, resume: trainingState(300) },
  ],
  rewriteCheckpoint: [untouched],
  writeWeights: [untouched, { ...untouched, file: 300 }],
  appendMetrics: [untouched, { ...untouched, rows: [0, 100, 200, 300] }, { ...untouched, rows: [0, 100, 200, 300, 400] }],
  rewind: [
    untouched,
    { ...untouched, steps: [100], newest: 100 },
    { ...untouched, steps: [100], newest: 100, rows: [0, 100] },
  ],
};

describe('a process killed at any point leaves the old content or the new', () => {
  test.for(operationNames)('%s', { timeout: 120_000 }, async operation => {
    const found: number[] = [];
    for (let [at, isDone] = [1, false]; !isDone; at += 2) {
      // Two processes at a time. The last point is the first that the operation does not come to.
      for (const { died, content } of await Promise.all([crash(operation, at), crash(operation, at + 1)])) {
        if (!isDone) found.push(content);
        isDone ||= !died;
      }
    }
    // What was new at one point is not old at a later one, and all of it is new once the operation is done.
    expect(found).toEqual([...found].sort((a, b) => a - b));
    expect(found.at(-1)).toBe(allowed[operation].length - 1);
    expect(found.length, 'points to be killed at').toBeGreaterThan(2);
  });
});

/**
 * Kills a process at a point of an operation; says whether it came to that, and which of the allowed contents it left.
 */
async function crash(operation: OperationName, at: number): Promise<{ readonly died: boolean; readonly content: number }> {
  const models = await copyOf(path.join(folder, 'models'));
  const child = await ChildStore.start(program, models, { kind: 'die', operation, at });
  child.go();
  const report = await child.next();
  if (report !== undefined) expect(report).toBe('done');
  const seen = await see(models);
  const content = allowed[operation].findIndex(one => isDeepStrictEqual(one, seen));
  expect(content, `killed at point ${at}: ${JSON.stringify(seen)}`).toBeGreaterThanOrEqual(0);
  await leavesNothingForever(models);
  await worksOn(models, seen);
  return { died: report === undefined, content };
}

/** What a crash left goes when the store is opened an hour later. */
async function leavesNothingForever(models: string): Promise<void> {
  const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
  const files = () => readdir(models, { recursive: true });
  for (const name of await files()) await utimes(path.join(models, name), hoursAgo, hoursAgo);
  await Store.open(models);
  expect((await files()).filter(name => isTemporary(path.basename(name)) || name.startsWith('.'))).toEqual([]);
}

/** Another process can take over where the killed one was: its locks, aged by now, are in nobody's way. */
async function worksOn(models: string, seen: Seen): Promise<void> {
  const store = await Store.open(models);
  const [id] = Object.keys(seen.models);
  if (id === undefined) return;
  const lock = await store.lock(id);
  await store.appendMetrics(id, [{ step: 500, seconds: 50 }]);
  expect((await store.readMetrics(id)).map(({ step }) => step)).toEqual([...id === before.id ? seen.rows : [], 500]);
  await store.writeCheckpoint(id, trainingState(500));
  expect(await store.readCheckpoint(id)).toEqual(trainingState(500));
  expect((await store.update(id, { name: 'after' })).name).toBe('after');
  lock.dispose();
  await store.remove(id);
}
