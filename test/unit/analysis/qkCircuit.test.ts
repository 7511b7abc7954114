import { describe, expect, test } from 'vitest';
import { qkCircuit } from '../../../src/analysis/qkCircuit';
import { runAnalysis } from '../../../src/analysis/run';
import { CancelledError, UserError } from '../../../src/common/errors';
import type { BarsFigure, HeatmapFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { configFromFixture, readFixture } from '../../support/fixtures';
import { configOf } from '../../support/models';
import { multiplied, normOf, rowsOfWeight, transposed, weightsContext } from '../../support/weights';

async function run(params: Readonly<Record<string, unknown>> = {}, context = weightsContext(configOf())) {
  const { figures, scalars } = await runAnalysis(qkCircuit, context, params);
  const [circuit, block] = figures.filter((figure): figure is HeatmapFigure => figure.kind === 'heatmap');
  const sizes = figures.find((figure): figure is BarsFigure => figure.kind === 'bars') ?? expect.fail('no bars');
  return { scalars, sizes, circuit: circuit ?? expect.fail('no heatmap'), block };
}

/** `destinations W_Q W_Kᵀ sourcesᵀ` of a head, number by number. */
function expected(context: ReturnType<typeof weightsContext>, layer: number, head: number, destinations: string, sources: string) {
  const at = `blocks.${layer}.attn`;
  const queries = multiplied(rowsOfWeight(context, destinations), rowsOfWeight(context, `${at}.W_Q`, head));
  const keys = multiplied(rowsOfWeight(context, sources), rowsOfWeight(context, `${at}.W_K`, head));
  return multiplied(queries, transposed(keys));
}

describe('the QK circuit', () => {
  test.each(['shortformer-attention-only-2-layers', 'layer-norm-pre-no-positions-attention-only-3-layers'])(
    'of every head by token is that of TransformerLens: %s',
    async name => {
      const [source, expectedTensors] = [await readFixture(`models/${name}`), await readFixture(`circuits/${name}`)];
      const context = weightsContext(configFromFixture(source.document), source.tensors.group('state'));
      const { n_layers: L, n_heads: H, d_vocab: V } = context.details.config;
      const qk = expectedTensors.tensors.float32('qk').data;
      for (let at = 0; at < L * H; at++) {
        const values = qk.subarray(at * V * V, (at + 1) * V * V);
        const { circuit, sizes, scalars } = await run({ head: `${Math.floor(at / H)}.${at % H}` }, context);
        expectClose(circuit.values, values, { absolute: 1e-6, relative: 1e-6 });
        expectClose([sizes.series[0]?.values[at] ?? 0], [Math.hypot(...values)], { relative: 1e-5 });
        expectClose([scalars['largest'] ?? 0], [Math.max(...values.map(Math.abs))], { relative: 1e-6 });
      }
    },
  );

  test.each([
    ['position', 'pos_embed.W_pos', 'pos_embed.W_pos', 5, 5],
    ['position to token', 'pos_embed.W_pos', 'embed.W_E', 5, 7],
    ['token to position', 'embed.W_E', 'pos_embed.W_pos', 7, 5],
    ['token', 'embed.W_E', 'embed.W_E', 7, 7],
  ] as const)('by %s has destinations in rows and sources in columns', async (by, destinations, sources, rows, columns) => {
    const context = weightsContext(configOf({ positional_embedding_type: 'shortformer' }));
    const { circuit, sizes } = await run({ by, head: '1.2' }, context);
    const product = expected(context, 1, 2, destinations, sources);
    expect([circuit.rows, circuit.columns]).toEqual([rows, columns]);
    expectClose(circuit.values, product.flat(), { absolute: 1e-6 });
    expectClose([sizes.series[0]?.values[5] ?? 0], [normOf(product)], { relative: 1e-5 });
    expect(circuit.subject).toEqual({ layer: 1, head: 2 });
    expect([circuit.y.title, circuit.x.title]).toEqual(['Destination', 'Source'].map((word, at) => `${word} ${[destinations, sources][at] === 'embed.W_E' ? 'token' : 'position'}`));
  });

  test('by position counts only pairs that the mask allows', async () => {
    const context = weightsContext(configOf());
    const { circuit, scalars } = await run({ by: 'position', head: '0.1' }, context);
    const product = expected(context, 0, 1, 'pos_embed.W_pos', 'pos_embed.W_pos');
    const causal = product.map((row, destination) => row.slice(0, destination + 1));
    expect([...(circuit.present ?? [])].join('')).toBe('1000011000111001111011111');
    expect(circuit.caption).toContain('Pairs that the mask forbids are blank');
    expect(scalars['largest']).toBeCloseTo(Math.max(...causal.flat().map(Math.abs)), 6);
    // The first position has itself alone to look at, which says nothing of the head.
    expect(scalars['diagonal']).toBe(causal.slice(1).filter(row => Math.max(...row) === row.at(-1)).length / 4);
    const both = await run({ by: 'position', head: '0.1' }, weightsContext(configOf({ attention_dir: 'bidirectional' })));
    expect([...(both.circuit.present ?? [])].join('')).toBe('1'.repeat(25));
  });

  test('is scaled as the model scales its scores where that is wanted', async () => {
    const [plain, scaled] = [await run({ head: '0.0' }), await run({ head: '0.0', scaled: true })];
    expectClose(scaled.circuit.values, plain.circuit.values.map(value => value / 2), { relative: 1e-6 });
    expect(scaled.scalars['largest']).toBeCloseTo((plain.scalars['largest'] ?? 0) / 2, 10);
    expect(scaled.scalars['eigenvalue']).toBeCloseTo(plain.scalars['eigenvalue'] ?? 0, 10);
    expect([plain.circuit.caption, scaled.circuit.caption].map(caption => /not scaled/.test(caption ?? ''))).toEqual([true, false]);
    const without = weightsContext(configOf({ use_attn_scale: false }));
    expect((await run({ head: '0.0', scaled: true }, without)).circuit.values).toEqual((await run({ head: '0.0' }, without)).circuit.values);
  });

  test('is of the head whose circuit is largest where none is chosen', async () => {
    for (const by of ['token', 'position']) {
      const { circuit, sizes } = await run({ by });
      const values = [...(sizes.series[0]?.values ?? [])];
      const largest = values.indexOf(Math.max(...values));
      expect(circuit.subject).toEqual({ layer: Math.floor(largest / 3), head: largest % 3 });
    }
  });

  test('with keys equal to queries has positive eigenvalues; turned around, negative ones', async () => {
    const context = weightsContext(configOf({ n_layers: 1 }));
    const [queries, keys] = ['W_Q', 'W_K'].map(part => context.model.parameter(`blocks.0.attn.${part}`).data);
    keys?.set(queries ?? []);
    expect((await run({ head: '0.0' }, context)).scalars['eigenvalue']).toBeCloseTo(1, 6);
    keys?.forEach((value, at) => (keys[at] = -value));
    expect((await run({ head: '0.0' }, context)).scalars['eigenvalue']).toBeCloseTo(-1, 6);
  });

  test('measures and draws a block', async () => {
    const { circuit, block, scalars } = await run({ by: 'position', rows: 'p4 3', columns: 'p1, p0' });
    const at = (row: number, column: number) => circuit.values[row * 5 + column] ?? Number.NaN;
    expect([...(block?.values ?? [])]).toEqual([at(4, 1), at(4, 0), at(3, 1), at(3, 0)]);
    expect(scalars['blockDiagonal']).toBe((Number(at(4, 1) > at(4, 0)) + Number(at(3, 0) > at(3, 1))) / 2);
    expect((await run()).block).toBeUndefined();
  });

  test('says that rotary positions are left out', async () => {
    const rotary = weightsContext(configOf({ positional_embedding_type: 'rotary' }));
    expect((await run({}, rotary)).circuit.caption).toContain('before their rotation');
  });

  test('stops between heads when it is cancelled', async () => {
    const cancelling = new AbortController();
    const context = { ...weightsContext(configOf()), signal: cancelling.signal, progress: () => cancelling.abort() };
    await expect(run({}, context)).rejects.toThrow(CancelledError);
  });

  test.each([
    ['none', { by: 'position' }, /^There is no circuit by position: the positional embedding of this model is "none", which has no weights\. Choose "token"\.$/],
    ['standard', { head: '3.0' }, /^There is no head "L3H0"; the nearest are /],
    ['standard', { by: 'position', rows: 'p1 p2', columns: 'p3' }, /^The block has 2 rows and 1 columns; /],
  ] as const)('refuses in one sentence: positions %s, %j', async (positional_embedding_type, params, message) => {
    const context = weightsContext(configOf({ positional_embedding_type }));
    await expect(run(params, context)).rejects.toThrow(UserError);
    await expect(run(params, context)).rejects.toThrow(message);
  });
});
