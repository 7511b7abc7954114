import type { RunnableModel } from '../../model/runnable';
import type { ParameterSummary } from '../../protocol/model';

/** The parts of a model by which its weights are summed. */
export const weightParts = ['embedding', 'attention', 'MLP', 'unembedding', 'norms'] as const;
export type WeightPart = (typeof weightParts)[number];

/** Sums of the squared weights, biases among them, of each part that the model has; a position's embedding is embedding. */
export type WeightNorms = ReadonlyMap<WeightPart, number>;

export function weightNorms(model: RunnableModel, parameters: readonly Pick<ParameterSummary, 'name'>[]): WeightNorms {
  const sums = new Map<WeightPart, number>();
  for (const { name } of parameters) {
    const part = partOf(name);
    sums.set(part, (sums.get(part) ?? 0) + sumOfSquares(model.parameter(name).data));
  }
  return sums;
}

function partOf(name: string): WeightPart {
  if (/^(pos_)?embed\./.test(name)) return 'embedding';
  if (name.includes('.attn.')) return 'attention';
  if (name.includes('.mlp.')) return 'MLP';
  return name.startsWith('unembed.') ? 'unembedding' : 'norms';
}

function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
