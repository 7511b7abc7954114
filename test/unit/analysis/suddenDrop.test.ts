import { describe, expect, test } from 'vitest';
import { suddenDrop } from '../../../src/analysis/suddenDrop';

const guess = 4;
/** A curve over 41 checkpoints, 100 steps apart: the tenth of the training is 400 steps. */
const curve = (loss: (at: number) => number) => Array.from({ length: 41 }, (_, at) => ({ step: 100 * at, loss: loss(at) }));
const dropAt = (loss: (at: number) => number) => suddenDrop(curve(loss), guess)?.step;
/** A plateau of 2, then at `begin` a fall by the factor within so many checkpoints, and the lower level to the end. */
const falling = (begin: number, checkpoints: number, factor: number) => (at: number) => 2 * factor ** -Math.min(1, Math.max(0, (at - begin) / checkpoints));

describe('a sudden drop of a loss', () => {
  test('is where half of a deep fall within a tenth of the training is done', () => {
    expect(suddenDrop(curve(falling(10, 2, 100)), guess)).toEqual({ step: 1100, before: 2, after: expect.closeTo(0.02, 10) as number });
    expect(dropAt(falling(20, 4, 16))).toBe(2200);
  });

  test.each([
    ['falls to less than a quarter only over a longer time', falling(10, 8, 6)],
    ['falls to more than a quarter', falling(10, 2, 3.5)],
    ['declines as fast all the time', (at: number) => 2 * 0.6 ** at],
    ['falls, and rises again', (at: number) => (at < 10 || at >= 25 ? 2 : 0.01)],
    ['swings from checkpoint to checkpoint', (at: number) => (at % 2 === 0 ? 2 : 0.01)],
    ['is low for two checkpoints', (at: number) => (at === 10 || at === 11 ? 0.001 : 2)],
    ['falls from a random answer to a guess', falling(5, 2, 100_000)],
    ['is low at the last checkpoint alone', (at: number) => (at === 40 ? 0.001 : 2)],
    ['falls further below what rounds to the right number', (at: number) => 0.05 * falling(10, 2, 100)(at)],
    ['falls to what rounds to a wrong number', (at: number) => (at < 10 ? 4 : 0.3)],
    ['never changes', () => 0],
  ])('is none where a loss %s', (name, loss) => {
    expect(dropAt(name.includes('guess') ? at => 1e5 * guess * loss(at) : loss)).toBeUndefined();
  });

  test('can begin at the first checkpoint, where the loss stays low afterwards', () => {
    expect(dropAt(at => (at === 0 ? 0.6 : 0.01 * 0.98 ** at))).toBe(100);
  });

  test('is not hidden by a single spike behind it', () => {
    expect(dropAt(at => (at === 30 ? 2 : falling(10, 2, 100)(at)))).toBe(1100);
  });

  test('is that of two by which answers become right', () => {
    expect(dropAt(at => falling(5, 1, 5)(at) * falling(25, 1, 50)(at))).toBe(2600);
    expect(dropAt(at => falling(5, 1, 50)(at) * falling(25, 1, 5)(at))).toBe(600);
  });

  test('can lie between two checkpoints far apart, and need not be measured from 0', () => {
    expect(suddenDrop([{ step: 1000, loss: 2 }, { step: 2000, loss: 2 }, { step: 3000, loss: 0.1 }, { step: 4000, loss: 0.1 }], guess)).toEqual({ step: 3000, before: 2, after: 0.1 });
    for (const count of [0, 1, 2]) expect(suddenDrop(curve(at => (at === 0 ? 2 : 0.1)).slice(0, count), guess)).toBeUndefined();
  });

  test('to a loss of exactly 0 is as deep as float32 can tell', () => {
    expect(suddenDrop(curve(at => (at < 10 ? 1 : 0)), guess)).toEqual({ step: 1000, before: 1, after: 1e-12 });
  });
});
