import type { AnalysisContext } from '../../src/analysis/define';
import { float32 } from '../../src/common/tensor';
import { contextOf } from './analyses';
import { prepared } from './experiments';
import type { Rows } from './weights';

/** What a matrix has along one wave over its rows. */
export interface Component {
  readonly name: string;
  readonly frequency: number;
  /** One number for each column. */
  readonly values: readonly number[];
}

/** The Fourier components of a matrix's columns over its rows, wave by wave and number by number; each wave is scaled to norm one. */
export function componentsOverRows(rows: Rows): readonly Component[] {
  const p = rows.length;
  const component = (name: string, frequency: number, wave: (angle: number) => number): Component => {
    const along = rows.map((_, n) => wave((2 * Math.PI * frequency * n) / p));
    const norm = Math.sqrt(along.reduce((sum, value) => sum + value ** 2, 0));
    return { name, frequency, values: (rows[0] ?? []).map((_, column) => rows.reduce((sum, row, n) => sum + ((along[n] ?? 0) * (row[column] ?? 0)) / norm, 0)) };
  };
  const components = [component('constant', 0, () => 1)];
  for (let frequency = 1; 2 * frequency <= p; frequency++) {
    components.push(component(`cos ${frequency}`, frequency, Math.cos));
    if (2 * frequency < p) components.push(component(`sin ${frequency}`, frequency, Math.sin));
  }
  return components;
}

/** The squared norm of the components at some frequencies. */
export function squaredNormAt(components: readonly Component[], isCounted: (frequency: number) => boolean): number {
  return components.filter(({ frequency }) => isCounted(frequency)).flatMap(({ values }) => values).reduce((sum, value) => sum + value ** 2, 0);
}

/** Half the mean difference of any two numbers, over their mean. */
export function giniByDifferences(values: readonly number[]): number {
  const sum = (terms: readonly number[]) => terms.reduce((total, term) => total + term, 0);
  return sum(values.flatMap(one => values.map(other => Math.abs(one - other)))) / (2 * values.length * sum(values));
}

/** A model of modular arithmetic with random weights. */
export function modularContext(modulus: number, model: object = {}): AnalysisContext {
  return contextOf(prepared({ task: { modulus }, model }));
}

/** The model with one parameter's entries made anew from what they were, by row and column. */
export function withEntries(context: AnalysisContext, name: string, entry: (row: number, column: number, before: number) => number): AnalysisContext {
  const parameters = new Map(context.details.parameters.map(spec => [spec.name, context.model.parameter(spec.name)] as const));
  const { shape, data } = context.model.parameter(name);
  const columns = shape.at(-1) ?? 1;
  parameters.set(name, float32(shape, data.map((value, at) => entry(Math.floor(at / columns), at % columns, value))));
  return { ...context, model: context.model.withWeights(parameters) };
}

/** The model with an embedding made of waves of some frequencies, of the amplitudes given, and of a little of what it was. */
export function withWaves(context: AnalysisContext, amplitudes: Readonly<Record<number, number>>): AnalysisContext {
  const p = Number(context.details.experiment.task.parameters['modulus']);
  return withEntries(context, 'embed.W_E', (n, d, before) => Object.entries(amplitudes).reduce(
    (sum, [k, amplitude]) => sum + amplitude * Math.cos((2 * Math.PI * Number(k) * n) / p + d * Number(k)), 0.01 * before));
}

/** A model of a task that is not modular. */
export function otherContext(): AnalysisContext {
  return contextOf(prepared({ task: { name: 'array-update', modulus: undefined, trainFraction: undefined }, training: { batch: 8 } }));
}
