import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { embeddingSvd } from '../../../src/analysis/embeddingSvd';
import { runAnalysis } from '../../../src/analysis/run';
import { Random } from '../../../src/common/random';
import { RunnableModel } from '../../../src/model/runnable';
import type { Figure, HeatmapFigure, LinesFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';
import { modularContext, otherContext, withEntries } from '../../support/waves';
import { multiplied, normOf, rowsOfWeight, transposed, type Rows } from '../../support/weights';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(embeddingSvd, { ...context, random: new Random(1, 'embedding-svd') }, params);
  const named = <F extends Figure>(kind: F['kind'], title: RegExp) =>
    figures.find((figure): figure is F => figure.kind === kind && title.test(figure.title)) ?? expect.fail(`no ${kind} ${String(title)}`);
  const values = named<LinesFigure>('lines', /^Singular values/);
  const [embedding, random] = values.series.map(({ y }) => [...y]);
  return {
    figures,
    scalars,
    values: embedding ?? expect.fail(),
    random: random ?? expect.fail(),
    components: named<LinesFigure>('lines', /^First principal components/),
    input: named<HeatmapFigure>('heatmap', /^Principal components on the input/),
  };
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const squaresOf = (values: readonly number[]) => values.map(value => value ** 2);
const diagonal = (values: readonly number[]) => values.flatMap((value, row) => values.map((_, column) => (row === column ? value : 0)));

/** The heatmap's rows. */
function rowsIn({ rows, columns, values }: HeatmapFigure): Rows {
  return Array.from({ length: rows }, (_, row) => [...values.subarray(row * columns, (row + 1) * columns)]);
}

/** A model whose embedding is of any size. */
function contextOfSize(context: AnalysisContext, d_vocab: number, d_model: number): AnalysisContext {
  const config = { ...context.details.config, d_vocab, d_model };
  return { ...context, details: { ...context.details, config }, model: new RunnableModel(config, randomParameters(config), onnx) };
}

describe('the singular values of the embedding', () => {
  test.each([
    ['fewer numbers than dimensions', modularContext(13, { d_model: 20, d_head: 4 }), 13],
    ['more numbers than dimensions', modularContext(14, { d_model: 8, d_head: 4 }), 14],
    ['a task of words', otherContext(), undefined],
  ])('belong to its principal components: %s', async (_, context, p) => {
    const embedding = rowsOfWeight(context, 'embed.W_E').slice(0, p);
    const { values, input, components } = await run(context, { components: 50 });
    const R = Math.min(embedding.length, embedding[0]?.length ?? 0);
    expect([values.length, input.rows, input.columns]).toEqual([R, embedding.length, R]);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    const U = transposed(components.series.map(({ y }) => [...y])); // [N, R]
    expectClose(multiplied(transposed(U), U).flat(), diagonal(values.map(() => 1)), { absolute: 1e-10 });
    const projected = multiplied(transposed(U), embedding); // S Vᵀ
    expectClose(multiplied(projected, transposed(projected)).flat(), diagonal(squaresOf(values)), { absolute: 1e-10 });
    expectClose(multiplied(U, projected).flat(), embedding.flat(), { absolute: 1e-10 });
    expectClose(rowsIn(input).flat(), U.flat(), { absolute: 1e-7 });
  });

  test('are known of waves at right angles', async () => {
    const p = 14;
    const amplitudes = [3, 2, 1];
    const context = withEntries(modularContext(p), 'embed.W_E', (n, d) => (amplitudes[d] ?? 0) * Math.cos((2 * Math.PI * (d + 1) * n) / p));
    const { values, scalars } = await run(context, { components: 2 });
    expectClose(values, [3, 2, 1, 0, 0, 0, 0, 0].map(amplitude => amplitude * Math.sqrt(p / 2)), { absolute: 1e-6 });
    expect(scalars['effectiveRank']).toBeCloseTo(14 ** 2 / (81 + 16 + 1), 6);
    expect(scalars['share']).toBeCloseTo(13 / 14, 6);
  });

  test('stand beside those of a random matrix of the same norm', async () => {
    const context = modularContext(59, { d_model: 32, d_head: 16 });
    const { values, random, scalars } = await run(context, { components: 4 });
    expect(random).toHaveLength(32);
    expect(random).toEqual([...random].sort((a, b) => b - a));
    const square = normOf(rowsOfWeight(context, 'embed.W_E').slice(0, 59)) ** 2;
    expectClose([sumOf(squaresOf(values)), sumOf(squaresOf(random))], [square, square], { relative: 1e-10 });
    // Of N × D normal entries, E Σσ⁴ = N·D·(N + D + 1).
    expect(scalars['randomEffectiveRank']).toBeGreaterThan(0.9 * (59 * 32) / (59 + 32 + 1));
    expect(scalars['randomEffectiveRank']).toBeLessThan(1.1 * (59 * 32) / (59 + 32 + 1));
    expect(scalars['randomShare']).toBeCloseTo(sumOf(squaresOf(random.slice(0, 4))) / square, 10);
    expect(scalars['share']).toBeCloseTo(sumOf(squaresOf(values.slice(0, 4))) / square, 10);
    expect((await run(context)).random).toEqual(random);
  });

  test('are of the numbers alone in modular arithmetic: the row of = does not count', async () => {
    const context = modularContext(13);
    const changed = withEntries(context, 'embed.W_E', (n, _, before) => (n === 13 ? 1e3 : before));
    expect((await run(changed)).figures).toEqual((await run(context)).figures);
    const { figures, input } = await run(context);
    for (const { caption } of figures) expect(caption).toContain('Rows of W_E: the 13 numbers, without "=".');
    expect(input.y.labels).toEqual(context.task.vocabulary.slice(0, 13));
  });

  test('are of every token in other tasks, by its word', async () => {
    const context = otherContext();
    const { figures, input } = await run(context);
    expect(input.y.labels).toEqual(context.task.vocabulary);
    for (const { caption } of figures) expect(caption).toContain(`Rows of W_E: all ${context.task.vocabulary.length} tokens.`);
  });

  test('of a large vocabulary are of its first tokens, and of wide components the first are drawn', async () => {
    const tall = await run(contextOfSize(otherContext(), 600, 4));
    expect([tall.input.rows, tall.input.columns]).toEqual([512, 4]);
    expect(tall.input.caption).toContain('the first 512 of 600 tokens');
    const wide = await run(contextOfSize(otherContext(), 260, 262));
    expect([wide.values.length, wide.input.columns]).toEqual([260, 256]);
    expect(wide.input.caption).toContain('The first 256 of 260 components are drawn.');
  });

  test.each([2, 3])('are as many as there are numbers modulo %i', async p => {
    const { values, components, scalars } = await run(modularContext(p));
    expect(values).toHaveLength(p);
    expect(components.series).toHaveLength(p);
    expect(scalars['share']).toBeCloseTo(1, 10);
  });

  test('of zeros are zeros', async () => {
    const { values, random, scalars } = await run(withEntries(modularContext(13), 'embed.W_E', () => 0));
    expect([...values, ...random].every(value => value === 0)).toBe(true);
    expect(scalars).toEqual({ effectiveRank: 0, randomEffectiveRank: 0, share: 0, randomShare: 0 });
  });
});
