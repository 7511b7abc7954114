import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { resolveParameters } from '../../../src/protocol/parameter';
import { arrayUpdate } from '../../../src/tasks/arrayUpdate';
import { shortestPaths } from '../../../src/tasks/shortestPaths';
import { modelWords, positionNames, positionOf } from '../../../src/tasks/words';

const task = arrayUpdate.create({ length: 2, numbers: 4, sharedUpdate: false });
const names = ['BOS', 'a1', 'a2', '↵ (3)', 'idx', 'elt', '↵ (6)', 'b1', 'b2'];

test('each position has a name of its own', () => {
  expect(positionNames(task)).toEqual(names);
});

describe('a position', () => {
  const named = names.map((name, at): readonly [string, number] => [name, at]);
  test.each<readonly [string, number]>([...named, [' elt ', 5], ['0', 0], ['8', 8]])('"%s" is number %d', (text, at) => {
    expect(positionOf(task, text)).toBe(at);
  });

  test.each([
    ['el', /^There is no position "el"; the nearest (is|are) "elt"/],
    ['↵', /^There is no position "↵"/],
    ['9', /^There is no position "9"/],
    ['-1', /^There is no position "-1"/],
    ['1.5', /^There is no position "1\.5"/],
    ['', /^There is no position ""/],
  ])('"%s" is refused', (text, message) => {
    expect(() => positionOf(task, text)).toThrow(UserError);
    expect(() => positionOf(task, text)).toThrow(message);
  });

  test('called by a number is that name first', () => {
    expect(positionOf({ positions: ['1', '0'] }, '0')).toBe(1);
  });
});

test("a model's words are those of its task, as plain data", () => {
  const words = modelWords(task);
  expect(structuredClone(words)).toEqual({
    positions: names, answerPositions: [6, 7], vocabulary: ['0', '1', '2', '3', 'BOS', '↵'], corruptions: ['index', 'element', 'list'],
  });
});

test('of a task whose prompts are graphs they say how large a graph can be', () => {
  const { vertices, maximumEdges } = modelWords(shortestPaths.create(resolveParameters('task', shortestPaths.params, { vertices: 6, largest: 6, targetLimit: 6 }))).graph ?? {};
  expect([vertices, maximumEdges]).toEqual([6, 6]);
});
