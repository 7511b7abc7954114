import { formatShape, sizeOf } from '../../src/common/tensor';
import type { CheckpointFile, TensorStatistics, TensorSummary } from '../../src/protocol/checkpointFile';
import { count, formatInteger, formatNumber } from '../numbers';

const formats: Readonly<Record<CheckpointFile['format'], string>> = { safetensors: 'safetensors', torch: 'PyTorch' };

/** `1.25 GB`: powers of 1000, as disks are sold and Finder counts. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${power === 0 ? formatInteger(bytes) : formatNumber(Number((bytes / 1000 ** power).toPrecision(3)))} ${units[power] ?? ''}`;
}

/** `[4, 128, 32]`; of a scalar, that. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : formatShape(shape);
}

/** What a file holds, in a line. */
export function fileSummary({ format, size, tensors }: CheckpointFile): string {
  const elements = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const types = [...new Set(tensors.map(({ dtype }) => dtype))];
  return [
    formats[format], formatBytes(size), count(tensors.length, 'tensor'), ...(tensors.length === 0 ? [] : [count(elements, 'number')]), ...(types.length === 0 ? [] : [types.join(', ')]),
  ].join(' · ');
}

/** What a tensor is, in a line. */
export function tensorSummary({ dtype, shape }: TensorSummary): string {
  return `${dtype} · ${shapeText(shape)} · ${count(sizeOf(shape), 'number')}`;
}

/** Elements that are not finite, as in `2 NaN, 1 infinity`; nothing where all are. */
export function notFiniteText({ nan, positiveInfinities, negativeInfinities }: TensorStatistics): string | undefined {
  const parts = [
    ...(nan > 0 ? [`${formatInteger(nan)} NaN`] : []),
    ...(positiveInfinities > 0 ? [`${formatInteger(positiveInfinities)} +∞`] : []),
    ...(negativeInfinities > 0 ? [`${formatInteger(negativeInfinities)} −∞`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(', ');
}
