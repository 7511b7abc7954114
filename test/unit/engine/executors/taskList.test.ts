import fc from 'fast-check';
import { expect, test } from 'vitest';
import { taskList, taskNumbers } from '../../../../src/engine/executors/taskList';

test('tasks are listed as Slurm does it', () => {
  expect(taskList([0, 1, 2, 3])).toBe('0-3');
  expect(taskList([0, 2, 3, 9])).toBe('0,2-3,9');
  expect(taskList([7])).toBe('7');
});

test('a list says which tasks it is of', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.nat(5000), { minLength: 1 }), numbers => {
    const ascending = [...numbers].sort((a, b) => a - b);
    expect(taskNumbers(taskList(ascending))).toEqual(ascending);
  }));
});

test.each(['', 'a', '3-1', '1,,2', '1-', '-1', '0-100000', '0-60000,70000-120000', '1 2', '0-4:2'])('"%s" is no list of tasks', text => {
  expect(taskNumbers(text)).toBeUndefined();
});
