import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/common/random';
import { UserError } from '../../../src/common/errors';
import { resolveParameters } from '../../../src/protocol/parameter';
import { arrayUpdate } from '../../../src/tasks/arrayUpdate';
import { modularArithmetic } from '../../../src/tasks/modularArithmetic';
import { describeTask, findTask, tasks } from '../../../src/tasks/registry';
import type { Examples, Task } from '../../../src/tasks/task';

/** The rows of examples: tokens as words, and what is right at the answers as words. */
function lines(
  task: Task,
  { tokens, labels }: Examples,
): readonly { readonly words: readonly string[]; readonly answers: readonly string[] }[] {
  const [B = 0, T = 0] = tokens.shape;
  const A = labels.shape[1] ?? 0;
  return Array.from({ length: B }, (_, row) => ({
    words: [...tokens.data.subarray(row * T, (row + 1) * T)].map(
      token => task.vocabulary[token] ?? `no token ${token}`,
    ),
    answers: [...labels.data.subarray(row * A, (row + 1) * A)].map(
      label => task.outputs[label] ?? `no output ${label}`,
    ),
  }));
}

const withDefaults = tasks.map(
  definition => [definition.id, definition.create(resolveParameters(definition.id, definition.params, {}))] as const,
);
const small = [
  ['modular-arithmetic of 2', modularArithmetic.create({ operation: 'add', modulus: 2, trainFraction: 0.5 })],
  ['array-update of one element', arrayUpdate.create({ length: 1, numbers: 2, sharedUpdate: false })],
  ['array-update as long as it can be', arrayUpdate.create({ length: 5, numbers: 5, sharedUpdate: false })],
] as const;

describe.each([...withDefaults, ...small])('%s', (_, task) => {
  const examples = task.sample(new Random(1, 'examples'), 300);

  test('describes each position once, and scores some of them in ascending order', () => {
    const T = task.positions.length;
    expect(task.alphabet).toHaveLength(T);
    expect(
      task.answerPositions.every(
        (position, index) => position < T && position > (task.answerPositions[index - 1] ?? -1),
      ),
    ).toBe(true);
    expect(new Set(task.vocabulary).size).toBe(task.vocabulary.length);
    expect(examples.tokens.shape).toEqual([300, T]);
    expect(examples.labels.shape).toEqual([300, task.answerPositions.length]);
  });

  // The table of pairs in layer 0 is made of the alphabets: a token outside of them would silently take another's
  // place.
  test('draws at each position only tokens of its alphabet, which is ascending', () => {
    for (const alphabet of task.alphabet) expect([...alphabet]).toEqual([...new Set(alphabet)].sort((a, b) => a - b));
    const sets = [examples, ...Object.values(task.split?.(3) ?? {})];
    for (const { tokens } of sets) {
      const T = task.positions.length;
      tokens.data.forEach((token, at) => {
        if (!task.alphabet[at % T]?.includes(token)) expect.fail(`token ${token} at position ${at % T}`);
      });
    }
  });

  test('draws every token of its alphabets in time', () => {
    const { tokens } = task.sample(new Random(2, 'many'), 5000);
    const T = task.positions.length;
    const seen = task.alphabet.map(() => new Set<number>());
    tokens.data.forEach((token, at) => seen[at % T]?.add(token));
    seen.forEach((tokensSeen, position) =>
      expect(tokensSeen.size, `at position ${position}`).toBe(task.alphabet[position]?.length),
    );
  });

  test('draws the same for the same stream, and something else for another', () => {
    expect(task.sample(new Random(1, 'examples'), 300)).toEqual(examples);
    expect(task.sample(new Random(1, 'others'), 300)).not.toEqual(examples);
  });

  test('answers each example as it labels it', () => {
    const [T, A] = [task.positions.length, task.answerPositions.length];
    for (let row = 0; row < 300; row++) {
      const prompt = [...examples.tokens.data.subarray(row * T, (row + 1) * T)];
      expect(task.answers(prompt)).toEqual([...examples.labels.data.subarray(row * A, (row + 1) * A)]);
    }
  });

  test('has no answers for a prompt that does not pose it', () => {
    const T = task.positions.length;
    const prompt = [...examples.tokens.data.subarray(0, T)];
    expect(task.answers([])).toBeUndefined();
    expect(task.answers(prompt.slice(0, 2))).toBeUndefined();
    expect(task.answers(prompt.map(() => task.vocabulary.length - 1))).toBeUndefined();
    // A token that cannot stand somewhere before the answers: a word of the alphabet of another place.
    for (let at = 0; at <= (task.answerPositions[0] ?? 0); at++) {
      const foreign = task.vocabulary.findIndex((_, token) => !task.alphabet[at]?.includes(token));
      if (foreign >= 0) expect(task.answers(prompt.with(at, foreign)), `${task.vocabulary[foreign]} at ${at}`).toBeUndefined();
    }
  });

  test.each(Object.keys(task.corruptions))('corrupted by %s, an example is another one that poses it', name => {
    const T = task.positions.length;
    const random = new Random(4, 'corruptions');
    const changedAnswers = Array.from({ length: 200 }, (_, row) => {
      const prompt = [...examples.tokens.data.subarray(row * T, (row + 1) * T)];
      const before = [...prompt];
      const corrupted = task.corruptions[name]?.(prompt, random) ?? [];
      expect(prompt).toEqual(before);
      expect(corrupted).toHaveLength(T);
      expect(corrupted).not.toEqual(prompt);
      corrupted.forEach((token, at) => expect(task.alphabet[at], `position ${at}`).toContain(token));
      expect(task.answers(corrupted)).toBeDefined();
      return String(task.answers(corrupted)) !== String(task.answers(prompt));
    });
    expect(changedAnswers.filter(Boolean).length).toBeGreaterThan(60);
  });

  test('has labels among its outputs', () => {
    expect(examples.labels.data.every(label => label >= 0 && label < task.outputs.length)).toBe(true);
  });
});

describe.each([
  ['add', (a: number, b: number, p: number) => (a + b) % p],
  ['subtract', (a: number, b: number, p: number) => (((a - b) % p) + p) % p],
] as const)('modular arithmetic: %s', (operation, answer) => {
  const p = 11;
  const task = modularArithmetic.create({ operation, modulus: p, trainFraction: 0.3 });

  test('is right for every pair', () => {
    const { train, test: rest } = task.split?.(0) ?? expect.fail();
    for (const { words, answers } of [...lines(task, train), ...lines(task, rest)]) {
      const [a = '', b = '', equals] = words;
      expect(equals).toBe('=');
      expect(answers).toEqual([String(answer(Number(a), Number(b), p))]);
    }
  });

  test.each([['a', 0], ['b', 1]] as const)('is corrupted by another %s alone', (name, place) => {
    const random = new Random(0, 'corruptions');
    const prompt = [3, 8, p];
    const seen = Array.from({ length: 300 }, () => task.corruptions[name]?.(prompt, random) ?? []);
    seen.forEach(other => expect(other.with(place, prompt[place] ?? 0)).toEqual(prompt));
    expect(new Set(seen.map(other => other[place])).size).toBe(p - 1);
  });

  test('splits all pairs in two, without one in both or in none', () => {
    const { train, test: rest } = task.split?.(0) ?? expect.fail();
    const pairs = (set: Examples) => lines(task, set).map(({ words }) => words.join(' '));
    const [trained, tested] = [pairs(train), pairs(rest)];
    expect(trained).toHaveLength(Math.floor(p * p * 0.3));
    expect(new Set([...trained, ...tested]).size).toBe(p * p);
    expect(trained.length + tested.length).toBe(p * p);
  });

  test('splits by the seed', () => {
    expect(task.split?.(5)).toEqual(task.split?.(5));
    expect(task.split?.(6)).not.toEqual(task.split?.(5));
  });

  test('a training set of nothing is refused', () => {
    expect(() => modularArithmetic.create({ operation, modulus: 3, trainFraction: 0.1 })).toThrow(
      new UserError('A train fraction of 0.1 leaves none of the 9 pairs to train on.'),
    );
  });
});

describe('array update', () => {
  const task = arrayUpdate.create({ length: 3, numbers: 10, sharedUpdate: false });

  test('reads BOS, the array, an index and an element, and the array with the element at the index', () => {
    expect(task.positions).toEqual(['BOS', 'a1', 'a2', 'a3', '↵', 'idx', 'elt', '↵', 'b1', 'b2', 'b3']);
    for (const { words, answers } of lines(task, task.sample(new Random(0, 'x'), 500))) {
      const [beginning, a1, a2, a3, newline, index, element, second, ...after] = words;
      expect([beginning, newline, second]).toEqual(['BOS', '↵', '↵']);
      expect(after).toEqual([a1, a2, a3].with(Number(index), element));
      expect(answers).toEqual(after);
    }
  });

  test('is scored where the next token is an element of the answer', () => {
    expect(task.answerPositions.map(position => task.positions[position + 1])).toEqual(['b1', 'b2', 'b3']);
  });

  test.each([
    // What is before the answers is changed in one place, and the list behind follows from it.
    ['index', [5]],
    ['element', [6]],
    ['list', [1, 2, 3]],
  ] as const)('is corrupted by its %s in one place, and written out accordingly', (name, places) => {
    const random = new Random(1, 'corruptions');
    for (const { words } of lines(task, task.sample(new Random(0, 'x'), 200))) {
      const corrupted = task.corruptions[name]?.(words.map(word => task.vocabulary.indexOf(word)), random) ?? [];
      const other = corrupted.map(token => task.vocabulary[token] ?? '');
      const changed = other.slice(0, 8).flatMap((word, at) => (word === words[at] ? [] : [at]));
      expect(changed).toHaveLength(1);
      expect(places).toContain(changed[0]);
      expect(other.slice(8)).toEqual(other.slice(1, 4).with(Number(other[5]), other[6] ?? ''));
      // An element of the list that is overwritten anyway would change no answer.
      if (name === 'list') expect(changed[0]).not.toBe(Number(words[5]) + 1);
    }
  });

  test('of one element can be corrupted by its element alone', () => {
    expect(Object.keys(arrayUpdate.create({ length: 1, numbers: 2, sharedUpdate: false }).corruptions)).toEqual(['element']);
  });

  test('answers what follows from the line up to its end, whatever is written behind', () => {
    const [beginning, newline] = [10, 11];
    const start = [beginning, 4, 5, 6, newline, 2, 9, newline];
    expect(task.answers([...start, 4, 5, 9])).toEqual([4, 5, 9]);
    expect(task.answers([...start, 0, 0, 0])).toEqual([4, 5, 9]);
    expect(task.answers([...start, 4, 5])).toEqual([4, 5, 9]);
    expect(task.answers(start.with(5, 3))).toBeUndefined(); // no such index
  });

  test('longer than there are numbers for its indices is refused', () => {
    expect(() => arrayUpdate.create({ length: 5, numbers: 3, sharedUpdate: true })).toThrow(
      new UserError('An array of length 5 needs at least 5 numbers, so that each of its indices is one; there are 3.'),
    );
  });

  test("has the study's sizes", () => {
    const study = arrayUpdate.create({ length: 3, numbers: 50, sharedUpdate: false });
    expect([study.vocabulary.length, study.outputs.length, study.positions.length]).toEqual([52, 50, 11]);
  });

  test('draws an index and an element for each example, or one of each for a batch', () => {
    const updates = (sharedUpdate: boolean) => {
      const made = arrayUpdate.create({ length: 3, numbers: 10, sharedUpdate });
      return new Set(lines(made, made.sample(new Random(0, 'x'), 200)).map(({ words }) => words.slice(5, 7).join(' ')))
        .size;
    };
    expect(updates(false)).toBeGreaterThan(15);
    expect(updates(true)).toBe(1);
  });

  test('a shared update is another in the next batch', () => {
    const shared = arrayUpdate.create({ length: 3, numbers: 50, sharedUpdate: true });
    const updates = Array.from({ length: 20 }, (_, step) =>
      lines(shared, shared.sample(new Random(0, `batch ${step}`), 1))[0]
        ?.words.slice(5, 7)
        .join(' '),
    );
    expect(new Set(updates).size).toBeGreaterThan(10);
  });
});

describe('the registry', () => {
  test('finds tasks by their ids, which differ', () => {
    for (const task of tasks) expect(findTask(task.id)).toBe(task);
    expect(new Set(tasks.map(task => task.id)).size).toBe(tasks.length);
  });

  test('names the nearest for one that does not exist', () => {
    expect(() => findTask('array-updat')).toThrow(
      new UserError('There is no task "array-updat"; the nearest is "array-update".'),
    );
  });

  test('describes a task without its functions, so that it can cross to another process', () => {
    for (const task of tasks)
      expect(structuredClone(describeTask(task))).toEqual({
        id: task.id,
        title: task.title,
        description: task.description,
        params: task.params,
      });
  });
});
