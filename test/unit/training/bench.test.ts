import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { benchExperiment, gflopPerStep } from '../../../src/training/bench';
import { readExperiment } from '../../../src/training/experiment';
import { prepared } from '../../support/experiments';
import { onnx } from '../../support/runtimes';

describe('the work of a step', () => {
  test('of modular subtraction is what its pruned products come to by hand', () => {
    const file = path.join(import.meta.dirname, '../../../media/experiments/modular-subtraction.circuit.json');
    const reading = readExperiment(readFileSync(file, 'utf8'));
    if (!reading.ok) throw new Error('the bundled experiment cannot be read');
    // W_O, the MLP in and out, and the unembedding at one position, forward and twice backward; the layer-0 table is small.
    const [examples, d_model, d_mlp, outputs] = [Math.floor(0.3 * 113 ** 2), 128, 512, 113];
    const each = d_model * d_model + 2 * d_model * d_mlp + d_model * outputs;
    const answers = (3 * 2 * examples * each) / 1e9;
    expect(answers).toBeCloseTo(3.72, 2);
    expect(gflopPerStep(reading.experiment)).toBeGreaterThan(answers);
    expect(gflopPerStep(reading.experiment)).toBeLessThan(1.02 * answers);
  });

  test('grows with the batch, packed sequences or not', () => {
    const task = { name: 'array-update', length: 2, numbers: 5, modulus: undefined, trainFraction: undefined };
    const work = (batch: number) => gflopPerStep(prepared({ task, training: { batch } }));
    // Twice the batch is at most twice the work: packing, which multiplies masked products, does not count.
    expect(work(64) / work(32)).toBeGreaterThan(1.5);
    expect(work(64) / work(32)).toBeLessThanOrEqual(2);
  });
});

test('the floor of a bench is its work at the rate of its largest product', async () => {
  const { secondsPerStep, gflopPerStep: work, matmulGflops, floorSeconds } = await benchExperiment(prepared(), onnx);
  expect(secondsPerStep).toBeGreaterThan(0);
  expect(floorSeconds).toBeCloseTo(work / matmulGflops, 12);
});
