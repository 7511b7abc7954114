import type { CheckpointFile, TensorSlice, TensorStatistics, TensorSummary } from '../../src/protocol/checkpointFile';
import type { PageSlice } from '../../src/protocol/checkpointPage';

/** The tensors of a model of one layer under TransformerLens' names. */
export const modelTensors: readonly TensorSummary[] = [
  { name: 'unembed.W_U', dtype: 'float32', shape: [128, 113] },
  { name: 'blocks.0.attn.W_Q', dtype: 'float32', shape: [4, 128, 32] },
  { name: 'blocks.0.attn.W_O', dtype: 'float32', shape: [4, 32, 128] },
  { name: 'blocks.0.attn.mask', dtype: 'bool', shape: [3, 3] },
  { name: 'blocks.0.attn.IGNORE', dtype: 'float32', shape: [] },
  { name: 'blocks.0.mlp.W_in', dtype: 'float32', shape: [128, 512] },
  { name: 'blocks.0.mlp.b_in', dtype: 'float32', shape: [512] },
  { name: 'embed.W_E', dtype: 'bfloat16', shape: [114, 128] },
  { name: 'step', dtype: 'int64', shape: [0] },
];

export function fileOf(tensors: readonly TensorSummary[] = modelTensors, over: Partial<CheckpointFile> = {}): CheckpointFile {
  return {
    path: '/work/space/grokking.safetensors', format: 'safetensors', size: 912_345, metadata: [['format', 'pt'], ['seed', '<b>7</b>']], tensors,
    recognised: { as: 'TransformerLens, 1 layer' }, ...over,
  };
}

/** A bell of numbers between -0.4 and 0.4. */
export function bell(elements: number, over: Partial<TensorStatistics> = {}): TensorStatistics {
  const histogram = Array.from({ length: 64 }, (_, bin) => Math.round(elements * 0.05 * Math.exp(-(((bin - 31.5) / 12) ** 2))));
  return {
    elements, sampled: elements, nan: 0, positiveInfinities: 0, negativeInfinities: 0, zeros: 0,
    minimum: -0.4, maximum: 0.4, mean: 0.00125, standardDeviation: 0.08, histogram, ...over,
  };
}

/** Waves over the rows and columns that were asked for. */
export function wavesOf({ rows, columns }: PageSlice): TensorSlice {
  const values = Float32Array.from({ length: rows.count * columns.count }, (_, at) => {
    const [row, column] = [rows.from + Math.floor(at / columns.count), columns.from + at % columns.count];
    return Math.sin(row / 5) * Math.cos(column / 7);
  });
  return { rows: rows.count, columns: columns.count, values, notFinite: [] };
}
