import { describe, expect, test } from 'vitest';
import { coarseToFine } from '../../../src/analysis/coarseToFine';

describe('an order from coarse to fine', () => {
  test('begins with the ends, and halves the gaps', () => {
    expect(coarseToFine(9)).toEqual([8, 0, 4, 2, 6, 1, 3, 5, 7]);
  });

  test.each([0, 1, 2, 3, 5, 64, 250])('has each of %i once', count => {
    expect([...coarseToFine(count)].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
  });

  test('never leaves a gap twice as wide as another, once every gap was halved', () => {
    const order = coarseToFine(250);
    for (const shown of [5, 9, 17, 33, 65]) {
      const seen = order.slice(0, shown).sort((a, b) => a - b);
      const widest = Math.max(...seen.slice(1).map((index, at) => index - (seen[at] ?? 0)));
      expect(widest, `${shown}`).toBeLessThanOrEqual((2 * 256) / (shown - 1));
    }
  });
});
