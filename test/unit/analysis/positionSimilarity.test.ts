import { describe, expect, test } from 'vitest';
import { positionSimilarity } from '../../../src/analysis/positionSimilarity';
import { runAnalysis } from '../../../src/analysis/run';
import type { AnalysisContext } from '../../../src/analysis/define';
import type { Figure, HeatmapFigure, TableFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { randomModel } from '../../support/modularModels';
import { modularContext, otherContext, withEntries } from '../../support/waves';
import { rowsOfWeight } from '../../support/weights';
import { wholePairs } from '../../support/wholePairs';

async function run(context: AnalysisContext) {
  const { figures, scalars } = await runAnalysis(positionSimilarity, context, {});
  const named = <F extends Figure>(kind: F['kind'], title: RegExp) => figures.find((figure): figure is F => figure.kind === kind && title.test(figure.title)) ?? expect.fail(`no ${String(title)}`);
  return { figures, scalars, named };
}

const normOf = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** The relative differences of an activation `[p², N]` for (a, b) and (b, a), a ≠ b. */
function differences(p: number, values: readonly (readonly number[])[]): number[] {
  return values.flatMap((row, pair) => {
    const [a, b] = [Math.floor(pair / p), pair % p];
    const other = values[b * p + a] ?? [];
    if (a === b) return [];
    return [(2 * normOf(row.map((value, at) => value - (other[at] ?? NaN)))) / (normOf(row) + normOf(other))];
  });
}

describe('position similarity', () => {
  test('is the cosine of the embeddings, two at a time', async () => {
    const context = randomModel('add', 13);
    const rows = rowsOfWeight(context, 'pos_embed.W_pos');
    const { scalars, named } = await run(context);
    const expected = rows.flatMap(one => rows.map(other => one.reduce((sum, value, at) => sum + value * (other[at] ?? NaN), 0) / normOf(one) / normOf(other)));
    expectClose(named<HeatmapFigure>('heatmap', /Cosine/).values, expected, { absolute: 1e-6 });
    expect(named<HeatmapFigure>('heatmap', /Cosine/).x.labels).toEqual(['a', 'b', '=']);
    expectClose([scalars['cosine'] ?? NaN], [expected[1] ?? NaN], { absolute: 1e-12 });
    expectClose(named<HeatmapFigure>('heatmap', /Distance/).values, rows.flatMap(one => rows.map(other => normOf(one.map((value, at) => value - (other[at] ?? NaN))))), { absolute: 1e-6 });
    expectClose(named<TableFigure>('table', /Norms/).rows.map(row => Number(row[1])), rows.map(normOf), { absolute: 1e-12 });
  });

  test.each([['add', 13, { n_layers: 1 }], ['subtract', 14, { n_layers: 2 }], ['add', 7, { normalization_type: 'LN' }]] as const)(
    'compares what becomes of (a, b) and of (b, a): %s modulo %i, %o', async (operation, p, model) => {
      const context = randomModel(operation, p, model);
      const whole = await wholePairs(context);
      const { scalars, named } = await run(context);
      const table = named<TableFigure>('table', /Difference/);
      expect(table.rows.map(([name]) => name)).toEqual(['attention output', 'neurons before the nonlinearity', 'neurons', 'logits']);
      for (const [row, values] of [[2, whole.neurons], [3, whole.logits]] as const) {
        const expected = differences(p, values);
        const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
        expectClose(table.rows[row]?.slice(1).map(Number) ?? [], [mean, Math.max(...expected)], { relative: 1e-5 });
        if (row === 2) expectClose([scalars['neuronDifference'] ?? NaN], [mean], { relative: 1e-5 });
      }
      expect(table.caption).toMatch(operation === 'add' ? /same answer/ : /not symmetric/);
      const { values } = named<HeatmapFigure>('heatmap', /neurons/);
      expectClose(Array.from(values).filter((_, pair) => Math.floor(pair / p) !== pair % p), differences(p, whole.neurons), { absolute: 1e-5 });
      expect(Array.from(values).filter((_, pair) => Math.floor(pair / p) === pair % p).every(value => value === 0)).toBe(true);
    },
  );

  test('finds no difference where a and b have the same embedding of their positions', async () => {
    const context = randomModel('add', 13);
    const [first = []] = rowsOfWeight(context, 'pos_embed.W_pos');
    const { scalars } = await run(withEntries(context, 'pos_embed.W_pos', (row, column, before) => (row < 2 ? first[column] ?? NaN : before)));
    expect(scalars['cosine']).toBeCloseTo(1, 12);
    expect(scalars['neuronDifference']).toBeLessThan(1e-5);
  });

  test('of a position without an embedding is 0, and activations that are all 0 do not differ', async () => {
    const context = randomModel('add', 7);
    const silent = withEntries(context, 'blocks.0.mlp.b_in', () => -1e3);
    const { scalars } = await run(withEntries(silent, 'pos_embed.W_pos', () => 0));
    expect(scalars).toEqual({ cosine: 0, neuronDifference: 0 });
  });

  test('has no neurons to compare in a model of attention alone', async () => {
    const { figures, scalars, named } = await run(modularContext(7, { attn_only: true, d_mlp: undefined }));
    expect(named<TableFigure>('table', /Difference/).rows.map(([name]) => name)).toEqual(['attention output', 'logits']);
    expect(Object.keys(scalars)).toEqual(['cosine']);
    expect(figures).toHaveLength(4);
  });

  test('of another task is the mean over all pairs of positions', async () => {
    const context = otherContext();
    const rows = rowsOfWeight(context, 'pos_embed.W_pos');
    const { figures, scalars } = await run(context);
    const cosines = rows.flatMap((one, at) => rows.slice(at + 1).map(other => one.reduce((sum, value, column) => sum + value * (other[column] ?? NaN), 0) / normOf(one) / normOf(other)));
    expect(scalars).toEqual({ cosine: expect.closeTo(cosines.reduce((sum, value) => sum + value, 0) / cosines.length, 10) as number });
    expect(figures.map(({ kind }) => kind)).toEqual(['heatmap', 'heatmap', 'table']);
  });

  test('needs embeddings of positions', async () => {
    await expect(run(modularContext(7, { positional_embedding_type: 'rotary' }))).rejects.toThrow('The analysis "position-similarity" does not apply to modular-arithmetic; it needs an embedding of positions, W_pos.');
  });
});
