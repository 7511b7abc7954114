import { describe, expect, test } from 'vitest';
import { fittedTask, modelTask } from '../../../src/tasks/fitted';
import { findTask, taskOf, tasks } from '../../../src/tasks/registry';
import { suggestTasks } from '../../../src/tasks/suggested';
import { Random } from '../../../src/common/random';

const addition = { name: 'modular-arithmetic', parameters: { modulus: 113 } };
const grokking = { d_vocab: 114, d_vocab_out: 114, n_ctx: 3 };

describe('a task for a model', () => {
  test('of its own sizes is the task itself', () => {
    const task = taskOf(addition);
    expect(fittedTask(task, { d_vocab: 114, d_vocab_out: 113, n_ctx: 3 })).toBe(task);
  });

  test('has a word for every token and output that the model has', () => {
    const task = modelTask(addition, { ...grokking, d_vocab: 116 });
    expect(task.vocabulary.slice(112)).toEqual(['112', '=', '#114', '#115']);
    expect(task.outputs.slice(112)).toEqual(['112', '#113']);
    expect(task.positions).toEqual(['a', 'b', '=']);
    expect(task.answers([100, 20, 113])).toEqual([7]);
  });

  test.each([
    [{ ...grokking, d_vocab: 113 }, 'it has 114 words, and the model\'s d_vocab is 113'],
    [{ ...grokking, d_vocab_out: 100 }, 'it has 113 different answers, and the model\'s d_vocab_out is 100'],
    [{ ...grokking, n_ctx: 2 }, 'it has 3 positions, and the model\'s n_ctx is 2'],
    [{ ...grokking, padding_token: 5 }, 'prompts of the task are padded, and this model attends to padding as to any token'],
  ])('is refused with what does not fit: %o', (sizes, why) => {
    expect(() => modelTask(addition, sizes)).toThrow(`The task does not fit this model: ${why}.`);
  });

  test('whose prompts hold pairs, or whose answers are numbers, fits no other', () => {
    expect(() => modelTask({ name: 'shortest-paths', parameters: {} }, { d_vocab: 1000, d_vocab_out: 1, n_ctx: 100 })).toThrow('each position of the task holds a pair');
    expect(() => modelTask({ name: 'shortest-paths-adjacency', parameters: {} }, { d_vocab: 1000, d_vocab_out: 2, n_ctx: 100 })).toThrow('a model has one output, and this one has 2');
  });
});

describe('any tokens', () => {
  const task = modelTask({ name: 'tokens', parameters: {} }, { d_vocab: 5, d_vocab_out: 3, n_ctx: 40 });

  test('are called by their numbers, and nobody knows what is right', () => {
    expect(task.vocabulary).toEqual(['0', '1', '2', '3', '4']);
    expect(task.outputs).toEqual(['0', '1', '2']);
    expect(task.answersAre).toBe('unknown');
    expect(task.answers([1, 2])).toBeUndefined();
    expect(task.longestPrompt).toBe(40);
  });

  test('are drawn by a seed', () => {
    const draw = (seed: number) => task.sample(new Random(seed, 'test'), 100).tokens;
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1).shape).toEqual([100, task.positions.length]);
    expect(new Set(draw(1).data)).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  test('are nothing to train on', () => {
    expect(() => findTask('tokens')).toThrow('The task "tokens" has no right answers, so that nothing can be trained on it');
    expect(tasks.map(({ id }) => id)).not.toContain('tokens');
  });
});

describe('the tasks that fit a model\'s sizes', () => {
  const names = (sizes: Parameters<typeof suggestTasks>[0]) => suggestTasks(sizes).map(({ name, parameters }) => [name, parameters]);

  test('of a grokking model begin with addition', () => {
    expect(names(grokking)[0]).toEqual(['modular-arithmetic', { operation: 'add', modulus: 113 }]);
    expect(names({ ...grokking, d_vocab_out: 113 })[0]).toEqual(['modular-arithmetic', { operation: 'add', modulus: 113 }]);
  });

  test.each([
    [{ d_vocab: 101, d_vocab_out: 101, n_ctx: 5 }, 'list-copy', { length: 2, digits: 100 }],
    [{ d_vocab: 52, d_vocab_out: 50, n_ctx: 11 }, 'array-update', { length: 3, numbers: 50 }],
    [{ d_vocab: 101, d_vocab_out: 100, n_ctx: 6 }, 'max', { count: 5, numbers: 100 }],
  ])('of %o begin with %s', (sizes, name, parameters) => {
    expect(names(sizes)[0]).toEqual([name, parameters]);
  });

  test('are none of a language model', () => {
    expect(names({ d_vocab: 50_257, d_vocab_out: 50_257, n_ctx: 1024 })).toEqual([]);
  });
});
