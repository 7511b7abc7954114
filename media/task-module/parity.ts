import type { TaskModule } from './task-module';

/**
 * Parity: are the ones in a row of bits even or odd in number? Name this file in an experiment, and choose the parameters:
 *
 *     "task": { "name": "./parity.ts", "length": 6 }
 */
export default {
  title: 'Parity',
  description: 'Whether the ones in a row of bits are even or odd in number, answered at the equals sign.',

  params: {
    length: { kind: 'integer', title: 'Length', description: 'Bits in a row.', default: 4, minimum: 2, maximum: 16 },
  },

  create({ length }) {
    const places = Array.from({ length }, (_, index) => index);
    const parityOf = (bits: readonly string[]) => (bits.filter(bit => bit === '1').length % 2 === 0 ? 'even' : 'odd');

    return {
      // What the model reads, and what it answers.
      vocabulary: ['0', '1', '='],
      outputs: ['even', 'odd'],

      // A prompt is b1 b2 … =, and the answer is read at its last position.
      positions: [...places.map(place => `b${place + 1}`), '='],
      answerPositions: [length],

      // Every batch is made of these. All chance comes from `random`.
      example(random) {
        const bits = places.map(() => String(random.integer(2)));
        return { prompt: [...bits, '='], answers: [parityOf(bits)] };
      },

      // What is right for any prompt: corrupted ones need it.
      answers: prompt => (prompt.at(-1) === '=' ? [parityOf(prompt)] : undefined),

      // Patching compares a prompt with one in which a single thing is changed.
      corruptions: {
        'flip a bit': (prompt, random) => {
          const flipped = random.integer(length);
          return prompt.map((bit, place) => (place === flipped ? String(1 - Number(bit)) : bit));
        },
      },
    };
  },
} satisfies TaskModule<{ length: number }>;
