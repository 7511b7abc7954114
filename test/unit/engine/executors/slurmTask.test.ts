import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { checkTask, formatTask, readTask, taskThreads, type SlurmTask } from '../../../../src/engine/executors/slurmTask';
import { tinyExperiment } from '../experiments';
import { jobOf } from './sweepHost';

const text = tinyExperiment();
const task: SlurmTask = { store: '/models', model: jobOf(0, text).model, text, device: 'cpu', threads: 2 };
let file: string;

beforeEach(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'task-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  file = path.join(folder, '0.json');
});

test('a task is read as it was written', async () => {
  await writeFile(file, formatTask(task));
  const read = await readTask(file);
  expect(read).toEqual(task);
  expect(() => checkTask(file, read)).not.toThrow();
});

const wrong: readonly (readonly [what: string, content: string, message: RegExp])[] = [
  ['no JSON', '{"store":', /is not JSON/],
  ['nothing', '', /is not JSON/],
  ['no task', '[]', /is not a task of a sweep/],
  ['another field', JSON.stringify({ ...task, command: 'id' }), /\("command"\)/],
  ['no device', JSON.stringify({ ...task, device: 'quantum' }), /\("device"\)/],
  ['a path for a model', JSON.stringify({ ...task, model: '../../etc/passwd' }), /\("model"\)/],
  ['half a thread', JSON.stringify({ ...task, threads: 0.5 }), /\("threads"\)/],
];
test.each(wrong)('a file with %s is refused in a sentence', async (_, content, message) => {
  await writeFile(file, content);
  await expect(readTask(file)).rejects.toThrow(message);
});

test('a task whose experiment is wrong, or makes another model, is refused in a sentence', () => {
  expect(() => checkTask(file, { ...task, model: '0'.repeat(16) })).toThrow(/its experiment trains the model [0-9a-f]{16}, not 0000000000000000/);
  expect(() => checkTask(file, { ...task, text: '{"task":"none"}' })).toThrow(/"model" is missing/);
});

test('a file that is too large is not read, and one that is not there, or a folder, is said to be', async () => {
  await expect(readTask(file)).rejects.toThrow(/^There is no task file .* every node of the cluster sees/);
  await writeFile(file, '');
  await truncate(file, 1 << 30);
  await expect(readTask(file)).rejects.toThrow(/is too large for a task/);
  await rm(file);
  await mkdir(file);
  await expect(readTask(file)).rejects.toThrow(/is a folder/);
});

test('a task has the threads that were asked for, or those that its job was given', () => {
  expect(taskThreads(task, { SLURM_CPUS_ON_NODE: '8' }, 16)).toBe(2);
  const any = { ...task, threads: 0 };
  expect(taskThreads(any, { SLURM_CPUS_ON_NODE: '8' }, 16)).toBe(8);
  expect(taskThreads(any, { SLURM_CPUS_ON_NODE: '8' }, 4)).toBe(4);
  expect(taskThreads(any, {}, 4)).toBe(4);
  expect(taskThreads(any, { SLURM_CPUS_ON_NODE: 'many' }, 4)).toBe(4);
});
