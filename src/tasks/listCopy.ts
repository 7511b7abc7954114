import { UserError } from '../common/errors';
import { Random } from '../common/random';
import { int32 } from '../common/tensor';
import { defineTask, type Examples } from './task';

/** The most lists that are all written out: a split holds each of them. */
const mostLists = 1_000_000;

/**
 * Copying a list through a separator: `d1 … dL SEP o1 … oL` for all lists of digits, a seeded share of which is trained on.
 * The model reads a separator at each output too, and is scored there on the digit that belongs in its place.
 */
export const listCopy = defineTask({
  id: 'list-copy',
  title: 'List copy',
  description: 'Given a list of digits and a separator, say the list again; all lists, split into training and test.',
  params: {
    length: { kind: 'integer', title: 'List length', description: 'Digits of the list.', default: 2, minimum: 1, maximum: 10 },
    digits: { kind: 'integer', title: 'Digits', description: 'Digits are below this number.', default: 100, minimum: 2, maximum: 1000 },
    trainFraction: { kind: 'number', title: 'Train fraction', description: 'Share of all lists that is trained on.', default: 0.8, minimum: 0.001, maximum: 0.999 },
  },
  create({ length: L, digits, trainFraction }) {
    const listCount = digits ** L;
    if (listCount > mostLists) throw new UserError(`${digits} digits make ${listCount.toLocaleString('en')} lists of ${L}, more than ${mostLists.toLocaleString('en')}; take shorter lists or fewer digits.`);
    const trainCount = Math.floor(listCount * trainFraction);
    if (trainCount < 1) throw new UserError(`A train fraction of ${trainFraction} leaves none of the ${listCount} lists to train on.`);

    const everyDigit = Array.from({ length: digits }, (_, digit) => digit);
    const separator = digits;
    const words = [...everyDigit.map(String), 'SEP'];
    const places = Array.from({ length: L }, (_, place) => place);
    const T = 2 * L + 1;

    /** List number `i` has the digits of `i` in base `digits`, the first the most significant, as examples. */
    const examples = (lists: Int32Array): Examples => {
      const tokens = int32([lists.length, T]);
      const labels = int32([lists.length, L]);
      tokens.data.fill(separator);
      lists.forEach((list, row) => {
        const written = places.map(place => Math.floor(list / digits ** (L - 1 - place)) % digits);
        tokens.data.set(written, row * T);
        labels.data.set(written, row * L);
      });
      return { tokens, labels };
    };
    /** The prompt with another digit at one place. */
    const withAnother = (place: number) => (prompt: readonly number[], random: Random) =>
      prompt.map((token, at) => (at === place ? (token + 1 + random.integer(digits - 1)) % digits : token));

    return {
      vocabulary: words,
      outputs: words,
      positions: [...places.map(place => `d${place + 1}`), 'SEP', ...places.map(place => `o${place + 1}`)],
      answerPositions: places.map(place => L + 1 + place),
      alphabet: [...places.map(() => everyDigit), ...Array.from({ length: L + 1 }, () => [separator])],
      answers(prompt) {
        const poses = prompt.length === T && prompt.every((token, at) => (at < L ? token >= 0 && token < digits : token === separator));
        return poses ? prompt.slice(0, L) : undefined;
      },
      corruptions: Object.fromEntries(places.map(place => [`d${place + 1}`, withAnother(place)])),
      sample: (random, count) => examples(Int32Array.from({ length: count }, () => random.integer(listCount))),
      split(seed) {
        const order = new Random(seed, 'list-copy split').permutation(listCount);
        return { train: examples(order.subarray(0, trainCount)), test: examples(order.subarray(trainCount)) };
      },
      splitsAll: true,
    };
  },
});
