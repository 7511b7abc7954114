import { expect } from 'vitest';
import type { AnalysisContext } from '../../src/analysis/define';
import { int32, type HostTensor } from '../../src/common/tensor';

// The definitions of Nanda et al. (2023), as sums over all pairs (a, b) and outputs c in float64.

/** What a model of modular arithmetic makes of all pairs, as the definitions of the literature read it: in float64, pair (a, b) in row a·p + b. */
export interface WholePairs {
  readonly p: number;
  readonly sign: 1 | -1;
  /** `[p², p]` */
  readonly logits: readonly (readonly number[])[];
  /** `[p², d_mlp]`, of the last layer; empty rows where it has no neurons. */
  readonly neurons: readonly (readonly number[])[];
}

/** Runs all pairs by the plain forward pass. */
export async function wholePairs({ details, model }: AnalysisContext): Promise<WholePairs> {
  const { operation, modulus } = details.experiment.task.parameters;
  const p = Number(modulus);
  const tokens = Array.from({ length: p * p }, (_, pair) => [Math.floor(pair / p), pair % p, p]).flat();
  const post = `blocks.${details.config.n_layers - 1}.mlp.hook_post`;
  const hooks = details.config.attn_only ? [] : [post];
  const { logits, cache } = await model.runWithCache(int32([p * p, 3], Int32Array.from(tokens)), hooks);
  const atEquals = (value: HostTensor<'float32'> | undefined) => {
    const width = value?.shape.at(-1) ?? 0;
    return Array.from({ length: p * p }, (_, pair) => Array.from(value?.data.subarray((3 * pair + 2) * width, (3 * pair + 3) * width) ?? []));
  };
  return { p, sign: operation === 'subtract' ? -1 : 1, logits: atEquals(logits), neurons: atEquals(cache.get(post)) };
}

/** The right answer of a pair. */
export function answerOf({ p, sign }: Pick<WholePairs, 'p' | 'sign'>, pair: number): number {
  return (Math.floor(pair / p) + sign * (pair % p) + p) % p;
}

/** The loss of logits `[p², p]` over some pairs. */
export function lossOver(whole: WholePairs, logits: readonly (readonly number[])[], pairs: readonly number[]): number {
  const losses = pairs.map(pair => {
    const row = logits[pair] ?? [];
    const answer = answerOf(whole, pair);
    const others = row.reduce((sum, logit, c) => (c === answer ? sum : sum + Math.exp(logit - (row[answer] ?? NaN))), 0);
    return Math.log1p(others);
  });
  return losses.reduce((sum, value) => sum + value, 0) / pairs.length;
}

/** What of the columns of `values [p², N]` lies along the normed cos(w(a ± b)) and sin(w(a ± b)) of some frequencies. */
function alongWaves({ p, sign }: WholePairs, values: readonly (readonly number[])[], frequencies: readonly number[]): number[][] {
  const kept = values.map(row => row.map(() => 0));
  for (const k of frequencies) {
    for (const wave of [Math.cos, Math.sin]) {
      const direction = values.map((_, pair) => wave((2 * Math.PI * k * (Math.floor(pair / p) + sign * (pair % p))) / p));
      const norm = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
      if (norm < 1e-6) continue; // sin(π(a ± b)) is zero
      (values[0] ?? []).forEach((_, column) => {
        const share = values.reduce((sum, row, pair) => sum + (row[column] ?? 0) * ((direction[pair] ?? 0) / norm), 0);
        kept.forEach((row, pair) => (row[column] = (row[column] ?? 0) + share * ((direction[pair] ?? 0) / norm)));
      });
    }
  }
  return kept;
}

/** What the share of the last layer's neurons adds to the logits. */
function throughOutput({ details, model }: AnalysisContext, neurons: readonly (readonly number[])[]): number[][] {
  const matrix = (name: string) => {
    const { shape: [, columns = 0], data } = model.parameter(name);
    return (row: number, column: number) => data[row * columns + column] ?? NaN;
  };
  const { config: { n_layers, d_model, d_mlp = 0, d_vocab_out } } = details;
  const [out, unembed] = [matrix(`blocks.${n_layers - 1}.mlp.W_out`), matrix('unembed.W_U')];
  const both = Array.from({ length: d_mlp }, (_, n) => Array.from({ length: d_vocab_out }, (_, c) =>
    Array.from({ length: d_model }, (_, d) => out(n, d) * unembed(d, c)).reduce((sum, value) => sum + value, 0)));
  return neurons.map(row => Array.from({ length: d_vocab_out }, (_, c) => row.reduce((sum, value, n) => sum + value * (both[n]?.[c] ?? NaN), 0)));
}

const combined = (one: readonly (readonly number[])[], other: readonly (readonly number[])[], sign: 1 | -1) =>
  one.map((row, at) => row.map((value, column) => value + sign * (other[at]?.[column] ?? NaN)));

function meanRow(rows: readonly (readonly number[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0) / rows.length);
}

/** Numbers a·p + b of the task's training and test pairs. */
export function splitOf({ details, task }: AnalysisContext, p: number) {
  const numbers = (tokens: Int32Array) => Array.from({ length: tokens.length / 3 }, (_, at) => (tokens[3 * at] ?? 0) * p + (tokens[3 * at + 1] ?? 0));
  const { train, test } = task.split?.(details.experiment.seed) ?? expect.fail();
  return { train: numbers(train.tokens.data), test: numbers(test.tokens.data) };
}

/** Losses as they are, with some frequencies of the answer removed, and with them alone, in the last layer's neurons where those are read. */
export async function defined(context: AnalysisContext, frequencies: readonly number[]) {
  const { config } = context.details;
  const pairs = await wholePairs(context);
  const { train, test } = splitOf(context, pairs.p);
  const byNeurons = !config.attn_only && config.normalization_type === null;
  const kept = byNeurons ? throughOutput(context, alongWaves(pairs, pairs.neurons, frequencies)) : alongWaves(pairs, pairs.logits, frequencies);
  const [means, keptMeans] = [meanRow(pairs.logits), meanRow(kept)];
  return {
    trainLoss: lossOver(pairs, pairs.logits, train),
    testLoss: lossOver(pairs, pairs.logits, test),
    excluded: lossOver(pairs, combined(pairs.logits, kept, -1), train),
    restricted: lossOver(pairs, kept.map(row => row.map((value, c) => value + (means[c] ?? NaN) - (keptMeans[c] ?? NaN))), test),
  };
}

/** The definitions with a cube of p³ cosines for each frequency: coefficients, the logits' norm, and what is left of it. */
export function definedCosines({ p, sign, logits }: WholePairs, frequencies: readonly number[]) {
  const flat = logits.flat();
  const cubes = frequencies.map(k => {
    const cube = flat.map((_, at) => {
      const [pair, c] = [Math.floor(at / p), at % p];
      return Math.cos(((2 * Math.PI * k) / p) * (Math.floor(pair / p) + sign * (pair % p) - c));
    });
    const norm = Math.hypot(...cube);
    return cube.map(value => value / norm);
  });
  const norm = Math.sqrt(flat.reduce((sum, value) => sum + value * value, 0));
  const coefficients = cubes.map(cube => cube.reduce((sum, value, at) => sum + value * (flat[at] ?? NaN), 0));
  const approximation = flat.map((_, at) => coefficients.reduce((sum, coefficient, index) => sum + coefficient * (cubes[index]?.[at] ?? NaN), 0));
  const rest = Math.sqrt(flat.reduce((sum, value, at) => sum + (value - (approximation[at] ?? NaN)) ** 2, 0));
  return { coefficients, norm, residual: rest / norm, approximation };
}
