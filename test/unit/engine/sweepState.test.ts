import { beforeEach, expect, test } from 'vitest';
import { SweepState } from '../../../src/engine/sweepState';
import type { ModelStatus, ModelSummary } from '../../../src/protocol/model';
import { readSweep } from '../../../src/training/sweep';
import { tinyExperiment } from './experiments';

// Rows 0 and 2 train the same model.
const text = JSON.stringify({ ...JSON.parse(tinyExperiment()), sweep: { seed: [0, 1, 0] } });
const killed = 'The job was killed.';
let state: SweepState;
let model: string;

beforeEach(() => {
  const reading = readSweep(text);
  if (!reading.ok) throw new Error('the sweep is wrong');
  state = new SweepState({ format: 1, id: '0', name: 'tiny', text, options: { executor: 'slurm', parallel: 0 }, createdAt: 0 }, reading.sweep);
  model = state.row(0)?.model ?? '';
});

function seen(status: ModelStatus, problem?: string): ModelSummary {
  return {
    id: model, name: 'x', task: 'modular-arithmetic', status, progress: { step: 7, steps: 20 }, metrics: { testLoss: 0.5 }, n_layers: 1, n_heads: 2,
    attn_only: true, createdAt: 0, path: '/', resumable: false, ...(problem !== undefined && { problem }),
  };
}

function first() {
  const { status, problem } = state.row(0) ?? {};
  return [status, problem];
}

test('before it was ever begun nothing has happened to it', () => {
  expect(first()).toEqual(['cancelled', undefined]);
  expect(state.details()).toMatchObject({ status: 'stopped', counts: { cancelled: 3 } });
});

test('rows of one model are one job, and stand alike', () => {
  expect(state.jobs().map(({ index }) => index)).toEqual([0, 1]);
  state.begin(state.jobs());
  state.tell(0, { status: 'queued' });
  expect(state.row(2)?.status).toBe('queued');
  state.see(seen('training'));
  expect(state.row(2)).toMatchObject({ index: 2, status: 'training', progress: { step: 7 }, metrics: { testLoss: 0.5 } });
});

test('a run that waits to go on is no longer what the store says of its last attempt', () => {
  state.see(seen('failed', 'It was too large.'));
  expect(first()).toEqual(['failed', 'It was too large.']);
  state.begin(state.jobs());
  expect(first()).toEqual(['waiting', undefined]);
  state.tell(0, { status: 'queued' });
  expect(first()).toEqual(['queued', undefined]);
  state.see(seen('training'));
  expect(first()).toEqual(['training', undefined]);
});

test('a job that was killed has ended, though its lock is still there', () => {
  state.see(seen('training'));
  state.begin(state.jobs());
  state.tell(0, { status: 'interrupted', problem: killed });
  expect(first()).toEqual(['interrupted', killed]);
  expect(state.unkept()).toEqual([{ model, status: 'interrupted', problem: killed }]);
  state.end(undefined);
  expect(first()).toEqual(['interrupted', killed]);
  state.see(seen('interrupted'));
  expect(first()).toEqual(['interrupted', killed]);
  // Somebody goes on with it.
  state.see(seen('training'));
  expect(first()).toEqual(['training', undefined]);
});

test('a run that is finished is so, whatever was said of it', () => {
  state.begin(state.jobs());
  state.tell(0, { status: 'failed', problem: killed });
  state.see(seen('finished'));
  expect(first()).toEqual(['finished', undefined]);
  expect(state.unkept()).toEqual([]);
  state.end(undefined);
  expect(state.jobs().map(({ index }) => index)).toEqual([1]);
});

test('what keeps the whole from going on stands in every row that has not ended', () => {
  state.begin(state.jobs());
  state.see(seen('finished'));
  state.end('There is no sbatch.');
  expect(state.details().rows.map(({ status, problem }) => [status, problem])).toEqual([
    ['finished', undefined], ['cancelled', 'There is no sbatch.'], ['finished', undefined],
  ]);
  expect(state.summary()).toMatchObject({ status: 'stopped', problem: 'There is no sbatch.' });
  state.begin(state.jobs());
  expect(state.summary()).not.toHaveProperty('problem');
});
