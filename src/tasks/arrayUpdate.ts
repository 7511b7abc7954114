import { UserError } from '../common/errors';
import type { Random } from '../common/random';
import { int32 } from '../common/tensor';
import { defineTask } from './task';

/**
 * Writing an element into an array: `BOS a1 … aL ↵ idx elt ↵ b1 … bL`, where b is a with `b[idx] = elt`. The model sees the
 * whole line and is scored on predicting b from the positions just before each of its elements.
 */
export const arrayUpdate = defineTask({
  id: 'array-update',
  title: 'Array update',
  description: 'Given an array, an index and an element, write out the array with the element put at the index.',
  params: {
    length: { kind: 'integer', title: 'Array length', description: 'Elements of the array.', default: 3, minimum: 1, maximum: 20 },
    numbers: { kind: 'integer', title: 'Numbers', description: 'Elements are below this number.', default: 50, minimum: 2, maximum: 1000 },
    sharedUpdate: {
      kind: 'boolean', title: 'Same update in a batch', default: false,
      description: 'Whether all examples of a batch share one index and element, as in the original study.',
    },
  },
  create({ length: L, numbers: n, sharedUpdate }) {
    if (L > n) throw new UserError(`An array of length ${L} needs at least ${L} numbers, so that each of its indices is one; there are ${n}.`);
    const [beginning, newline] = [n, n + 1];
    const T = 2 * L + 5;
    const numbers = Array.from({ length: n }, (_, number) => number);
    const indices = numbers.slice(0, L);
    const list = (name: string) => indices.map(index => `${name}${index + 1}`);
    const perElement = indices.map(() => numbers);
    const line = (before: readonly number[], index: number, element: number) => {
      const after = before.map((value, at) => (at === index ? element : value));
      return { after, tokens: [beginning, ...before, newline, index, element, newline, ...after] };
    };
    const partsOf = (prompt: readonly number[]) => ({
      before: prompt.slice(1, L + 1), index: prompt[L + 2] ?? -1, element: prompt[L + 3] ?? -1,
    });
    const anotherThan = (value: number, bound: number, random: Random) => (value + 1 + random.integer(bound - 1)) % bound;
    return {
      vocabulary: [...numbers.map(String), 'BOS', '↵'],
      outputs: numbers.map(String),
      positions: ['BOS', ...list('a'), '↵', 'idx', 'elt', '↵', ...list('b')],
      // The newline before b1, then b1 … b(L−1), each predict the next element.
      answerPositions: indices.map(index => L + 4 + index),
      alphabet: [[beginning], ...perElement, [newline], indices, numbers, [newline], ...perElement],
      answers(prompt) {
        const { before, index, element } = partsOf(prompt);
        const { after, tokens } = line(before, index, element);
        const isRead = (_: number, at: number) => at < L + 5; // what the answers follow from
        return index < L && element < n && tokens.filter(isRead).every((token, at) => token === prompt[at]) && before.every(value => value < n) ? after : undefined;
      },
      corruptions: {
        ...(L > 1 && {
          index(prompt, random) {
            const { before, index, element } = partsOf(prompt);
            return line(before, anotherThan(index, L, random), element).tokens;
          },
        }),
        element(prompt, random) {
          const { before, index, element } = partsOf(prompt);
          return line(before, index, anotherThan(element, n, random)).tokens;
        },
        ...(L > 1 && {
          list(prompt, random) {
            const { before, index, element } = partsOf(prompt);
            const changed = anotherThan(index, L, random);
            return line(before.map((value, at) => (at === changed ? anotherThan(value, n, random) : value)), index, element).tokens;
          },
        }),
      },
      sample(random, count) {
        const tokens = int32([count, T]);
        const labels = int32([count, L]);
        const update = () => [random.integer(L), random.integer(n)] as const;
        const shared = sharedUpdate ? update() : undefined;
        for (let row = 0; row < count; row++) {
          const before = indices.map(() => random.integer(n));
          const [index, element] = shared ?? update();
          const { after, tokens: written } = line(before, index, element);
          tokens.data.set(written, row * T);
          labels.data.set(after, row * L);
        }
        return { tokens, labels };
      },
    };
  },
});
