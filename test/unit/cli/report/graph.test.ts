import { expect, test } from 'vitest';
import { drawGraph } from '../../../../src/cli/report/graph';

test('edges of several labels arrive at a place of their own each, which bears the label', () => {
  const nodes = [{ id: 'L0H0', label: 'L0H0', column: 0, row: 0 }, { id: 'L1H0', label: 'L1H0', column: 1, row: 0 }];
  const edges = ['v', 'k'].map((label, at) => ({ from: 'L0H0', to: 'L1H0', weight: at + 1, label }));
  const { text } = drawGraph({ kind: 'graph', title: 'Circuit', nodes, edges });
  const arrivals = [...text.matchAll(/ ([\d.]+)"><title>L0H0 → L1H0 (\w)/g)].map(([, y, label]) => [label, Number(y)]);
  const labels = [...text.matchAll(/y="(\S+)" dy=".35em">(\w)<\/text>/g)].map(([, y, label]) => [label, Number(y)]);
  expect(labels.map(([label]) => label)).toEqual(['k', 'v']);
  expect(Object.fromEntries(arrivals)).toEqual(Object.fromEntries(labels));
  expect(Number(labels[0]?.[1])).toBeLessThan(Number(labels[1]?.[1]));
});
