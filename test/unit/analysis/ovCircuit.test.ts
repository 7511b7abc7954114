import { describe, expect, test } from 'vitest';
import { ovCircuit } from '../../../src/analysis/ovCircuit';
import { runAnalysis } from '../../../src/analysis/run';
import { CancelledError, UserError } from '../../../src/common/errors';
import { float32 } from '../../../src/common/tensor';
import type { BarsFigure, Figure, HeatmapFigure, LinesFigure, TableFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { configFromFixture, readFixture } from '../../support/fixtures';
import { configOf, randomParameters } from '../../support/models';
import { multiplied, rowsOfWeight, weightsContext, type Rows } from '../../support/weights';

async function run(context = weightsContext(configOf()), params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(ovCircuit, context, params);
  const named = <F extends Figure>(kind: F['kind'], title: RegExp) =>
    figures.find((figure): figure is F => figure.kind === kind && title.test(figure.title)) ??
    expect.fail(`no ${kind} ${String(title)}`);
  return {
    figures,
    scalars,
    circuit: named<HeatmapFigure>('heatmap', /^OV circuit of L\dH\d$/),
    copying: () => named<BarsFigure>('bars', /^Copying of every head$/),
    singular: named<LinesFigure>('lines', /^Singular values$/),
    directions: named<TableFigure>('table', /^Singular directions$/),
  };
}

/** Fraction of the words whose own column is the largest of its row, of those columns. */
function copyingOf(circuit: Rows, rows: readonly string[], columns: readonly string[], aside: readonly string[] = []) {
  const kept = columns.filter(word => !aside.includes(word));
  const shared = kept.filter(word => rows.includes(word));
  const copied = shared.filter(word => {
    const logits = kept.map(column => circuit[rows.indexOf(word)]?.[columns.indexOf(column)] ?? Number.NaN);
    return logits.every((logit, at) => kept[at] === word || logit < (logits[kept.indexOf(word)] ?? Number.NaN));
  });
  return copied.length / shared.length;
}

/** The parameters of a model whose embedding, values, outputs and unembedding are all the identity, times a number. */
function identityModel(config: ReturnType<typeof configOf>, outputScale: number) {
  const parameters = randomParameters(config);
  for (const [name, tensor] of parameters) {
    if (!/W_E|W_V|W_O|W_U/.test(name)) continue;
    const [rows = 0, columns = 0] = tensor.shape.slice(-2);
    const scale = name.endsWith('W_O') ? outputScale : 1;
    const at = (index: number) => [Math.floor(index / columns) % rows, index % columns];
    parameters.set(
      name,
      float32(tensor.shape, tensor.data.map((_, index) => (at(index)[0] === at(index)[1] ? scale : 0))),
    );
  }
  return weightsContext(config, parameters);
}

describe('the OV circuit', () => {
  test.each(['shortformer-attention-only-2-layers', 'layer-norm-pre-no-positions-attention-only-3-layers'])(
    'of every head is that of TransformerLens, with its eigenvalues and singular values: %s',
    async name => {
      const [source, expected] = [await readFixture(`models/${name}`), await readFixture(`circuits/${name}`)];
      const context = weightsContext(configFromFixture(source.document), source.tensors.group('state'));
      const { n_layers: L, n_heads: H, d_vocab: V, d_vocab_out: U } = context.details.config;
      const words = (count: number) => Array.from({ length: count }, (_, at) => String(at));
      for (let at = 0; at < L * H; at++) {
        const of = (key: string, size: number) => expected.tensors.float32(key).data.subarray(at * size, (at + 1) * size);
        const { circuit, copying, singular, scalars } = await run(context, { head: `${Math.floor(at / H)}.${at % H}` });
        expectClose(circuit.values, of('ov', V * U), { absolute: 1e-6, relative: 1e-6 });
        expect([circuit.rows, circuit.columns]).toEqual([V, U]);
        expectClose([scalars['eigenvalueCopying'] ?? 0], of('eigenvalue_copying', 1), { absolute: 1e-6 });
        expectClose((singular.series[0]?.y ?? expect.fail()).subarray(0, 4), of('singular_values', 4), { relative: 1e-6 });
        const rows = Array.from({ length: V }, (_, row) => [...of('ov', V * U).subarray(row * U, (row + 1) * U)]);
        const fraction = copyingOf(rows, words(V), words(U));
        expect(scalars['copying']).toBeCloseTo(fraction, 12);
        expect(copying().series[0]?.values[at]).toBeCloseTo(fraction, 12);
      }
    },
  );

  test('finds a token among the outputs by its word, and ignores what is left aside', async () => {
    const config = configOf({ d_vocab: 7, d_vocab_out: 6, n_heads: 3 });
    const words = {
      vocabulary: ['BOS', 'a', 'b', 'c', 'd', 'e', '='],
      outputs: ['e', 'yes', 'c', 'b', 'a', 'd'],
      positions: ['1', '2', '3', '4', '5'],
    };
    const fractions = new Set<number>();
    for (const seed of [1, 2, 3]) {
      const context = weightsContext(config, randomParameters(config, seed), words);
      const product = multiplied(
        rowsOfWeight(context, 'embed.W_E'),
        rowsOfWeight(context, 'blocks.1.attn.W_V', 2),
        rowsOfWeight(context, 'blocks.1.attn.W_O', 2),
        rowsOfWeight(context, 'unembed.W_U'),
      );
      for (const aside of ['', 'a', 'BOS e c', 'd, =']) {
        const { circuit, copying, scalars } = await run(context, { head: '1.2', aside });
        const expected = copyingOf(product, words.vocabulary, words.outputs, aside.split(/[ ,]+/));
        expect(scalars['copying']).toBeCloseTo(expected, 12);
        expect(copying().series[0]?.values[5]).toBeCloseTo(expected, 12);
        expectClose(circuit.values, product.flat(), { absolute: 1e-6 });
        expect(circuit.y.labels).toEqual(words.vocabulary);
        expect(circuit.x.labels).toEqual(words.outputs);
        fractions.add(expected);
      }
    }
    expect(fractions.size).toBeGreaterThan(2);
  });

  test('of identities copies every token with positive eigenvalues; turned around it copies none', async () => {
    const config = configOf({ n_heads: 2, d_model: 6, d_head: 6, d_vocab: 6, d_vocab_out: 6 });
    const [copies, opposes, nothing] = [identityModel(config, 2), identityModel(config, -1), identityModel(config, 0)];
    expect((await run(copies)).scalars).toEqual({ copying: 1, eigenvalueCopying: 1, topSingularShare: expect.closeTo(1 / 6) as number });
    expect((await run(opposes)).scalars).toMatchObject({ copying: 0, eigenvalueCopying: -1 });
    expect((await run(nothing)).scalars).toEqual({ copying: 0, eigenvalueCopying: 0, topSingularShare: 0 });
  });

  test('is of the head that copies most where none is chosen, the last of several', async () => {
    const several = identityModel(configOf({ n_heads: 2, d_model: 6, d_head: 6, d_vocab: 6, d_vocab_out: 6 }), 1);
    expect((await run(several)).circuit.subject).toEqual({ layer: 1, head: 1 });
    const { circuit, copying } = await run(weightsContext(configOf()));
    const values = [...(copying().series[0]?.values ?? [])];
    const best = values.lastIndexOf(Math.max(...values));
    expect(circuit.subject).toEqual({ layer: Math.floor(best / 3), head: best % 3 });
    expect(copying().x.subjects?.[4]).toEqual({ layer: 1, head: 1 });
  });

  test('by position is shown where positions enter the residual stream, and only there', async () => {
    const context = weightsContext(configOf());
    const { figures } = await run(context, { head: '0.1' });
    const [byPosition] = figures.filter((figure): figure is HeatmapFigure => /by position/.test(figure.title));
    const product = multiplied(
      rowsOfWeight(context, 'pos_embed.W_pos'),
      rowsOfWeight(context, 'blocks.0.attn.W_V', 1),
      rowsOfWeight(context, 'blocks.0.attn.W_O', 1),
      rowsOfWeight(context, 'unembed.W_U'),
    );
    expectClose(byPosition?.values ?? [], product.flat(), { absolute: 1e-6 });
    expect(byPosition?.y.subjects?.[3]).toEqual({ position: 3 });
    for (const positional_embedding_type of ['shortformer', 'rotary', 'none'] as const) {
      const other = await run(weightsContext(configOf({ positional_embedding_type })));
      expect(other.figures.filter(({ title }) => /by position/.test(title))).toEqual([]);
      expect(/no OV circuit by position/.test(other.circuit.caption ?? '')).toBe(positional_embedding_type === 'shortformer');
    }
  });

  test('says what it leaves out', async () => {
    const { circuit } = await run(weightsContext(configOf({ normalization_type: 'LN' })));
    expect(circuit.caption).toContain('Norms and biases are left out.');
    expect((await run(weightsContext(configOf({ biases: false })))).circuit.caption).not.toContain('left out');
  });

  test('of a large vocabulary is drawn in part and measured whole', async () => {
    const config = configOf({ n_layers: 1, n_heads: 2, d_vocab: 700, d_vocab_out: 650 });
    const context = weightsContext(config);
    const { circuit, scalars } = await run(context, { head: '0.0' });
    const product = multiplied(
      rowsOfWeight(context, 'embed.W_E'),
      rowsOfWeight(context, 'blocks.0.attn.W_V', 0),
      rowsOfWeight(context, 'blocks.0.attn.W_O', 0),
      rowsOfWeight(context, 'unembed.W_U'),
    );
    expect([circuit.rows, circuit.columns]).toEqual([512, 512]);
    expect(circuit.caption).toContain('The first 512 rows and columns are drawn.');
    expectClose(circuit.values.subarray(512, 1024), product[1]?.slice(0, 512) ?? [], { absolute: 1e-6 });
    const copied = product.slice(0, 650).filter((row, at) => row.every((logit, column) => column === at || logit < (row[at] ?? 0)));
    expect(scalars['copying']).toBeCloseTo(copied.length / 650, 12);
    expect(copied.length).toBeGreaterThan(0);
  });

  test('says nothing of copying where no token is an output', async () => {
    const config = configOf();
    const words = { vocabulary: [...'abcdefg'], outputs: [...'uvwxyz'], positions: [...'12345'] };
    const { scalars, figures } = await run(weightsContext(config, randomParameters(config), words));
    expect(Object.keys(scalars)).toEqual(['topSingularShare']);
    expect(figures.filter(({ kind }) => kind === 'bars')).toEqual([]);
  });

  test('stops between heads when it is cancelled', async () => {
    const cancelling = new AbortController();
    const context = { ...weightsContext(configOf()), signal: cancelling.signal, progress: () => cancelling.abort() };
    await expect(run(context)).rejects.toThrow(CancelledError);
  });
});

describe('the OV circuit refuses in one sentence', () => {
  test.each([
    ['a token aside that is none', { aside: '0 x' }, /^There is no token "x"; there are "0", "1", .*\.$/],
    ['no token left', { aside: '0 1 2 3 4 5' }, /^All tokens that are outputs too are left aside; leave some to measure\.$/],
    ['a head that is not there', { head: '0.7' }, /^There is no head "L0H7"; the nearest are /],
  ])('%s', async (_, params, message) => {
    await expect(run(undefined, params)).rejects.toThrow(UserError);
    await expect(run(undefined, params)).rejects.toThrow(message);
  });
});

test('copying of a large vocabulary by many heads is left out, and the caption says so', async () => {
  const of = (n_heads: number) =>
    run(weightsContext(configOf({ d_model: 4, d_head: 1, attn_only: true, n_heads, d_vocab: 1025, d_vocab_out: 1025 })), { head: '0.0' });
  const [large, smaller] = [await of(256), await of(1)]; // 1025² · 512 is just more than 2^29
  expect(large.circuit.caption).toContain(' Copying is left out: with 1025 tokens and 512 heads it would take minutes.');
  expect(large.figures.map(({ title }) => title)).not.toContain('Copying of every head');
  expect(smaller.circuit.caption).not.toContain('Copying');
  expect(smaller.copying().series[0]?.values).toHaveLength(2);
});
