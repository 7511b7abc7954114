import { describe, expect, test } from 'vitest';
import { composition } from '../../../src/analysis/composition';
import { runAnalysis } from '../../../src/analysis/run';
import { CancelledError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import type { HeatmapFigure, TableFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { configFromFixture, readFixture } from '../../support/fixtures';
import { configOf, randomParameters } from '../../support/models';
import { multiplied, normOf, rowsOfWeight, transposed, weightsContext, type Rows } from '../../support/weights';

const modes = ['Q', 'K', 'V'] as const;

async function run(context = weightsContext(configOf()), params: Readonly<Record<string, unknown>> = { scores: 'as they are' }) {
  const { figures, scalars } = await runAnalysis(composition, context, params);
  const heatmaps = figures.filter((figure): figure is HeatmapFigure => figure.kind === 'heatmap');
  const table = figures.find((figure): figure is TableFigure => figure.kind === 'table') ?? expect.fail('no table');
  return { scalars, table, heatmap: (mode: string) => heatmaps.find(({ title }) => title === `${mode}-composition`) ?? expect.fail() };
}

describe('composition scores', () => {
  test.each(['shortformer-attention-only-2-layers', 'layer-norm-pre-no-positions-attention-only-3-layers'])(
    'are those of TransformerLens: %s',
    async name => {
      const [source, expected] = [await readFixture(`models/${name}`), await readFixture(`circuits/${name}`)];
      const { heatmap } = await run(weightsContext(configFromFixture(source.document), source.tensors.group('state')));
      for (const mode of modes) expectClose(heatmap(mode).values, expected.tensors.float32(`composition.${mode}`).data, { relative: 1e-5 });
    },
  );

  test.each([
    ['narrow heads', { d_model: 8, d_head: 4 }],
    ['heads wider than the residual stream', { d_model: 5, d_head: 9 }],
  ])('are the norms of the products over those of the factors: %s', async (_, sizes) => {
    const context = weightsContext(configOf({ n_layers: 3, n_heads: 2, normalization_type: 'LN', ...sizes }));
    const { heatmap, scalars, table } = await run(context);
    const weight = (part: string, head: number) => rowsOfWeight(context, `blocks.${Math.floor(head / 2)}.attn.W_${part}`, head % 2);
    const OV = (head: number) => multiplied(weight('V', head), weight('O', head));
    const QK = (head: number) => multiplied(weight('Q', head), transposed(weight('K', head)));
    const reads: Readonly<Record<string, (head: number) => Rows>> = { Q: QK, K: head => transposed(QK(head)), V: OV };
    const all: number[] = [];
    for (const mode of modes) {
      const scores = Array.from({ length: 36 }, (__, at) => {
        const [from, to] = [Math.floor(at / 6), at % 6];
        if (Math.floor(from / 2) >= Math.floor(to / 2)) return 0;
        const [A, B] = [OV(from), reads[mode]?.(to) ?? []];
        return normOf(multiplied(A, B)) / (normOf(A) * normOf(B));
      });
      expectClose(heatmap(mode).values, scores, { relative: 1e-5 });
      expect([...(heatmap(mode).present ?? [])]).toEqual(scores.map(score => Number(score > 0)));
      expectClose([scalars[`largest${mode}`] ?? 0], [Math.max(...scores) - (scalars['baseline'] ?? 0)], { absolute: 1e-6 });
      all.push(...scores);
    }
    const listed = table.rows.map(row => Number(row[3]));
    expectClose(listed, all.sort((a, b) => b - a).slice(0, listed.length), { relative: 1e-5 });
    expect(listed).toHaveLength(20);
  });

  test('name writers in rows and readers in columns, and list pairs with their reader', async () => {
    const { heatmap, table } = await run();
    const { x, y } = heatmap('K');
    expect([x.title, y.title, x.labels]).toEqual(['Reading head', 'Writing head', ['L0H0', 'L0H1', 'L0H2', 'L1H0', 'L1H1', 'L1H2']]);
    expect(y.subjects?.[4]).toEqual({ layer: 1, head: 1 });
    const [through, from, to, score] = table.rows[0] ?? [];
    const mode = modes.find(each => ({ Q: 'queries', K: 'keys', V: 'values' })[each] === through) ?? expect.fail();
    const at = (y.labels ?? []).indexOf(String(from)) * 6 + (x.labels ?? []).indexOf(String(to));
    expect(heatmap(mode).values[at]).toBeCloseTo(Number(score), 6);
    expect(table.subjects?.[0]).toEqual(x.subjects?.[(x.labels ?? []).indexOf(String(to))]);
  });

  test('of random matrices are chance: 1/√d for square ones, and models drawn like them are near it', async () => {
    const config = configOf({ n_heads: 4, d_model: 48, d_head: 48 });
    const { scalars, heatmap } = await run(weightsContext(config), {});
    expect(scalars['baseline']).toBeCloseTo(1 / Math.sqrt(48), 2);
    for (const mode of modes) {
      const excess = [...heatmap(mode).values].filter((_, at) => heatmap(mode).present?.[at] === 1);
      expect(Math.max(...excess.map(Math.abs))).toBeLessThan(0.03);
    }
  });

  test('less chance are the scores less the baseline, the same each time', async () => {
    const [above, plain] = [await run(weightsContext(configOf()), {}), await run()];
    const { baseline = 0 } = above.scalars;
    expect(plain.scalars).toEqual(above.scalars);
    for (const mode of modes) {
      const present = plain.heatmap(mode).present ?? [];
      expectClose(above.heatmap(mode).values, plain.heatmap(mode).values.map((score, at) => (present[at] === 1 ? score - baseline : 0)), { absolute: 1e-6 });
    }
    const other = await run({ ...weightsContext(configOf()), random: new Random(5, 'other') });
    expect(other.scalars['baseline']).not.toBe(baseline);
  });

  test('of weights that are zero are 0', async () => {
    const parameters = randomParameters(configOf());
    parameters.get('blocks.0.attn.W_V')?.data.fill(0);
    const { heatmap } = await run(weightsContext(configOf(), parameters));
    expect([...heatmap('Q').values].every(score => score === 0)).toBe(true);
  });

  test('of a head that writes only where another reads nothing are 0; where it reads everything, 1', async () => {
    const config = configOf({ n_heads: 1, d_model: 4, d_head: 2 });
    const parameters = randomParameters(config);
    const set = (name: string, values: readonly number[]) => parameters.get(name)?.data.set(values);
    set('blocks.0.attn.W_O', [1, 0, 0, 0, 0, 0, 0, 0]); // writes to dimension 0
    set('blocks.1.attn.W_K', [1, 0, 0, 0, 0, 0, 0, 0]); // keys read dimension 0
    set('blocks.1.attn.W_Q', [0, 0, 0, 0, 1, 0, 0, 1]); // queries read dimensions 2 and 3
    const { heatmap } = await run(weightsContext(config, parameters));
    expect(heatmap('K').values[1]).toBeCloseTo(1, 5);
    expect(heatmap('Q').values[1]).toBeCloseTo(0, 5);
  });

  test('need two layers', () => {
    const applies = (n_layers: number) => composition.appliesTo(weightsContext(configOf({ n_layers })).details);
    expect([applies(1), applies(2)]).toEqual([false, true]);
  });

  test('stop between layers when cancelled', async () => {
    const cancelling = new AbortController();
    const context = { ...weightsContext(configOf({ n_layers: 3 })), signal: cancelling.signal, progress: () => cancelling.abort() };
    await expect(run(context)).rejects.toThrow(CancelledError);
  });
});
