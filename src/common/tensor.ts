/** Values of tensors outside of any backend: what files, processes and figures carry. */
export type DType = 'float32' | 'int32' | 'bool';
export type Shape = readonly number[];

export interface TypedArrays {
  readonly float32: Float32Array;
  readonly int32: Int32Array;
  /** One byte a value, 0 or 1. */
  readonly bool: Uint8Array;
}

/** A dense tensor in row-major order. */
export interface HostTensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: Shape;
  readonly data: TypedArrays[D];
}

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** `[3, 4]` as people write it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

/** A float32 tensor; without `data`, of zeros. Throws when the sizes disagree. */
export function float32(shape: Shape, data: Float32Array = new Float32Array(sizeOf(shape))): HostTensor<'float32'> {
  return checked({ dtype: 'float32', shape, data });
}

/** An int32 tensor; without `data`, of zeros. Throws when the sizes disagree. */
export function int32(shape: Shape, data: Int32Array = new Int32Array(sizeOf(shape))): HostTensor<'int32'> {
  return checked({ dtype: 'int32', shape, data });
}

function checked<D extends DType>(tensor: HostTensor<D>): HostTensor<D> {
  if (tensor.data.length !== sizeOf(tensor.shape)) {
    throw new RangeError(`${tensor.data.length} values do not fill the shape ${formatShape(tensor.shape)}`);
  }
  return tensor;
}

/** Rows `from` up to `to` along the first axis; their numbers are those of the tensor itself. */
export function rowsOf<D extends DType>({ dtype, shape: [, ...rest], data }: HostTensor<D>, from: number, to: number): HostTensor<D> {
  const size = sizeOf(rest);
  return { dtype, shape: [to - from, ...rest], data: data.subarray(from * size, to * size) as TypedArrays[D] };
}

/** Tensors of one shape but for their first axis as one, the rows of each behind those of the one before. */
export function joinedRows(parts: readonly HostTensor<'float32'>[]): HostTensor<'float32'> {
  const [first] = parts;
  if (!first || parts.length === 1) return first ?? float32([0]);
  const whole = float32([parts.reduce((sum, { shape: [rows = 0] }) => sum + rows, 0), ...first.shape.slice(1)]);
  let at = 0;
  for (const { data } of parts) {
    whole.data.set(data, at);
    at += data.length;
  }
  return whole;
}

/** Stretches of `count` rows with at most `most` rows each, about equally long so that few graphs have to be compiled for them. */
export function stretchesOf(count: number, most: number): readonly { readonly from: number; readonly to: number }[] {
  const size = Math.ceil(count / Math.ceil(count / most));
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => ({ from: index * size, to: Math.min(count, (index + 1) * size) }));
}

/** Whether all of them are finite, of hundreds of millions too: an iterator, or asking `Number.isFinite` of each, takes several times as long. */
export function allFinite(values: Float32Array): boolean {
  let zero = 0;
  // Infinity times 0, and NaN times 0, is NaN, and stays so in a sum.
  for (let at = 0; at < values.length; at++) zero += (values[at] ?? 0) * 0;
  return zero === 0;
}

/** The row-major array nested by shape, as JSON shows it; a scalar is its number. */
export type Nested = number | Nested[];
export function nested({ shape, data }: { readonly shape: Shape; readonly data: ArrayLike<number> }): Nested {
  const build = (axis: number, offset: number, stride: number): Nested => {
    const length = shape[axis];
    if (length === undefined) return data[offset] ?? 0;
    const inner = length === 0 ? 0 : stride / length;
    return Array.from({ length }, (_, i) => build(axis + 1, offset + i * inner, inner));
  };
  return build(0, 0, sizeOf(shape));
}
