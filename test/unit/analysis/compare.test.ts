import { describe, expect, test } from 'vitest';
import { compare, matched } from '../../../src/analysis/compare';
import type { AnalysisResult, Compared } from '../../../src/protocol/analysis';
import type { Figure, HeatmapFigure } from '../../../src/protocol/figure';

const heatmap = (title: string, values: readonly number[] = [1], over: Partial<HeatmapFigure> = {}): HeatmapFigure => ({
  kind: 'heatmap', title, x: { title: 'x' }, y: { title: 'y' }, rows: 1, columns: values.length, values: Float32Array.from(values), scale: 'sequential', unit: '', ...over,
});
const table = (title: string): Figure => ({ kind: 'table', title, columns: [], rows: [] });
const names = ['step 1', 'step 2'] as const;
const result = (...figures: Figure[]): AnalysisResult => ({ figures, scalars: { copying: figures.length } });
function compared(one: AnalysisResult, other: AnalysisResult): AnalysisResult & { readonly comparison: Compared } {
  const { comparison, ...both } = compare(one, other, names);
  if (!comparison || 'problem' in comparison) throw new Error('not compared');
  return { ...both, comparison };
}

describe('the figure that shows the same', () => {
  test('has the same kind and title, wherever it stands', () => {
    expect(matched([heatmap('Frequency 3'), heatmap('Frequency 7'), table('Frequency 9')], [heatmap('Frequency 7'), heatmap('Frequency 9'), heatmap('Frequency 12')])).toEqual([undefined, 0, undefined]);
  });

  test('stands at the same place where several have that title', () => {
    expect(matched([heatmap('a'), heatmap('a'), heatmap('b')], [heatmap('b'), heatmap('a'), heatmap('a')])).toEqual([2, 1, 0]);
  });

  test('may have other numbers in its title at the same place', () => {
    expect(matched([heatmap('5 key frequencies hold 97.2 %'), table('Loss 1e-8')], [heatmap('6 key frequencies hold 3 %'), table('Loss 0.25')])).toEqual([0, 1]);
    expect(matched([heatmap('Cosine 5')], [heatmap('Sine 5')])).toEqual([undefined]);
  });

  test('goes to one only', () => {
    expect(matched([heatmap('a 1'), heatmap('a 1')], [heatmap('a 1')])).toEqual([0, undefined]);
  });
});

describe('a comparison', () => {
  test('has the other figure and the difference beside each figure, and what only the other has', () => {
    const { figures, scalars, comparison } = compared(result(heatmap('a', [3]), table('only here')), result(heatmap('new', [9]), heatmap('a', [1])));
    expect(figures.map(({ title }) => title)).toEqual(['a', 'only here']);
    expect(comparison.figures.map(figure => figure?.title)).toEqual(['a', undefined]);
    expect(comparison.differences.map(drawn => drawn.map(each => each.kind === 'heatmap' && [...each.values]))).toEqual([[[2]], []]);
    expect(comparison.others.map(({ title }) => title)).toEqual(['new']);
    expect([scalars, comparison.scalars, comparison.names]).toEqual([{ copying: 2 }, { copying: 2 }, names]);
  });

  test('shows two heatmaps in the same colours', () => {
    const { figures: [one], comparison: { figures: [other] } } = compared(result(heatmap('a', [3, 0.5])), result(heatmap('a', [1, 5])));
    expect([one, other].map(each => each?.kind === 'heatmap' && [each.scale, each.reach])).toEqual([['sequential', 5], ['sequential', 5]]);
  });

  test('shows values of both signs around 0, in one as in the other', () => {
    const { figures: [one], comparison: { figures: [other] } } = compared(result(heatmap('a', [3])), result(heatmap('a', [-7])));
    expect([one, other].map(each => each?.kind === 'heatmap' && [each.scale, each.reach])).toEqual([['diverging', 7], ['diverging', 7]]);
  });

  test('keeps figures that are read together on one scale, and their differences on another', () => {
    const two = (a: number, b: number) => result(heatmap('a', [a], { reach: 10 }), heatmap('b', [b], { reach: 10 }), heatmap('alone', [a + b]));
    const { figures, comparison } = compared(two(1, 10), two(4, 8));
    expect(figures.map(each => each.kind === 'heatmap' && each.reach)).toEqual([10, 10, 12]);
    expect(comparison.differences.flat().map(each => each.kind === 'heatmap' && each.reach)).toEqual([3, 3, undefined]);
  });
});
