import { expect } from 'vitest';
import type { AnalysisContext } from '../../../../src/analysis/define';
import type { HostTensor } from '../../../../src/common/tensor';
import { RunnableModel } from '../../../../src/model/runnable';
import type { Figure, HeatmapFigure } from '../../../../src/protocol/figure';
import { contextOf } from '../../../support/analyses';
import { prepared } from '../../../support/experiments';
import { randomParameters } from '../../../support/models';
import { eager } from '../../../support/runtimes';

// The definitions once more, in float64 and in plain loops, of activations from tfjs' own kernels.

export interface PairSetting {
  readonly modulus: number;
  readonly operation?: 'add' | 'subtract';
  readonly model?: object;
}

/** Odd and even moduli, one layer and two, both operations. */
export const pairSettings: readonly PairSetting[] = [
  { modulus: 13, operation: 'subtract', model: { n_layers: 1 } },
  { modulus: 14, operation: 'add', model: { n_layers: 1 } },
  { modulus: 13, operation: 'add', model: { n_layers: 2, normalization_type: 'LN' } },
  { modulus: 14, operation: 'subtract', model: { n_layers: 2, d_mlp: 20 } },
];

export function pairContext({ modulus, operation = 'add', model = {} }: PairSetting): AnalysisContext {
  return contextOf(prepared({ task: { modulus, operation }, model }));
}

/** A hook's activations for every pair, `[p², …]` with pair (a, b) in row a·p + b, of the weights that {@link pairContext} draws. */
export async function eagerActivations({ model: { config } }: AnalysisContext, p: number, hook: string): Promise<HostTensor<'float32'>> {
  const model = new RunnableModel(config, randomParameters(config), eager);
  const tokens = Int32Array.from(Array.from({ length: p }, (_, a) => Array.from({ length: p }, (__, b) => [a, b, p])).flat(2));
  const { cache } = await model.runWithCache({ dtype: 'int32', shape: [p * p, 3], data: tokens }, [hook]);
  return cache.get(hook) ?? expect.fail(`there is no ${hook}`);
}

export interface ExpectedFunction {
  readonly mean: number;
  /** `[p²]`, of vectors 1, cos 1, sin 1, … in a and in b; the constant product is 0. */
  readonly coefficients: readonly number[];
  /** Whether it is the same for every pair, as the activation of a dead neuron. */
  readonly isConstant: boolean;
  /** By frequency, from 1; zeros of what is constant. */
  readonly fractions: readonly number[];
}

/** What a function of all pairs `[p²]` is in the Fourier basis. */
export function expectedFunction(p: number, values: ArrayLike<number>): ExpectedFunction {
  const mean = Array.from(values).reduce((sum, value) => sum + value, 0) / (p * p);
  const frequencyOf = (vector: number) => Math.ceil(vector / 2);
  const wave = (vector: number, n: number) => {
    const angle = (2 * Math.PI * frequencyOf(vector) * n) / p;
    return vector % 2 === 1 ? Math.cos(angle) : vector === 0 ? 1 : Math.sin(angle);
  };
  const unit = Array.from({ length: p }, (_, vector) => {
    const raw = Array.from({ length: p }, (__, n) => wave(vector, n));
    const norm = Math.hypot(...raw);
    return raw.map(value => value / norm);
  });
  const coefficients = unit.flatMap(inA => unit.map(inB => {
    let sum = 0;
    for (let a = 0; a < p; a++) for (let b = 0; b < p; b++) sum += (inA[a] ?? 0) * (inB[b] ?? 0) * ((values[a * p + b] ?? 0) - mean);
    return sum;
  }));
  const isConstant = Array.from(values).every(value => value === values[0]);
  const total = Array.from(values).reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const fractions = Array.from({ length: Math.floor(p / 2) }, (_, index) => {
    const own = [0, 2 * index + 1, 2 * index + 2].filter(vector => vector < p);
    return own.flatMap(i => own.map(j => (i + j === 0 ? 0 : (coefficients[i * p + j] ?? 0) ** 2))).reduce((sum, square) => sum + square, 0) / (isConstant ? 1 : total);
  });
  return { mean, coefficients, isConstant, fractions: isConstant ? fractions.map(() => 0) : fractions };
}

/** The figure whose title begins so. */
export function heatmapTitled(figures: readonly Figure[], title: string): HeatmapFigure {
  const found = figures.find((figure): figure is HeatmapFigure => figure.kind === 'heatmap' && figure.title.startsWith(title));
  return found ?? expect.fail(`there is no heatmap "${title}" among ${figures.map(figure => figure.title).join('; ')}`);
}
