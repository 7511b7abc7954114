import { describe, expect, test } from 'vitest';
import { pairParameters, pairPositions, promptPairs } from '../../../src/analysis/pairs';
import { UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import { resolveParameters } from '../../../src/protocol/parameter';
import { arrayUpdate } from '../../../src/tasks/arrayUpdate';
import { modularArithmetic } from '../../../src/tasks/modularArithmetic';
import type { Task } from '../../../src/tasks/task';

const task = arrayUpdate.create({ length: 3, numbers: 10, sharedUpdate: false });
// BOS a1 a2 a3 ↵ idx elt ↵ b1 b2 b3
const clean = 'BOS 4 5 6 ↵ 1 9 ↵ 4 9 6';
const corrupted = 'BOS 4 5 6 ↵ 2 9 ↵ 4 5 9';

function draw(given: Readonly<Record<string, unknown>>, of: Task = task) {
  return promptPairs({ task: of, random: new Random(0, 'test') }, resolveParameters('test', pairParameters, given));
}

const words = (prompt: readonly number[]) => prompt.map(token => task.vocabulary[token]).join(' ');

describe('typed prompts', () => {
  test('are one pair, measured at the first answer that they change', () => {
    const [pair, ...others] = draw({ clean, corrupted });
    expect(others).toEqual([]);
    expect([words(pair?.clean ?? []), words(pair?.corrupted ?? [])]).toEqual([clean, corrupted]);
    // Of b1 b2 b3, b2 differs; it is read at b1.
    expect([pair?.position, pair?.correct, pair?.wrong]).toEqual([8, 9, 5]);
  });

  test('are measured at the answer that is asked for', () => {
    const [pair] = draw({ clean, corrupted, answer: 3 });
    expect([pair?.position, pair?.correct, pair?.wrong]).toEqual([9, 6, 9]);
  });

  test('are corrupted in one way where only the clean one is given', () => {
    const pairs = draw({ clean, corruption: 'element', pairs: 5 });
    expect(pairs).toHaveLength(1);
    const { corrupted = [] } = pairs[0] ?? {};
    const changed = words(corrupted).split(' ').flatMap((word, at) => (word === clean.split(' ')[at] ? [] : [at]));
    expect(changed).toEqual([6, 9]); // elt, and b2 that follows from it
  });
});

describe('a clean prompt by itself', () => {
  test('may end where the last answer is read, and is corrupted up to there', () => {
    const [pair] = draw({ clean: 'BOS 4 5 6 ↵ 1 9 ↵ 4 9', corruption: 'element' });
    expect([pair?.clean.length, pair?.corrupted.length, pair?.position]).toEqual([10, 10, 8]);
  });
});

describe('pairs of the task', () => {
  test('of a corruption of blanks are those of none', () => {
    expect(draw({ corruption: '  ', pairs: 2 })).toEqual(draw({ pairs: 2 }));
  });

  test('are as many as asked for, all measured at one answer', () => {
    const pairs = draw({ corruption: 'index', pairs: 20 });
    expect(pairs).toHaveLength(20);
    expect(new Set(pairs.map(({ position }) => position)).size).toBe(1);
  });

  test('change the answer that is asked for, and none before it that would give it away', () => {
    for (const { clean, corrupted, position } of draw({ corruption: 'index', answer: 2, pairs: 20 })) {
      expect(position).toBe(8);
      expect(clean.slice(0, 5)).toEqual(corrupted.slice(0, 5));
      expect(clean.slice(7, 9)).toEqual(corrupted.slice(7, 9));
    }
  });

  test.each(Object.keys(task.corruptions))('corrupted by %s have the right answers of both prompts', corruption => {
    for (const { clean, corrupted, position, correct, wrong } of draw({ corruption, pairs: 30 })) {
      expect(clean).toHaveLength(corrupted.length);
      // The answer stands behind where it is read, for both prompts are written out whole.
      expect([correct, wrong]).toEqual([clean[position + 1], corrupted[position + 1]]);
      expect(correct).not.toBe(wrong);
    }
  });

  test('are corrupted in the first way without a choice', () => {
    expect(draw({ pairs: 3 })).toEqual(draw({ pairs: 3, corruption: 'index' }));
  });

  test('are the same for the same sample, and others for another', () => {
    expect(draw({ sample: 4 })).toEqual(draw({ sample: 4 }));
    expect(draw({ sample: 5 })).not.toEqual(draw({ sample: 4 }));
  });

  test('of a task with one answer are measured there', () => {
    const sums = modularArithmetic.create({ operation: 'add', modulus: 11, trainFraction: 0.3 });
    for (const { clean, corrupted, position, correct, wrong } of draw({ corruption: 'b', pairs: 10 }, sums)) {
      expect([position, clean[0]]).toEqual([2, corrupted[0]]);
      expect([correct, wrong]).toEqual([clean, corrupted].map(([a = 0, b = 0]) => (a + b) % 11));
    }
  });
});

describe('refuses in one sentence', () => {
  const uncorruptible: Task = { ...task, corruptions: {} };
  const unchanging: Task = { ...task, corruptions: { nothing: prompt => prompt, backwards: prompt => [...prompt.slice(0, 8), ...prompt.slice(8).reverse()] } };

  test.each<readonly [string, Readonly<Record<string, unknown>>, RegExp, Task]>([
    ['prompts of different length', { clean, corrupted: 'BOS 4 5 6 ↵ 2 9 ↵ 4 5' }, /^The clean prompt has 11 tokens and the corrupted one 10; activations can be carried only between prompts of one length\.$/, task],
    ['equal prompts', { clean, corrupted: clean }, /^The clean and the corrupted prompt are the same, so there is nothing to carry over; change a token/, task],
    ['prompts with the same answers', { clean, corrupted: 'BOS 4 7 6 ↵ 1 9 ↵ 4 9 6' }, /^Both prompts have the same answers, .* change a token that it depends on\.$/, task],
    ['prompts with the same answer at the chosen place', { clean, corrupted, answer: 1 }, /^Both prompts have the same answer 1, /, task],
    ['a corrupted prompt without a clean one', { corrupted }, /^There is a corrupted prompt but no clean one; give both, or the clean one alone\.$/, task],
    ['a prompt that does not pose the task', { clean: '4 BOS 5 6 ↵ 1 9 ↵ 4 9 6', corrupted }, /^The clean prompt does not pose the task, .* its positions are BOS a1 a2 a3/, task],
    ['a prompt that does not pose the task, to be corrupted', { clean: '4 BOS 5 6 ↵ 1 9 ↵ 4 9 6' }, /^The clean prompt does not pose the task, /, task],
    ['a corrupted prompt that does not pose the task', { clean, corrupted: '4 BOS 5 6 ↵ 1 9 ↵ 4 9 6' }, /^The corrupted prompt does not pose the task, /, task],
    ['a prompt that ends before its answers, to be corrupted', { clean: 'BOS 4 5' }, /^The clean prompt has 3 tokens; the last answer is read at position 9 \(b2\), so it needs 10\.$/, task],
    ['a prompt that ends before its answers', { clean: 'BOS 4 5 6 ↵ 1 9 ↵', corrupted: 'BOS 4 5 6 ↵ 2 9 ↵' }, /^The clean prompt has 8 tokens; the last answer is read at position 9 \(b2\), so it needs 10\.$/, task],
    ['a word that is no token', { clean: `${clean.slice(0, -1)}x` }, /^There is no token "x"/, task],
    ['a corruption that is not there', { corruption: 'elements' }, /^There is no corruption "elements"; the nearest (is|are) "element"/, task],
    ['an answer beyond the last', { answer: 4 }, /^There is no answer 4; this task has 3\.$/, task],
    ['a task without corruptions', {}, /^This task has no way to corrupt a prompt; give a clean and a corrupted one\.$/, uncorruptible],
    ['a corruption that changes nothing', { corruption: 'nothing' }, /^The clean and the corrupted prompt are the same/, unchanging],
    ['a corruption that never changes the answer', { corruption: 'backwards', pairs: 2 }, /^(Both prompts have the same answers|The clean and the corrupted prompt are the same)/, unchanging],
  ])('%s', (_, given, message, of) => {
    expect(() => draw(given, of)).toThrow(UserError);
    expect(() => draw(given, of)).toThrow(message);
  });

  test('more pairs at one answer than the task will give', () => {
    const answers = [0, 1, 2];
    let drawn = 0;
    // The first pair is measured at one answer, and no other pair ever changes it again.
    const once: Task = {
      ...task,
      corruptions: { once: ([...prompt]) => prompt.with(5, drawn++ === 0 ? 1 : 2) },
      sample: (random, count) => {
        const { tokens, labels } = task.sample(random, count);
        tokens.data.set([10, ...answers, 11, 0, 9, 11, 9, 1, 2]);
        return { tokens, labels };
      },
      answers: prompt => (prompt[5] === 1 ? [9, 1, 0] : prompt[5] === 2 ? [9, 0, 2] : [9, 1, 2]),
    };
    expect(() => draw({ pairs: 2 }, once)).toThrow(new UserError('Too few pairs of this corruption change this answer before all others; ask for fewer pairs, or for another answer.'));
  });
});

describe('positions are called', () => {
  test('by what changes in a single pair', () => {
    expect(pairPositions(task, draw({ clean, corrupted }))).toEqual([
      'BOS', 'a1 4', 'a2 5', 'a3 6', '↵ (4) ↵', 'idx 1→2', 'elt 9', '↵ (7) ↵', 'b1 4', 'b2 9→5', 'b3 6→9',
    ]);
  });

  test("by the task's names where there are several", () => {
    expect(pairPositions(task, draw({ pairs: 2 }))).toEqual(['BOS', 'a1', 'a2', 'a3', '↵ (4)', 'idx', 'elt', '↵ (7)', 'b1', 'b2', 'b3']);
  });
});
