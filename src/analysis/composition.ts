import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { throwIfCancelled } from '../common/errors';
import { float32, type HostTensor } from '../common/tensor';
import { asFloat32, type RunnableModel } from '../model/runnable';
import type { ModelConfig } from '../protocol/config';
import type { HeatmapFigure, TableFigure } from '../protocol/figure';
import { onCommonScale } from './commonScale';
import { defineAnalysis, type AnalysisContext } from './define';
import { allHeads, componentName } from './heads';
import { leftOut } from './weights/weights';
import { compositionLines } from './python/composition';

// L layers · H heads · D d_model · K d_head

const modes = ['Q', 'K', 'V'] as const;
type Mode = (typeof modes)[number];

/** What the reading head's matrix is made of: `W_Q W_Kᵀ`, `W_K W_Qᵀ` or `W_V W_O`. */
const readers = {
  Q: { near: 'W_Q', far: 'W_K', readBy: 'queries' },
  K: { near: 'W_K', far: 'W_Q', readBy: 'keys' },
  V: { near: 'W_V', far: 'W_O', readBy: 'values' },
} as const satisfies Record<Mode, object>;

/** Draws of random matrices behind the baseline: each has every pair of a layer's heads. */
const baselineDraws = 4;
const pairsListed = 20;
const mostDrawn = 512;

/**
 * How far each head reads what an earlier one wrote: ‖AB‖ / (‖A‖ ‖B‖) in Frobenius norms, where A is the writer's `W_V W_O` and
 * B the reader's `W_Q W_Kᵀ`, `W_K W_Qᵀ` or `W_V W_O` (Elhage et al. 2021, "A Mathematical Framework for Transformer
 * Circuits"; TransformerLens' `all_composition_scores`). Chance is what matrices of these shapes with normal entries give.
 */
export const composition = defineAnalysis({
  id: 'composition',
  title: 'Composition',
  description: 'How far the queries, keys and values of each head read what each earlier head wrote, against random matrices.',
  group: 'Weights',
  params: {
    scores: { kind: 'choice', title: 'Scores', description: 'The scores as they are, or less what random matrices of the same shapes score.', options: ['above chance', 'as they are'], default: 'above chance' },
  },
  scalars: {
    baseline: 'mean score of random matrices of these shapes',
    largestQ: 'largest composition through queries, above chance',
    largestK: 'largest composition through keys, above chance',
    largestV: 'largest composition through values, above chance',
  },
  needs: 'a model of two layers at least',
  appliesTo: ({ config }) => config.n_layers > 1,
  python: (context, { scores }) => compositionLines(context, scores === 'above chance'),
  async run(context, { scores: shown }) {
    const { config } = context.details;
    const baseline = await baselineOf(context);
    const scores = await scoresOfAll(context);
    const pairs = pairsOf(config);
    const heads = config.n_layers * config.n_heads;
    const ranked = modes
      .flatMap(mode => pairs.map(({ from, to }): Pair => ({ mode, from, to, score: scores[mode][from * heads + to] ?? 0 })))
      .sort((a, b) => b.score - a.score);
    const largest = (mode: Mode) => (ranked.find(pair => pair.mode === mode)?.score ?? 0) - baseline;
    return {
      figures: [
        ...onCommonScale(modes.map(mode => heatmap(config, mode, scores[mode], baseline, shown === 'above chance'))),
        strongest(config, ranked, baseline),
      ],
      scalars: { baseline, largestQ: largest('Q'), largestK: largest('K'), largestV: largest('V') },
    };
  },
});

interface Pair {
  readonly mode: Mode;
  readonly from: number;
  readonly to: number;
  readonly score: number;
}

/** `[L·H, L·H]` (writer, reader), heads counted through the layers; 0 where they cannot compose. */
type Scores = Readonly<Record<Mode, Float32Array>>;

/** The pairs that can compose: the reader is in a later layer. */
function pairsOf({ n_layers: L, n_heads: H }: ModelConfig): readonly { readonly from: number; readonly to: number }[] {
  const all = Array.from({ length: (L * H) ** 2 }, (_, at) => ({ from: Math.floor(at / (L * H)), to: at % (L * H) }));
  return all.filter(({ from, to }) => composes(H, from, to));
}

function composes(H: number, from: number, to: number): boolean {
  return Math.floor(from / H) < Math.floor(to / H);
}

async function scoresOfAll({ model, signal, progress }: AnalysisContext): Promise<Scores> {
  const { n_layers: L, n_heads: H } = model.config;
  const heads = L * H;
  const all: Scores = { Q: new Float32Array(heads ** 2), K: new Float32Array(heads ** 2), V: new Float32Array(heads ** 2) };
  const layers = Array.from({ length: L }, (_, layer) => attentionWeights(model, layer));
  let done = 0;
  for (const [to, reader] of layers.entries()) {
    for (const [from, writer] of layers.slice(0, to).entries()) {
      for (const mode of modes) {
        const { near, far } = readers[mode];
        const block = await layerScores(model, [writer.W_V, writer.W_O, reader[near], reader[far]], mode !== 'V'); // [H, H]
        for (let row = 0; row < H; row++) {
          all[mode].set(block.subarray(row * H, (row + 1) * H), (from * H + row) * heads + to * H);
        }
        throwIfCancelled(signal);
      }
      progress(++done / ((L * (L - 1)) / 2 + 1));
    }
  }
  return all;
}

function attentionWeights(model: RunnableModel, layer: number) {
  const weight = (part: string) => model.parameter(`blocks.${layer}.attn.${part}`);
  return { W_Q: weight('W_Q'), W_K: weight('W_K'), W_V: weight('W_V'), W_O: weight('W_O') }; // W_O [H, K, D], others [H, D, K]
}

type Matrices = readonly [HostTensor<'float32'>, HostTensor<'float32'>, HostTensor<'float32'>, HostTensor<'float32'>];

/**
 * The scores `[H, H]` (writer, reader) of two layers, from the writers' `V [H, D, K]` and `O [H, K, D]` and the readers'
 * `P [H, D, K]` and `R [H, K, D]` (`far` is `Rᵀ` where it stands transposed). Nothing of size `[D, D]` is made: with
 * `M = O P [K, K]`, ‖V M R‖² is the sum of the entries of `(VᵀV M) ∘ (M RRᵀ)`.
 */
async function layerScores(model: RunnableModel, matrices: Matrices, farIsTransposed: boolean): Promise<Float32Array> {
  const [products, written, read] = await model.compute(`composition ${farIsTransposed}`, (_, V, O, P, far) => {
    if (!V || !O || !P || !far) throw new Error('a composition has four matrices');
    const [H = 0, K = 0, D = 0] = O.shape;
    const weighedO = tf.matMul(tf.matMul(V, V, true, false), O); // [H, K, D]
    const weighedP = tf.matMul(P, farIsTransposed ? tf.matMul(far, far, true, false) : tf.matMul(far, far, false, true)); // [H, D, K]
    const rows = (x: Tensor) => tf.reshape(x, [H * K, D]);
    const columns = (x: Tensor) => tf.reshape(tf.transpose(x, [1, 0, 2]), [D, H * K]);
    const squares = tf.mul(tf.matMul(rows(weighedO), columns(P)), tf.matMul(rows(O), columns(weighedP))); // [H·K, H·K]
    return [tf.sum(tf.reshape(squares, [H, K, H, K]), [1, 3]), tf.sum(tf.mul(O, weighedO), [1, 2]), tf.sum(tf.mul(P, weighedP), [1, 2])];
  }, matrices);
  const [both, A, B] = [asFloat32(products).data, asFloat32(written).data, asFloat32(read).data]; // [H, H], [H], [H]: squared norms
  return both.map((square, at) => {
    const size = Math.sqrt(A[Math.floor(at / B.length)] ?? 0) * Math.sqrt(B[at % B.length] ?? 0);
    return size > 0 ? Math.sqrt(Math.max(0, square)) / size : 0;
  });
}

/** The mean score of pairs of heads whose weights are drawn from a normal distribution. It is the same for Q, K and V. */
async function baselineOf({ model, random, signal }: AnalysisContext): Promise<number> {
  const { n_heads: H, d_model: D, d_head: K } = model.config;
  const drawn = (...shape: number[]) => {
    const tensor = float32(shape);
    for (let at = 0; at < tensor.data.length; at++) tensor.data[at] = random.normal();
    return tensor;
  };
  let sum = 0;
  for (let draw = 0; draw < baselineDraws; draw++) {
    const scores = await layerScores(model, [drawn(H, D, K), drawn(H, K, D), drawn(H, D, K), drawn(H, D, K)], true);
    throwIfCancelled(signal);
    sum += scores.reduce((total, score) => total + score, 0) / scores.length;
  }
  return sum / baselineDraws;
}

function heatmap(config: ModelConfig, mode: Mode, scores: Float32Array, baseline: number, isAboveChance: boolean): HeatmapFigure {
  const heads = allHeads(config);
  const drawn = heads.slice(0, mostDrawn);
  const chance = isAboveChance ? `, less the ${baseline.toFixed(3)} of random matrices` : `; random matrices score ${baseline.toFixed(3)}`;
  const cut = heads.length > mostDrawn ? ` The first ${mostDrawn} heads are drawn.` : '';
  const axis = { labels: drawn.map(componentName), subjects: drawn };
  const cells = drawn.flatMap((_, from) => drawn.map((__, to) => {
    return { score: scores[from * heads.length + to] ?? 0, isPair: composes(config.n_heads, from, to) };
  }));
  return {
    kind: 'heatmap',
    title: `${mode}-composition`,
    caption: `How far the ${readers[mode].readBy} of the reading head (column) take up what the writing head (row) wrote${chance}.${leftOut(config)}${cut}`,
    y: { title: 'Writing head', ...axis },
    x: { title: 'Reading head', ...axis },
    rows: drawn.length,
    columns: drawn.length,
    values: Float32Array.from(cells, ({ score, isPair }) => (isPair ? score - (isAboveChance ? baseline : 0) : 0)),
    present: Uint8Array.from(cells, ({ isPair }) => Number(isPair)),
    scale: isAboveChance ? 'diverging' : 'sequential',
    unit: '',
    scalar: `largest${mode}`,
  };
}

function strongest(config: ModelConfig, ranked: readonly Pair[], baseline: number): TableFigure {
  const heads = allHeads(config);
  const listed = ranked.slice(0, pairsListed).flatMap(pair => {
    const [from, to] = [heads[pair.from], heads[pair.to]];
    return from && to ? [{ ...pair, from, to }] : [];
  });
  return {
    kind: 'table',
    title: 'Strongest pairs',
    caption: `The ${listed.length} pairs that score highest; chance is ${baseline.toFixed(3)}.`,
    columns: [
      { title: 'Through', numeric: false }, { title: 'Writing head', numeric: false }, { title: 'Reading head', numeric: false },
      { title: 'Score', numeric: true }, { title: 'Above chance', numeric: true },
    ],
    rows: listed.map(({ mode, from, to, score }) => [readers[mode].readBy, componentName(from), componentName(to), score, score - baseline]),
    subjects: listed.map(({ to }) => to),
  };
}
