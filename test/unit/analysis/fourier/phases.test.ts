import { describe, expect, test } from 'vitest';
import { phasesOf, type LossCurves } from '../../../../src/analysis/fourier/phases';
import { Random } from '../../../../src/common/random';

const uniform = Math.log(113);
const steps = Array.from({ length: 201 }, (_, index) => 100 * index);

/** A curve through corners (step, loss), straight on a logarithmic scale. */
function through(...corners: readonly (readonly [number, number])[]): number[] {
  return steps.map(step => {
    const after = corners.findIndex(([at]) => at > step);
    const [x0, y0] = corners[after < 0 ? corners.length - 1 : after - 1] ?? [0, 1];
    const [x1, y1] = corners[after < 0 ? corners.length - 1 : after] ?? [1, 1];
    return x1 === x0 ? y0 : Math.exp(Math.log(y0) + ((step - x0) / (x1 - x0)) * (Math.log(y1) - Math.log(y0)));
  });
}

/** What Nanda et al. see: memorised by 1,400, the excluded loss rises to 9,400, cleaned up by 14,000. */
const grokking: LossCurves = {
  steps,
  train: through([0, 4.7], [1400, 1e-7], [20_000, 5e-8]),
  test: through([0, 4.7], [1400, 25], [9400, 20], [14_000, 1e-7], [20_000, 5e-8]),
  excluded: through([0, 4.7], [1400, 1e-6], [9400, 2], [20_000, 5]),
};
const until = (end: number, curves: LossCurves): LossCurves => {
  const cut = <T>(values: readonly T[]) => values.filter((_, index) => (steps[index] ?? 0) <= end);
  return { steps: cut(curves.steps), train: cut(curves.train), test: cut(curves.test), ...(curves.excluded && { excluded: cut(curves.excluded) }) };
};

describe('the phases of grokking', () => {
  test('end where the training loss has fallen, where the test loss begins to, and where it has', () => {
    const { memorisationEnd = NaN, circuitFormationEnd = NaN, cleanupEnd = NaN, missing } = phasesOf(grokking, uniform);
    expect(missing).toBeUndefined();
    // Within a factor of 10 of the floor on the way down from 4.7 to 1e-7.
    expect(memorisationEnd).toBeGreaterThanOrEqual(1100);
    expect(memorisationEnd).toBeLessThanOrEqual(1400);
    expect(circuitFormationEnd).toBeGreaterThanOrEqual(9400);
    expect(circuitFormationEnd).toBeLessThanOrEqual(9600);
    expect(cleanupEnd).toBeGreaterThanOrEqual(13_000);
    expect(cleanupEnd).toBeLessThanOrEqual(14_000);
  });

  test('are the same where no frequency could be excluded', () => {
    const { excluded: _, ...others } = grokking;
    expect(phasesOf(others, uniform)).toEqual(phasesOf(grokking, uniform));
  });

  test.each([1, 2, 3])('stay within three checkpoints under noise, and spikes end none: seed %i', seed => {
    const random = new Random(seed, 'noise');
    const noisy = (curve: readonly number[]) => curve.map((loss, index) => (index % 37 === 20 ? 30 : loss * Math.exp(0.2 * (random.uniform() - 0.5))));
    const found = phasesOf({ steps, train: noisy(grokking.train), test: noisy(grokking.test), excluded: noisy(grokking.excluded ?? []) }, uniform);
    const clean = phasesOf(grokking, uniform);
    for (const phase of ['memorisationEnd', 'circuitFormationEnd', 'cleanupEnd'] as const) {
      expect(Math.abs((found[phase] ?? NaN) - (clean[phase] ?? NaN)), phase).toBeLessThanOrEqual(300);
    }
  });

  test('do not occur where the model generalises as it learns', () => {
    const train = through([0, 4.7], [3000, 1e-6], [20_000, 1e-7]);
    const { missing, ...ends } = phasesOf({ steps, train, test: train.map(loss => 1.2 * loss) }, uniform);
    expect(ends).toEqual({});
    expect(missing).toBe('The test loss fell together with the training loss, so there was no memorisation to tell apart.');
  });

  test('do not begin where nothing is learned', () => {
    const { missing, ...ends } = phasesOf({ steps, train: through([0, 4.7], [20_000, 3]), test: through([0, 4.7], [20_000, 5]) }, uniform);
    expect(ends).toEqual({});
    expect(missing).toBe('The training pairs are not memorised: the loss on them is 3.0 at best.');
  });

  test('are known as far as a run has come', () => {
    expect(phasesOf(until(8000, grokking), uniform)).toEqual({
      memorisationEnd: phasesOf(grokking, uniform).memorisationEnd,
      missing: 'The test loss has not fallen yet: it is 21 at the last checkpoint, and a guess has 4.7.',
    });
    const { test, ...others } = grokking;
    const halfway = phasesOf({ ...others, test: test.map(loss => Math.max(loss, 1)) }, uniform);
    expect(halfway).toMatchObject({ circuitFormationEnd: phasesOf(grokking, uniform).circuitFormationEnd, missing: 'The clean-up has not ended: the test loss is 1.0 at best.' });
    expect(halfway.cleanupEnd).toBeUndefined();
  });

  test('tell of no circuit that nothing depends on', () => {
    const { memorisationEnd, circuitFormationEnd, cleanupEnd, missing } = phasesOf({ ...grokking, excluded: grokking.train }, uniform);
    expect([memorisationEnd, circuitFormationEnd, cleanupEnd]).toEqual([phasesOf(grokking, uniform).memorisationEnd, undefined, undefined]);
    expect(missing).toMatch(/^The excluded loss does not rise/);
  });

  test('see a circuit form while the pairs are still being memorised', () => {
    const early = phasesOf({ ...grokking, excluded: through([0, 4.7], [200, 1], [1400, 6], [20_000, 8]) }, uniform);
    expect(early).toEqual(phasesOf(grokking, uniform));
  });

  test.each([1, 2, 3])('of %i checkpoints are what can be said of them', count => {
    const few = until(100 * (count - 1), grokking);
    expect(phasesOf(few, uniform)).toEqual({ missing: expect.stringMatching(/not memorised/) });
  });
});
