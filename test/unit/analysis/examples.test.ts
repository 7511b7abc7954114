import { describe, expect, test } from 'vitest';
import { answeredExamples, answersOf, chosenAnswers, examplesFor, promptTokens } from '../../../src/analysis/examples';
import { UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import { int32 } from '../../../src/common/tensor';
import { arrayUpdate } from '../../../src/tasks/arrayUpdate';
import { modularArithmetic } from '../../../src/tasks/modularArithmetic';

const task = arrayUpdate.create({ length: 2, numbers: 10, sharedUpdate: false });
// BOS a1 a2 ↵ idx elt ↵ b1 b2, with 10 for BOS and 11 for ↵
const source = () => ({ task, random: new Random(0, 'test') });
const prompt = 'BOS 4 5 ↵ 1 9 ↵ 4 9';

describe('examples', () => {
  test('of a prompt are that one, called by its words', () => {
    const { tokens, answers, positions, title } = answeredExamples(source(), { prompt: `  ${prompt} `, examples: 64, sample: 0 });
    expect(tokens).toEqual(int32([1, 9], Int32Array.of(10, 4, 5, 11, 1, 9, 11, 4, 9)));
    expect(answers).toEqual(int32([1, 2], Int32Array.of(4, 9)));
    expect([positions, title]).toEqual([prompt.split(' '), 'on one prompt']);
  });

  test('of the task are as many as asked for, with the answers that it labels them with', () => {
    const labels: number[] = [];
    const watched = { ...task, sample: (random: Random, count: number) => {
      const drawn = task.sample(random, count);
      labels.push(...drawn.labels.data);
      return drawn;
    } };
    const { tokens, answers, positions, title } = answeredExamples({ task: watched, random: new Random(0, 'test') }, { prompt: '', examples: 20, sample: 0 });
    expect([tokens.shape, answers.shape]).toEqual([[20, 9], [20, 2]]);
    expect([...answers.data]).toEqual(labels);
    expect([positions, title]).toEqual([['BOS', 'a1', 'a2', '↵ (3)', 'idx', 'elt', '↵ (6)', 'b1', 'b2'], 'over 20 examples']);
  });

  test('of a prompt that is only the start of a line are shown, but have no answers', () => {
    const wanted = { prompt: 'BOS 4 5', examples: 1, sample: 0 };
    expect(examplesFor(source(), wanted).positions).toEqual(['BOS', '4', '5']);
    expect(() => answeredExamples(source(), wanted)).toThrow(new UserError('The prompt has 3 tokens; the last answer is read at position 7 (b1), so it needs 8.'));
  });

  test('with a tail that nothing is read from may do without it', () => {
    expect([...answersOf(task, promptTokens(task, prompt.slice(0, -2))).data]).toEqual([4, 9]);
  });

  test('of several prompts have a row of answers each', () => {
    const sums = modularArithmetic.create({ operation: 'subtract', modulus: 7, trainFraction: 0.5 });
    expect(answersOf(sums, int32([3, 3], Int32Array.of(1, 2, 7, 6, 6, 7, 5, 0, 7)))).toEqual(int32([3, 1], Int32Array.of(6, 0, 5)));
  });

  test('that do not pose the task have no answers', () => {
    const sentence = 'The prompt does not pose the task, so that it has no right answer; its positions are BOS a1 a2 ↵ idx elt ↵ b1 b2.';
    expect(() => answersOf(task, promptTokens(task, '1 4 5 ↵ 1 9 ↵ 4 9'))).toThrow(new UserError(sentence));
    expect(() => answersOf(task, promptTokens(task, 'BOS 4 5 ↵ 7 9 ↵ 4 9'))).toThrow(new UserError(sentence));
  });
});

describe('the chosen answers', () => {
  test('are all of them for 0, otherwise one', () => {
    expect([0, 1, 2].map(answer => chosenAnswers(task, answer))).toEqual([[0, 1], [0], [1]]);
  });

  test('beyond the last are refused', () => {
    expect(() => chosenAnswers(task, 3)).toThrow(new UserError('There is no answer 3; this task has 2, and 0 means all of them.'));
    const sums = modularArithmetic.create({ operation: 'add', modulus: 7, trainFraction: 0.5 });
    expect(() => chosenAnswers(sums, 2)).toThrow(new UserError('There is no answer 2; this task has one.'));
  });
});
