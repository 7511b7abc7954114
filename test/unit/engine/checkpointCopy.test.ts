import { describe, expect, test } from 'vitest';
import { copyOf } from '../../../src/engine/checkpointCopy';
import type { Schedule } from '../../../src/protocol/experiment';
import { readExperiment } from '../../../src/training/experiment';
import { nothingNamed } from '../../../src/training/origin';
import { scheduleFactor } from '../../../src/training/optimizer';
import { tinyExperiment } from './experiments';

const id = '0123456789abcdef';

function recordOf(changes: object = {}, training: object = {}) {
  const plain = JSON.parse(tinyExperiment({ steps: 100 }));
  const reading = readExperiment(JSON.stringify({ ...plain, ...changes, training: { ...plain.training, ...training } }));
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  const { resolved, config } = reading.experiment;
  return { id, name: resolved.name, experiment: resolved, config };
}

/** The copy, read as it is when it is trained. */
function readCopy(record: ReturnType<typeof recordOf>, ...[step, breakpoint]: [number, Parameters<typeof copyOf>[2]]) {
  const { experiment: { model, task }, name, config } = record;
  const reading = readExperiment(copyOf(record, step, breakpoint), { ...nothingNamed, origin: () => ({ id, name, checkpoint: step, model, config, task }) });
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.experiment.resolved;
}

describe('a copy of a checkpoint', () => {
  test('leaves out what is about the original alone', () => {
    const record = recordOf({
      perturb: { matrices: 1 },
      claims: [{ claim: 'it attends', analysis: 'attention', scalar: 'entropy', expect: '> 0' }],
      breakpoints: [{ analysis: 'attention', scalar: 'entropy', when: '> 0' }],
    });
    for (const action of ['snapshot', 'fork'] as const) {
      const copy = readCopy(record, 40, { action });
      expect([copy.perturb, copy.claims, copy.breakpoints]).toEqual([undefined, [], undefined]);
      expect(copy).toMatchObject({ seed: 0, task: record.experiment.task, model: record.experiment.model, from: { id, checkpoint: 40 } });
    }
  });

  test.each<[string, Schedule]>([
    ['constant', { kind: 'constant' }],
    ['that was warmed up', { kind: 'warm-up', steps: 40 }],
    ['with some of its steps behind it', { kind: 'steps', at: [10, 40, 41, 90], factor: 0.1 }],
  ])('that is trained on has the learning rates that the original has from there, of a schedule %s', (_, schedule) => {
    const record = recordOf({}, { schedule, learningRate: 0.01 });
    const rates = ({ learningRate, schedule }: typeof record.experiment.training, from: number) =>
      Array.from({ length: 60 }, (_, index) => learningRate * scheduleFactor(schedule, from + index + 1));
    const { training } = readCopy(record, 40, { action: 'fork' });
    expect(training.steps).toBe(60);
    const original = rates(record.experiment.training, 40);
    rates(training, 0).forEach((rate, index) => expect(rate).toBeCloseTo(original[index] ?? NaN, 12));
  });

  test('keeps what is left of a warm-up', () => {
    expect(readCopy(recordOf({}, { schedule: { kind: 'warm-up', steps: 70 } }), 40, { action: 'fork' }).training.schedule).toEqual({ kind: 'warm-up', steps: 30 });
  });

  test('has a name that fits, however long the one of the original is', () => {
    const record = recordOf({ name: 'm'.repeat(100) });
    expect(readCopy(record, 40, { action: 'snapshot' }).name).toBe(`${'m'.repeat(95)} @ 40`);
    expect(readCopy(record, 40, { action: 'fork', set: Array.from({ length: 10 }, () => 'training.learningRate=0.001') }).name).toHaveLength(100);
  });
});
