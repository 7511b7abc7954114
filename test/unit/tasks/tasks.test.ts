import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/common/random';
import { UnknownNameError, UserError } from '../../../src/common/errors';
import { resolveParameters } from '../../../src/protocol/parameter';
import { arrayUpdate } from '../../../src/tasks/arrayUpdate';
import { listCopy } from '../../../src/tasks/listCopy';
import { max } from '../../../src/tasks/max';
import { median } from '../../../src/tasks/median';
import { modularArithmetic } from '../../../src/tasks/modularArithmetic';
import { describeTask, findTask, tasks } from '../../../src/tasks/registry';
import { sort } from '../../../src/tasks/sort';
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

function count(numbers: readonly number[], wanted: number): number {
  return numbers.filter(number => number === wanted).length;
}

/** Three numbers below 10, four of ten examples of numbers below 4. */
const fewNumbers = { count: 3, numbers: 10, smallShare: 0.4, smallBelow: 4, trainExamples: 60, testExamples: 20 };

const withDefaults = tasks.map(
  definition => [definition.id, definition.create(resolveParameters(definition.id, definition.params, {}))] as const,
);
const small = [
  ['modular-arithmetic of 2', modularArithmetic.create({ operation: 'add', modulus: 2, trainFraction: 0.5 })],
  ['array-update of one element', arrayUpdate.create({ length: 1, numbers: 2, sharedUpdate: false })],
  ['array-update as long as it can be', arrayUpdate.create({ length: 5, numbers: 5, sharedUpdate: false })],
  ['max of few numbers', max.create(fewNumbers)],
  ['median of as many examples as there are', median.create({ ...fewNumbers, smallShare: 0, trainExamples: 900, testExamples: 100 })],
  ['sort of two numbers below 2', sort.create({ count: 2, numbers: 2, smallShare: 0.5, smallBelow: 2, trainExamples: 2, testExamples: 2 })],
  ['list-copy of three digits', listCopy.create({ length: 3, digits: 3, trainFraction: 0.5 })],
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

  // What is written behind follows from what is before it, in some tasks to all but the rarest tokens alone. Padding is in
  // the alphabets of places that only a shorter prompt than any that is drawn leaves empty.
  test('draws every token of its alphabets in time, up to the first answer, there or in its other sets', () => {
    const T = task.positions.length;
    const seen = task.alphabet.slice(0, (task.answerPositions[0] ?? 0) + 1).map(() => new Set<number>());
    for (const { sample } of [task, ...(task.otherSets ?? [])]) {
      sample(new Random(2, 'many'), 5000).tokens.data.forEach((token, at) => {
        if (!task.alphabet[at % T]?.includes(token)) expect.fail(`token ${token} at position ${at % T}`);
        if (token !== task.padding) seen[at % T]?.add(token);
      });
    }
    seen.forEach((tokensSeen, position) =>
      expect([...tokensSeen].toSorted((a, b) => a - b), `at position ${position}`).toEqual(task.alphabet[position]?.filter(token => token !== task.padding)),
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
    // Of the edges of a graph, one in four decides a distance.
    expect(changedAnswers.filter(Boolean).length).toBeGreaterThan(40);
  });

  test('splits, where it does, into sets without an example in common, by the seed', () => {
    if (!task.split) return;
    const T = task.positions.length;
    const prompts = ({ tokens, labels }: Examples) => {
      expect(labels.shape[0]).toBe(tokens.shape[0]);
      return Array.from({ length: tokens.data.length / T }, (_, row) => String(tokens.data.subarray(row * T, (row + 1) * T)));
    };
    const { train, test: rest } = task.split(5);
    const [trained, tested] = [prompts(train), prompts(rest)];
    expect(new Set([...trained, ...tested]).size).toBe(trained.length + tested.length);
    expect(task.split(5)).toEqual({ train, test: rest });
    expect(task.split(6)).not.toEqual({ train, test: rest });
  });

  test('has labels among its outputs, or numbers', () => {
    const most = task.answersAre === 'numbers' ? Infinity : task.outputs.length;
    expect(examples.labels.data.every(label => label >= 0 && label < most)).toBe(true);
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

describe.each([
  // Each answer by what it is among the numbers, without sorting them.
  ['max', max, (numbers: readonly number[], [largest = -1]: readonly number[]) => numbers.includes(largest) && numbers.every(number => number <= largest)],
  ['median', median, (numbers: readonly number[], [middle = -1]: readonly number[]) =>
    numbers.includes(middle) && numbers.filter(number => number < middle).length <= 2 && numbers.filter(number => number > middle).length <= 2],
  ['sort', sort, (numbers: readonly number[], sorted: readonly number[]) =>
    sorted.every((number, at) => number >= (sorted[at - 1] ?? 0)) && sorted.every(number => count(sorted, number) === count(numbers, number))],
] as const)('%s of five numbers', (_, definition, isRight) => {
  const study = { count: 5, numbers: 100, smallShare: 0.1, smallBelow: 20, trainExamples: 4000, testExamples: 500 };
  const task = definition.create(study);
  const numbersOf = (words: readonly string[]) => words.slice(0, 5).map(Number);

  test('is right in both sets', () => {
    const { train, test: rest } = task.split?.(0) ?? expect.fail();
    expect([train.tokens.shape[0], rest.tokens.shape[0]]).toEqual([4000, 500]);
    for (const { words, answers } of [...lines(task, train), ...lines(task, rest)]) {
      expect(words[5]).toBe('=');
      if (!isRight(numbersOf(words), answers.map(Number))) expect.fail(`${words.join(' ')}: ${answers.join(' ')}`);
    }
  });

  test('has its share of small examples in both sets, spread over them, and among those drawn afresh', () => {
    const { train, test: rest } = task.split?.(0) ?? expect.fail();
    const small = (examples: Examples) => lines(task, examples).map(({ words }) => numbersOf(words).every(number => number < 20));
    const share = (some: readonly boolean[]) => some.filter(Boolean).length / some.length;
    // By chance 1 in 3,125 of the others is small too.
    for (const set of [train, rest]) expect(share(small(set))).toBeCloseTo(0.1, 2);
    const firstHalf = small(rest).slice(0, 250);
    expect(share(firstHalf)).toBeGreaterThan(0.05);
    expect(share(firstHalf)).toBeLessThan(0.15);
    expect(share(small(task.sample(new Random(0, 'x'), 20_000)))).toBeCloseTo(0.1, 2);
  });

  test('is corrupted by another number at one place', () => {
    const random = new Random(0, 'corruptions');
    const prompt = [...task.sample(new Random(0, 'x'), 1).tokens.data];
    const places = new Set<number>();
    for (let draw = 0; draw < 100; draw++) {
      const corrupted = task.corruptions.number?.(prompt, random) ?? [];
      const changed = [0, 1, 2, 3, 4].filter(place => corrupted[place] !== prompt[place]);
      expect(changed).toHaveLength(1);
      places.add(changed[0] ?? -1);
    }
    expect([...places].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test('is refused where there are fewer examples than are asked for, or small numbers that are not', () => {
    const refused = (changes: Partial<typeof study>) => expect(() => definition.create({ ...study, ...changes })).toThrow(UserError);
    refused({ smallBelow: 101 });
    refused({ numbers: 3, smallBelow: 3 }); // 243 examples in all
    refused({ smallBelow: 3 }); // 243 small ones, where 450 are asked for
    expect(() => definition.create({ ...study, numbers: 3, smallBelow: 3, trainExamples: 200, testExamples: 43 })).not.toThrow();
    expect(() => definition.create({ ...study, numbers: 10, smallShare: 0 })).not.toThrow(); // with no small ones, it makes no difference what is small
    expect(() => definition.create({ ...study, count: 3, smallBelow: 7 })).toThrow(
      new UserError('There are only 343 different examples of 3 small numbers below 7, and 450 are asked for; take a smaller smallShare or a larger smallBelow.'),
    );
  });
});

test('max, median and sort ask about the same numbers', () => {
  const inputs = [max, median, sort].map(definition => {
    const task = definition.create({ count: 5, numbers: 100, smallShare: 0.1, smallBelow: 20, trainExamples: 400, testExamples: 50 });
    const { train, test: rest } = task.split?.(3) ?? expect.fail();
    return [train, rest].map(examples => lines(task, examples).map(({ words }) => words.slice(0, 5).join(' ')));
  });
  expect(inputs[1]).toEqual(inputs[0]);
  expect(inputs[2]).toEqual(inputs[0]);
});

describe('max and median', () => {
  test.each([
    [max, [7, 2, 7, 1, 0], 7],
    [median, [3, 2, 3, 9, 0], 3],
  ] as const)('have another answer when the number that is the answer becomes another one', ({ create }, numbers, answer) => {
    const task = create({ ...fewNumbers, count: 5 });
    const random = new Random(0, 'corruptions');
    for (let draw = 0; draw < 100; draw++) {
      const corrupted = task.corruptions.answer?.([...numbers, 10], random) ?? [];
      expect(corrupted.slice(0, 5).map((token, place) => token === numbers[place])).toEqual(numbers.map(number => number !== answer));
      expect(task.answers(corrupted)).not.toEqual([answer]);
    }
  });

  test('a median between two numbers is refused', () => {
    expect(() => median.create({ ...fewNumbers, count: 4 })).toThrow(
      new UserError('The median of 4 numbers is between two of them; take an odd count.'),
    );
  });
});

describe('sort', () => {
  const task = sort.create(fewNumbers);

  test('writes its answers out, and is scored where the next token is one', () => {
    expect(task.positions).toEqual(['a1', 'a2', 'a3', '=', 's1', 's2', 's3']);
    expect(task.answerPositions.map(position => task.positions[position + 1])).toEqual(['s1', 's2', 's3']);
    for (const { words, answers } of lines(task, task.sample(new Random(0, 'x'), 100))) expect(words.slice(4)).toEqual(answers);
  });

  test('writes a corrupted line out accordingly', () => {
    const corrupted = task.corruptions.number?.([1, 2, 3, 10, 1, 2, 3], new Random(0, 'x')) ?? [];
    expect(corrupted.slice(4)).toEqual(task.answers(corrupted));
    expect(corrupted.slice(4)).not.toEqual([1, 2, 3]);
    expect(Object.keys(task.corruptions)).toEqual(['number']);
  });
});

describe('list copy', () => {
  const task = listCopy.create({ length: 2, digits: 100, trainFraction: 0.8 });

  test("has the study's sizes, and a separator at every output", () => {
    expect([task.vocabulary.length, task.outputs.length]).toEqual([101, 101]);
    expect(task.positions).toEqual(['d1', 'd2', 'SEP', 'o1', 'o2']);
    expect(task.answerPositions).toEqual([3, 4]);
    const { train, test: rest } = task.split?.(0) ?? expect.fail();
    expect([train.tokens.shape, rest.tokens.shape]).toEqual([[8000, 5], [2000, 5]]);
    for (const { words, answers } of [...lines(task, train), ...lines(task, rest)]) {
      expect(words.slice(2)).toEqual(['SEP', 'SEP', 'SEP']);
      expect(answers).toEqual(words.slice(0, 2));
    }
  });

  test('holds every list of three digits once', () => {
    const small = listCopy.create({ length: 3, digits: 3, trainFraction: 0.5 });
    const { train, test: rest } = small.split?.(0) ?? expect.fail();
    const lists = [...lines(small, train), ...lines(small, rest)].map(({ words }) => words.slice(0, 3).join(''));
    const everyList = Array.from({ length: 27 }, (_, list) => list.toString(3).padStart(3, '0'));
    expect(lists.sort()).toEqual(everyList);
  });

  test.each([['d1', 0], ['d2', 1]] as const)('is corrupted by another %s alone', (name, place) => {
    const prompt = [3, 98, 100, 100, 100];
    const random = new Random(0, 'corruptions');
    const seen = Array.from({ length: 2000 }, () => task.corruptions[name]?.(prompt, random) ?? []);
    seen.forEach(other => expect(other.with(place, prompt[place] ?? 0)).toEqual(prompt));
    expect(new Set(seen.map(other => other[place])).size).toBe(99);
  });

  test('of more lists than can be split, or of none to train on, is refused', () => {
    expect(() => listCopy.create({ length: 4, digits: 100, trainFraction: 0.8 })).toThrow(
      new UserError('100 digits make 100,000,000 lists of 4, more than 1,000,000; take shorter lists or fewer digits.'),
    );
    expect(() => listCopy.create({ length: 1, digits: 2, trainFraction: 0.1 })).toThrow(
      new UserError('A train fraction of 0.1 leaves none of the 2 lists to train on.'),
    );
  });
});

describe('the registry', () => {
  test('finds tasks by their ids, which differ', () => {
    for (const task of tasks) expect(findTask(task.id)).toBe(task);
    expect(new Set(tasks.map(task => task.id)).size).toBe(tasks.length);
  });

  test('names the nearest for one that does not exist', () => {
    expect(() => findTask('array-updat')).toThrow(
      new UnknownNameError('There is no task "array-updat"; the nearest is "array-update".', ['array-update']),
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
