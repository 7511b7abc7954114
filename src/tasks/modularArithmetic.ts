import { UserError } from '../common/errors';
import { Random } from '../common/random';
import { int32 } from '../common/tensor';
import { defineTask, type Examples } from './task';

/**
 * Addition or subtraction modulo p, as grokking studies pose it: `[a, b, =]` for all p² pairs, a seeded share of which is
 * trained on; the answer is read at `=` (Nanda et al. 2023).
 */
export const modularArithmetic = defineTask({
  id: 'modular-arithmetic',
  title: 'Modular arithmetic',
  description: 'a + b or a − b modulo p, answered at the equals sign; all pairs, split into training and test.',
  params: {
    operation: { kind: 'choice', title: 'Operation', description: 'What is done to a and b.', options: ['add', 'subtract'], default: 'add' },
    modulus: { kind: 'integer', title: 'Modulus', description: 'Numbers run from 0 to the modulus less one.', default: 113, minimum: 2, maximum: 1000 },
    trainFraction: { kind: 'number', title: 'Train fraction', description: 'Share of all pairs that is trained on.', default: 0.3, minimum: 0.001, maximum: 0.999 },
  },
  create({ operation, modulus: p, trainFraction }) {
    const numbers = Array.from({ length: p }, (_, number) => String(number));
    const everyNumber = numbers.map(Number);
    const trainCount = Math.floor(p * p * trainFraction);
    if (trainCount < 1) throw new UserError(`A train fraction of ${trainFraction} leaves none of the ${p * p} pairs to train on.`);

    const answerOf = (a: number, b: number) => (operation === 'add' ? (a + b) % p : (a - b + p) % p);
    const isNumber = (token: number | undefined): token is number => token !== undefined && token >= 0 && token < p;
    /** The prompt with another number at one of its two places. */
    const withAnother = (place: 0 | 1) => (prompt: readonly number[], random: Random) =>
      prompt.map((token, at) => (at === place ? (token + 1 + random.integer(p - 1)) % p : token));

    /** Pair number `a·p + b` as an example. */
    const examples = (pairs: Int32Array): Examples => {
      const tokens = int32([pairs.length, 3]);
      const labels = int32([pairs.length, 1]);
      pairs.forEach((pair, row) => {
        const [a, b] = [Math.floor(pair / p), pair % p];
        tokens.data.set([a, b, p], row * 3);
        labels.data[row] = answerOf(a, b);
      });
      return { tokens, labels };
    };
    const split = (seed: number) => {
      const order = new Random(seed, 'modular-arithmetic split').permutation(p * p);
      return { train: examples(order.subarray(0, trainCount)), test: examples(order.subarray(trainCount)) };
    };
    return {
      vocabulary: [...numbers, '='],
      outputs: numbers,
      positions: ['a', 'b', '='],
      answerPositions: [2],
      alphabet: [everyNumber, everyNumber, [p]],
      answers: ([a, b, equals]) => (isNumber(a) && isNumber(b) && equals === p ? [answerOf(a, b)] : undefined),
      corruptions: { a: withAnother(0), b: withAnother(1) },
      sample: (random, count) => examples(Int32Array.from({ length: count }, () => random.integer(p * p))),
      split,
      splitsAll: true,
    };
  },
});
