import { describe, expect, test } from 'vitest';
import { groupedExamples } from '../../../src/analysis/answerGroups';
import { Random } from '../../../src/common/random';
import { distancesOf, pathContext } from '../../support/numberAnswers';

const { task } = pathContext();
const grouped = groupedExamples(task, new Random(1, 'groups'), 40);
const T = task.positions.length;
const graphAt = (row: number) => task.graphs?.read([...grouped.tokens.data.subarray(row * T, (row + 1) * T)]) ?? expect.fail();

describe('examples in groups', () => {
  test('are those of each path length, shorter ones first, and last those without a path', () => {
    expect(grouped.groups.map(({ name }) => name)).toEqual(['length 1', 'length 2', 'length 3', 'length 4', 'length 5', 'no path']);
    for (const { size = Infinity, from, to } of grouped.groups) {
      for (let row = from; row < to; row++) {
        const { vertices, edges, target } = graphAt(row);
        expect(distancesOf(vertices, edges)[1]?.[target]).toBe(size);
        expect(grouped.labels.data[row]).toBe(Number.isFinite(size) ? size : vertices);
      }
    }
  });

  test('are at most as many as wanted, each in one group, and graphs of all sizes are without a path', () => {
    expect(grouped.groups.map(({ from, to }) => to - from)).toEqual([40, 40, 40, 40, 40, 40]);
    expect(grouped.groups.map(({ from }) => from)).toEqual([0, 40, 80, 120, 160, 200]);
    expect(grouped.tokens.shape).toEqual([240, T]);
    expect(new Set([...grouped.labels.data.subarray(200)])).toEqual(new Set([3, 4, 5, 6]));
  });

  test('too rare to say anything of are left out by name', () => {
    // Of eight edges seven must be a path through all eight vertices.
    const { groups, tooFew } = groupedExamples(pathContext({ vertices: 8, largest: 8 }).task, new Random(1, 'groups'), 40);
    expect(tooFew).toEqual(['length 7']);
    expect(groups.map(({ name }) => name)).toContain('length 6');
  });

  test('are compared with the loss of guessing the mean', () => {
    const { labels: { data } } = task.sample(new Random(5, 'others'), 50_000);
    const centre = data.reduce((sum, label) => sum + label, 0) / data.length;
    expect(grouped.guess.answer).toBeCloseTo(centre, 1);
    expect(grouped.guess.loss).toBeCloseTo(data.reduce((sum, label) => sum + (label - centre) ** 2, 0) / data.length, 1);
  });
});
