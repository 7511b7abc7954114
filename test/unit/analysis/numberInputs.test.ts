import { describe, expect, test } from 'vitest';
import { answerInputs, inputPositions, isOrderFree, numbersAt, ordersOf, reordered, taskOf } from '../../../src/analysis/numberInputs';
import { Random } from '../../../src/common/random';
import { prepared } from '../../support/experiments';

const few = { modulus: undefined, trainFraction: undefined };
const small = { ...few, count: 3, numbers: 8, smallBelow: 4, trainExamples: 40, testExamples: 20 };
const experimentOf = (task: object) => prepared({ task: { ...few, ...task }, training: { batch: 4 } });
const taskFor = (task: object) => experimentOf(task).task;
const maximum = taskFor({ ...small, name: 'max' });
const sorting = taskFor({ ...small, name: 'sort' });
const addition = taskFor({ name: 'modular-arithmetic', modulus: 7, trainFraction: 0.5 });
const arrayUpdate = taskFor({ name: 'array-update', length: 3, numbers: 6 });
const listCopy = taskFor({ name: 'list-copy', length: 2, digits: 5 });

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

describe('the inputs of a task', () => {
  test.each([
    ['a maximum', maximum, ['a1', 'a2', 'a3']],
    ['sorting, whose answers stand in the line too', sorting, ['a1', 'a2', 'a3']],
    ['addition', addition, ['a', 'b']],
    ['copying a list', listCopy, ['d1', 'd2']],
    ['updating an array, whose index is below its length', arrayUpdate, ['a1', 'a2', 'a3', 'elt']],
  ])('of %s', (_, task, names) => {
    expect(inputPositions(task).map(position => task.positions[position])).toEqual(names);
  });

  test('are numbers, in the order of their values and not of their tokens', () => {
    const vocabulary = ['10', 'SEP', '9', '-2', '1.5', 'x3'];
    expect(numbersAt({ vocabulary, alphabet: [[0, 1, 2, 3, 4, 5]] }, 0)).toEqual([{ token: 3, value: -2 }, { token: 2, value: 9 }, { token: 0, value: 10 }]);
    expect(numbersAt({ vocabulary, alphabet: [[1]] }, 0)).toEqual([]);
  });

  test('cannot be told of a task that is no more, or no more with these parameters', () => {
    const { resolved, config } = experimentOf({ ...small, name: 'max' });
    expect(taskOf({ experiment: resolved, config })?.positions).toEqual(['a1', 'a2', 'a3', '=']);
    for (const task of [{ name: 'maximum', parameters: {} }, { name: 'max', parameters: { count: 'many' } }]) {
      expect(taskOf({ experiment: { ...resolved, task }, config })).toBeUndefined();
    }
  });
});

describe('the order of the inputs', () => {
  test.each([
    ['a maximum', maximum, true],
    ['a median', taskFor({ ...small, name: 'median' }), true],
    ['sorting', sorting, true],
    ['addition', addition, true],
    ['subtraction', taskFor({ name: 'modular-arithmetic', operation: 'subtract', modulus: 7, trainFraction: 0.5 }), false],
    ['copying a list', listCopy, false],
    ['updating an array', arrayUpdate, false],
    ['a list of a single number', taskFor({ name: 'list-copy', length: 1, digits: 5 }), false],
  ])('changes the answers, or not: %s', (_, task, isFree) => {
    expect(isOrderFree(task)).toBe(isFree);
  });

  test.each([1, 2, 3, 4, 5, 6])('of %i has every permutation once, in the order of a dictionary', n => {
    const orders = ordersOf(n, new Random(0, 'orders'));
    expect(new Set(orders.map(String)).size).toBe(factorial(n));
    expect(orders.every(order => sorted(order).every((place, at) => place === at))).toBe(true);
    expect(orders.map(String)).toEqual(orders.map(String).toSorted());
  });

  test('of more is drawn at random, no order twice, and starts with the one that changes nothing', () => {
    const orders = ordersOf(8, new Random(3, 'orders'));
    expect(new Set(orders.map(String)).size).toBe(720);
    expect(orders).toHaveLength(720);
    expect(orders[0]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(orders.every(order => sorted(order).every((place, at) => place === at))).toBe(true);
    expect(ordersOf(8, new Random(3, 'orders'))).toEqual(orders);
  });

  test('puts at each place what stood where the order says, and leaves the rest', () => {
    expect(reordered([10, 99, 11, 12, 98], [0, 2, 3], [2, 0, 1])).toEqual([12, 99, 10, 11, 98]);
  });
});

test('the inputs that hold an answer are all that hold its number, and none of those written behind', () => {
  // 3 2 3 = 2 3 3: behind s1 the answer is 3, which the first input holds, the third, and what is written there.
  const tokens = Int32Array.of(3, 2, 3, 8, 2, 3, 3);
  expect([0, 3, 4, 5].map(destination => answerInputs(sorting)(tokens, destination))).toEqual([[], [1], [0, 2], [0, 2]]);
});
