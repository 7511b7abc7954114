import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { formatGraph, parseGraph } from '../../../src/protocol/graphText';

const edges = [[1, 3], [3, 4], [2, 4]] as const;

describe('a graph is read', () => {
  test.each(['1-3 3-4 2-4', '1 3 3 4 2 4', '1,3, 3,4, 2,4', ' 1-3, 3-4\n2-4 ', '1-3 3 4 2-4'])('from "%s"', text => {
    expect(parseGraph(text)).toEqual(edges);
  });

  test('from the text that it is written as', () => {
    expect(formatGraph(edges)).toBe('1-3 3-4 2-4');
    expect(parseGraph(formatGraph(edges))).toEqual(edges);
  });

  test('without edges from an empty text', () => {
    expect(parseGraph(' \n')).toEqual([]);
    expect(formatGraph([])).toBe('');
  });

  test('with the edges that it has twice, in their order', () => {
    expect(parseGraph('3-1 1-3')).toEqual([[3, 1], [1, 3]]);
  });
});

describe('a text that is no graph is refused', () => {
  test.each([
    ['1 3 3', 'The end 3 has no partner: an edge has two, as in 3-1.'],
    ['1', 'The end 1 has no partner: an edge has two, as in 1-2.'],
    ['1 3-4', 'The end 1 has no partner: an edge has two, as in 1-2.'],
    ['1-3 3-', '"3-" has an end without a partner: an edge is written 1-3, without blanks around the line.'],
    ['1 - 3', '"-" has an end without a partner: an edge is written 1-3, without blanks around the line.'],
    ['1-x', '"x" is no number of a vertex: edges are written 1-3 3-4.'],
    ['1.5-2', '"1.5" is no number of a vertex: edges are written 1-3 3-4.'],
    ['1-2-3', '"1-2-3" is no edge: an edge has two ends, as in 1-3.'],
    ['2-2', 'The edge 2-2 joins a vertex to itself.'],
    ['1-3 4 4', 'The edge 4-4 joins a vertex to itself.'],
    ['1-99999999999', '"99999999999" is no number of a vertex: edges are written 1-3 3-4.'],
  ])('"%s"', (text, message) => {
    expect(() => parseGraph(text)).toThrow(new UserError(message));
  });
});
