import { describe, expect, test } from 'vitest';
import { graphFigure, graphTitle } from '../../../src/analysis/graphFigure';
import { checkFigure } from '../../../src/protocol/figure';

const graph = { vertices: 4, target: 4, edges: [[1, 3], [3, 4], [1, 3], [2, 4]] } as const;

describe('the figure of a graph', () => {
  const figure = graphFigure(graph, { title: 'a graph' });

  test('has the vertices clockwise, the first at the top', () => {
    const places = figure.nodes.map(({ label, x, y }) => [label, Math.round(100 * x), Math.round(100 * y)]);
    expect(places).toEqual([['1', 50, 0], ['2', 100, 50], ['3', 50, 100], ['4', 0, 50]]);
    checkFigure(figure);
  });

  test('marks the ends of the shortest path, what lies between, and one of two edges between the same vertices', () => {
    expect(figure.nodes.map(({ mark }) => mark)).toEqual(['start', undefined, 'path', 'end']);
    expect(figure.links.map(({ from, to, marked }) => [from, to, marked ?? false])).toEqual([['1', '3', true], ['3', '4', true], ['1', '3', false], ['2', '4', false]]);
  });

  test('marks no edge where there is no path', () => {
    const { nodes, links } = graphFigure({ vertices: 4, target: 2, edges: [[1, 3], [2, 4]] }, { title: 'two parts' });
    expect(nodes.map(({ mark }) => mark)).toEqual(['start', 'end', undefined, undefined]);
    expect(links.some(({ marked }) => marked)).toBe(false);
  });

  test('is titled by what is asked, and the answer', () => {
    expect(graphTitle(graph)).toBe('4 vertices, target 4: distance 2');
    expect(graphTitle({ vertices: 4, target: 2, edges: [[1, 3], [2, 4]] })).toBe('4 vertices, target 2: no path');
  });
});
