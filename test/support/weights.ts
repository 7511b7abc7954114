import { expect } from 'vitest';
import type { AnalysisContext } from '../../src/analysis/define';
import type { HostTensor } from '../../src/common/tensor';
import { RunnableModel } from '../../src/model/runnable';
import type { ModelConfig } from '../../src/protocol/config';
import { contextOf } from './analyses';
import { prepared } from './experiments';
import { randomParameters } from './models';
import { onnx } from './runtimes';

/** What the tokens, outputs and positions of a model are called. */
export interface Words {
  readonly vocabulary: readonly string[];
  readonly outputs: readonly string[];
  readonly positions: readonly string[];
}

/** Numbers for words, as many as the model has of each; positions are p0, p1, … */
export function plainWords({ d_vocab, d_vocab_out, n_ctx }: ModelConfig): Words {
  const numbers = (count: number, before = '') => Array.from({ length: count }, (_, at) => `${before}${at}`);
  return { vocabulary: numbers(d_vocab), outputs: numbers(d_vocab_out), positions: numbers(n_ctx, 'p') };
}

/** A model of any configuration and parameters, as an analysis of weights sees it. */
export function weightsContext(
  config: ModelConfig,
  parameters: ReadonlyMap<string, HostTensor<'float32'>> = randomParameters(config),
  words: Words = plainWords(config),
): AnalysisContext {
  const context = contextOf(prepared());
  return {
    ...context,
    details: { ...context.details, config },
    task: { ...context.task, ...words },
    model: new RunnableModel(config, parameters, onnx),
  };
}

export type Rows = readonly (readonly number[])[];

/** A weight as rows of numbers: all of it, or the matrix of one head. */
export function rowsOfWeight({ model }: AnalysisContext, name: string, head = 0): Rows {
  const { shape, data } = model.parameter(name);
  const [rows = 0, columns = 0] = shape.slice(-2);
  const from = head * rows * columns;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (__, column) => data[from + row * columns + column] ?? expect.fail()),
  );
}

/** The product of matrices, number by number in float64. */
export function multiplied(first: Rows, ...others: readonly Rows[]): Rows {
  return others.reduce(
    (left, right) =>
      left.map(row =>
        (right[0] ?? []).map((_, column) => row.reduce((sum, value, at) => sum + value * (right[at]?.[column] ?? 0), 0)),
      ),
    first,
  );
}

export function transposed(rows: Rows): Rows {
  return (rows[0] ?? []).map((_, column) => rows.map(row => row[column] ?? 0));
}

/** The Frobenius norm. */
export function normOf(rows: Rows): number {
  return Math.hypot(...rows.flat());
}
