import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { arrayUpdate } from '../../../src/tasks/arrayUpdate';
import { modularArithmetic } from '../../../src/tasks/modularArithmetic';
import type { Examples } from '../../../src/tasks/task';
import { trainingData } from '../../../src/training/data';

const split = modularArithmetic.create({ operation: 'subtract', modulus: 7, trainFraction: 0.4 });
const fresh = arrayUpdate.create({ length: 2, numbers: 5, sharedUpdate: false });
const train = split.split?.(3).train ?? expect.fail();

/** Each example as its tokens and labels in one line. */
function lines({ tokens, labels }: Examples): readonly string[] {
  const [[B = 0, T = 0], A = 0] = [tokens.shape, labels.shape[1]];
  return Array.from(
    { length: B },
    (_, row) =>
      `${tokens.data.subarray(row * T, (row + 1) * T).join(' ')} → ${labels.data.subarray(row * A, (row + 1) * A).join(' ')}`,
  );
}

describe('the full batch', () => {
  test('is the training set, at every step', () => {
    const data = trainingData(split, 'full', 3);
    expect(data.size).toBe(train.tokens.shape[0]);
    expect([data.batch(1), data.batch(9)]).toEqual([train, train]);
  });

  test('is refused by a task without a training set', () => {
    expect(() => trainingData(fresh, 'full', 3)).toThrow(
      new UserError('This task has no fixed training set, so batch must be a number of examples.'),
    );
  });
});

describe('a batch of so many examples', () => {
  const [drawn, made] = [trainingData(split, 64, 3), trainingData(fresh, 64, 3)];

  test('has that many', () => {
    expect([drawn.size, made.size]).toEqual([64, 64]);
    expect([lines(drawn.batch(1)).length, lines(made.batch(1)).length]).toEqual([64, 64]);
  });

  test('is drawn from the training set alone, with the labels that go with the tokens, and reaches all of it', () => {
    const batches = Array.from({ length: 20 }, (_, step) => lines(drawn.batch(step + 1))).flat();
    expect([...new Set(batches)].sort()).toEqual([...lines(train)].sort());
  });

  test('is another at each step and for each seed, and the same when it is asked for again', () => {
    for (const [task, data] of [
      [split, drawn],
      [fresh, made],
    ] as const) {
      expect(data.batch(2)).toEqual(data.batch(2));
      expect(data.batch(3)).not.toEqual(data.batch(2));
      expect(trainingData(task, 64, 4).batch(2)).not.toEqual(data.batch(2));
    }
  });
});
