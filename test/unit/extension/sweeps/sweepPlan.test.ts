import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { hasSweep, problemOfSweepNumber, slurmOptions, sweepItems, sweepRequest, type PlannedSweep } from '../../../../src/extension/sweeps/sweepPlan';
import type { SweepPlan } from '../../../../src/protocol/sweep';
import { SweepOptionsSchema } from '../../../../src/protocol/sweepOptions';

const plan: SweepPlan = { name: 'width-sweep', fields: ['model.d_model'], runs: 1200, finished: 0 };
const planned: PlannedSweep = { experiment: { bundled: 'width-sweep' }, parallel: 0, executor: 'local', slurm: { partition: 'gpu', time: '2:00:00' } };
const shown = (over: Partial<SweepPlan> = {}, chosen: Partial<PlannedSweep> = {}) =>
  sweepItems({ ...plan, ...over }, { ...planned, ...chosen }).map(({ label, description }) => `${label}: ${description}`);

describe('the settings pick', () => {
  test('starts with the sweep itself and how many runs it has', () => {
    expect(shown()).toEqual(['Start Sweep: 1,200 runs', 'Parallel runs: automatic', 'Steps: as in the experiment', 'Executor: this machine']);
    expect(shown({ runs: 1 })[0]).toBe('Start Sweep: 1 run');
  });

  test('says how many runs are trained already', () => {
    expect(shown({ finished: 200 })[0]).toBe('Start Sweep: 1,000 runs; 200 of 1,200 are trained');
    expect(shown({ runs: 4, finished: 4 })[0]).toBe('Start Sweep: all of 4 runs are trained; opens the table');
  });

  test('has the options of a cluster for a cluster only', () => {
    expect(shown({}, { executor: 'slurm', parallel: 8, steps: 2000 }).slice(1)).toEqual([
      'Parallel runs: 8', 'Steps: 2,000 (changed)', 'Executor: Slurm cluster', 'Slurm options: gpu · 2:00:00',
    ]);
    expect(shown({}, { executor: 'slurm', slurm: {} }).at(-1)).toBe("Slurm options: the cluster's own");
  });
});

describe('what the engine is asked for', () => {
  test('is what was chosen, and the number of runs is confirmed only by those who saw it', () => {
    expect(sweepRequest(planned, false)).toEqual({ experiment: { bundled: 'width-sweep' }, options: { executor: 'local', parallel: 0 } });
    expect(sweepRequest({ ...planned, executor: 'slurm', parallel: 4, steps: 50 }, true)).toEqual({
      experiment: { bundled: 'width-sweep' }, steps: 50, confirmed: true,
      options: { executor: 'slurm', parallel: 4, slurm: { partition: 'gpu', time: '2:00:00' } },
    });
  });

  test('fits what the engine takes, where the settings of the cluster are empty too', () => {
    const slurm = slurmOptions({ partition: '', time: '30', memory: '', gres: '' });
    expect(slurm).toEqual({ time: '30' });
    expect(v.is(SweepOptionsSchema, sweepRequest({ ...planned, executor: 'slurm', slurm }, false).options)).toBe(true);
  });
});

test('numbers are checked while they are typed', () => {
  for (const text of ['0', '1', '10000']) expect(problemOfSweepNumber('parallel', text)).toBeUndefined();
  expect(problemOfSweepNumber('parallel', '10001')).toBe('A whole number from 0 to 10,000; 0 for automatic.');
  expect(problemOfSweepNumber('steps', '0')).toBe('A whole number from 1 to 1,000,000,000.');
  for (const text of ['', ' ', '-1', '1.5', 'all', 'NaN']) expect(problemOfSweepNumber('parallel', text), text).toBeDefined();
});

test('an experiment has a sweep where it names one; what cannot be read has none', () => {
  expect(hasSweep('{ "task": "max", /* widths */ "sweep": { "model.d_model": [8, 16], }, }')).toBe(true);
  for (const text of ['{ "task": { "sweep": 1 } }', '{}', '', '[1]', 'null', '"sweep"', '['.repeat(500_000)]) expect(hasSweep(text), text.slice(0, 20)).toBe(false);
});
