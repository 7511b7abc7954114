import type { ElementType, FileFormat } from '../../protocol/checkpointFile';
import type { Shape } from '../../common/tensor';

/** A tensor of a file: where it is, not its numbers. */
export interface FileTensor {
  readonly kind: 'tensor';
  readonly dtype: ElementType;
  readonly shape: Shape;
}

/**
 * A value in a file: plain data, whatever the file calls it. Dictionaries are maps, so that no key means anything; a file
 * can hold one value in several places, and never a value within itself.
 */
export type FileValue = FileTensor | string | number | bigint | boolean | null | readonly FileValue[] | ReadonlyMap<string | number, FileValue>;

/** A file of tensors that is open. Every number that it says of itself was checked when it was opened. */
export interface TensorFile {
  /** Absolute. */
  readonly path: string;
  readonly format: FileFormat;
  /** Bytes. */
  readonly size: number;
  readonly metadata: ReadonlyMap<string, string>;
  /** What it holds: of safetensors a map from names to tensors. */
  readonly root: FileValue;
  /** Every tensor by its path in `root`, joined by dots. */
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /**
   * Elements of a tensor in row-major order, from the `from`-th on; without a range, all of them. Only their bytes are read. float64 is as
   * it is, and int64 where it is exact; bool is 0 and 1.
   * @throws UserError when the file is cut short, or has changed, meanwhile; for an int64 that is beyond 2⁵³.
   */
  read(tensor: FileTensor, from?: number, count?: number): Promise<Float32Array | Float64Array | Int32Array>;
  close(): Promise<void>;
}
