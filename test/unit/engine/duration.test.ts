import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { BundledExperiments } from '../../../src/engine/bundled';
import { checkDuration, TooLongError, type Machine } from '../../../src/engine/duration';
import { experimentOf } from '../../../src/engine/runs';
import { gflopPerStep } from '../../../src/training/bench';
import type { PreparedExperiment } from '../../../src/training/experiment';
import { tinyExperiment } from './experiments';

/** An experiment of so many steps, which are never run; its matrices are large, so that few enough of them take days. */
function experimentOfSteps(steps: number): PreparedExperiment {
  return experimentOf({ text: tinyExperiment({ steps, checkpointEvery: 0 }), set: ['model.d_model=512', 'model.d_head=256'] });
}

/** Steps that take so many hours at a rate, and what else a step takes beside its products. */
function stepsFor(hours: number, gflops: number): number {
  return Math.round(hours * 3600 * gflops / (1.7 * gflopPerStep(experimentOfSteps(1))));
}

/** A machine that notes what it is asked. */
function machine(device: 'cpu' | 'webgpu' | 'tensorflow', gflops: number): { readonly asked: string[]; readonly machine: Machine } {
  const asked: string[] = [];
  return {
    asked,
    machine: {
      deviceFor: place => {
        asked.push(`device for ${place.device}`);
        return Promise.resolve(device);
      },
      rate: (_, threads) => {
        asked.push(`rate of ${threads}`);
        return Promise.resolve(gflops);
      },
    },
  };
}

describe('a training on the processor', () => {
  // Far above the rate of the slowest core, below which nothing is measured.
  const gflops = 50;

  test('starts when it takes a little less than 8 hours, and is refused when it takes a little more', async () => {
    const { asked, machine: cpu } = machine('cpu', gflops);
    await checkDuration(experimentOfSteps(stepsFor(7.9, gflops)), { device: 'auto', threads: 2 }, cpu);
    expect(asked).toEqual(['device for auto', 'rate of 2']);
    const refused = checkDuration(experimentOfSteps(stepsFor(8.1, gflops)), { device: 'cpu', threads: 2 }, cpu);
    await expect(refused).rejects.toThrow('Training "tiny" would take about 8 hours on this CPU; train it on a GPU, or force it with --force.');
    await expect(refused).rejects.toBeInstanceOf(TooLongError);
  });

  test('that takes days is said to', async () => {
    const { machine: cpu } = machine('cpu', gflops);
    await expect(checkDuration(experimentOfSteps(stepsFor(71, gflops)), { device: 'cpu', threads: 2 }, cpu)).rejects.toThrow('about 71 hours');
    await expect(checkDuration(experimentOfSteps(stepsFor(240, gflops)), { device: 'cpu', threads: 2 }, cpu)).rejects.toThrow('about 10 days');
  });

  test('that is short on the slowest core is not measured, whatever a measurement would say', async () => {
    const { asked, machine: cpu } = machine('cpu', 0.001);
    await checkDuration(experimentOfSteps(stepsFor(7.9, 5)), { device: 'cpu', threads: 1 }, cpu);
    await checkDuration(experimentOfSteps(stepsFor(7.9, 10)), { device: 'cpu', threads: 2 }, cpu);
    expect(asked).toEqual([]);
    await expect(checkDuration(experimentOfSteps(stepsFor(7.9, 10)), { device: 'cpu', threads: 1 }, cpu)).rejects.toThrow(TooLongError);
  });

  test('of no steps takes no time', async () => {
    const { asked, machine: cpu } = machine('cpu', 0.001);
    await checkDuration(experimentOfSteps(0), { device: 'cpu', threads: 1 }, cpu);
    expect(asked).toEqual([]);
  });
});

describe('a training on a GPU is not refused', () => {
  const days = experimentOfSteps(stepsFor(240, 50));

  test.each(['webgpu', 'tensorflow'] as const)('asked for as %s, nothing is looked at', async device => {
    const { asked, machine: slow } = machine(device, 0.001);
    await checkDuration(days, { device, threads: 1 }, slow);
    expect(asked).toEqual([]);
  });

  test.each(['webgpu', 'tensorflow'] as const)('that %s is chosen for, the processor is not measured', async device => {
    const { asked, machine: slow } = machine(device, 0.001);
    await checkDuration(days, { device: 'auto', threads: 1 }, slow);
    expect(asked).toEqual(['device for auto']);
  });
});

test('the study\'s shortest paths are refused where the processor reaches 350 GFLOP/s', { timeout: 120_000 }, async () => {
  const bundled = new BundledExperiments(path.join(import.meta.dirname, '../../../media/experiments'));
  const experiment = experimentOf(await bundled.source('shortest-paths'));
  const { asked, machine: cpu } = machine('cpu', 350);
  await expect(checkDuration(experiment, { device: 'auto', threads: 16 }, cpu)).rejects.toThrow(/^Training "shortest-paths" would take about 2\d hours on this CPU/);
  expect(asked).toEqual(['device for auto', 'rate of 16']);
});
