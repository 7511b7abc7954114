import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/common/random';

const draws = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw);

/** Pearson's statistic of counts that should be equal: about as large as there are counts. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

const counted = (values: readonly number[], bins: number) =>
  values.reduce<number[]>(
    (counts, value) => counts.with(value, (counts[value] ?? 0) + 1),
    Array.from({ length: bins }, () => 0),
  );

/**
 * Mean and standard deviation of Pearson's statistic over k bins are k − 1 and √(2k − 2); five of the latter are never
 * seen.
 */
const mostFor = (bins: number) => bins - 1 + 5 * Math.sqrt(2 * bins - 2);

describe('uniform', () => {
  test('numbers lie in [0, 1) and fill it evenly', () => {
    const random = new Random(1, 'uniform');
    const values = draws(20_000, () => random.uniform());
    expect(values.every(value => value >= 0 && value < 1)).toBe(true);
    expect(
      chiSquare(
        counted(
          values.map(value => Math.floor(value * 50)),
          50,
        ),
      ),
    ).toBeLessThan(mostFor(50));
  });

  test.each([1, 2, 7, 113])('integers below %i are all as frequent', bound => {
    const random = new Random(2, 'integers');
    const values = draws(20_000, () => random.integer(bound));
    expect(values.every(value => Number.isInteger(value) && value >= 0 && value < bound)).toBe(true);
    expect(chiSquare(counted(values, bound))).toBeLessThan(mostFor(bound) + 1e-9);
  });
});

test('normal numbers have mean 0, variance 1, no skew and the tails of a bell', () => {
  const random = new Random(3, 'normal');
  const values = draws(40_000, () => random.normal());
  const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
  expect(Math.abs(moment(1))).toBeLessThan(5 / 200);
  expect(Math.abs(moment(2) - 1)).toBeLessThan((5 * Math.SQRT2) / 200);
  expect(Math.abs(moment(3))).toBeLessThan((5 * Math.sqrt(15)) / 200);
  expect(Math.abs(moment(4) - 3)).toBeLessThan((5 * Math.sqrt(96)) / 200);
});

describe('permutations', () => {
  test('have every number once', () => {
    const order = new Random(4, 'permutation').permutation(1000);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    expect(new Random(4, 'permutation').permutation(0)).toHaveLength(0);
  });

  test('of three things are all as frequent', () => {
    const random = new Random(5, 'permutation');
    const orders = new Map<string, number>();
    for (let draw = 0; draw < 6000; draw++) {
      const order = random.permutation(3).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(6);
    expect(chiSquare([...orders.values()])).toBeLessThan(mostFor(6));
  });
});

describe('streams', () => {
  const first = (seed: number, stream: string) => {
    const random = new Random(seed, stream);
    return draws(20, () => random.uniform());
  };

  test('of the same seed and name are the same', () => {
    expect(first(7, 'batch 1200')).toEqual(first(7, 'batch 1200'));
  });

  test('of neighbouring seeds and names share nothing', () => {
    const starts = new Set<number>();
    for (let seed = 0; seed < 30; seed++)
      for (let step = 0; step < 30; step++) starts.add(first(seed, `batch ${step}`)[0] ?? 0);
    // Seed and name are kept apart: 1 and '1x' are not 11 and 'x'.
    starts.add(first(1, '1x')[0] ?? 0).add(first(11, 'x')[0] ?? 0);
    expect(starts.size).toBe(902);
  });

  test('do not run together: their first numbers are even and uncorrelated', () => {
    const pairs = Array.from(
      { length: 4000 },
      (_, step) => [new Random(0, `batch ${step}`).uniform(), new Random(0, `batch ${step + 1}`).uniform()] as const,
    );
    expect(
      chiSquare(
        counted(
          pairs.map(([value]) => Math.floor(value * 20)),
          20,
        ),
      ),
    ).toBeLessThan(mostFor(20));
    const correlation = pairs.reduce((sum, [a, b]) => sum + (a - 0.5) * (b - 0.5), 0) / pairs.length / (1 / 12);
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(pairs.length));
  });
});
