import { UserError } from '../common/errors';
import { formatShape, type Shape } from '../common/tensor';
import { sliceLimit, type SliceRequest, type TensorSlice } from '../protocol/checkpointFile';

/** Elements between two stretches of a row that are read along rather than read apart. */
const mostPassed = 4096;
const largestFloat32 = 3.4028234663852886e38;

type Range = SliceRequest['rows'];

/**
 * A matrix out of a tensor's numbers, read by `read` in row-major order: only its rows, and where the tensor is wide only
 * its columns of these. What is too large for float32 is as large as float32 can be, and as it is in `precise`.
 * @throws UserError for an index, rows or columns that the tensor does not have.
 */
export async function tensorSlice(
  shape: Shape,
  { tensor, index, rows, columns }: Omit<SliceRequest, 'file'>,
  read: (from: number, count: number) => Promise<ArrayLike<number>>,
): Promise<TensorSlice> {
  const [height, width] = shape.length < 2 ? [1, shape[0] ?? 1] : [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const leading = shape.slice(0, -2);
  const name = `${tensor} ${formatShape(shape)}`;
  if (index.length !== leading.length) {
    throw new UserError(`A slice of ${name} needs ${leading.length === 0 ? 'no index' : `an index for each of its first ${leading.length} axes`}, and has ${index.length}.`);
  }
  leading.forEach((size, axis) => {
    const at = index[axis] ?? -1;
    if (at < 0 || at >= size) throw new UserError(`${name} has no ${at} on axis ${axis}, where ${upTo(size)}.`);
  });
  checkRange(name, 'row', rows, height);
  checkRange(name, 'column', columns, width);

  const start = leading.reduce((offset, size, axis) => offset * size + (index[axis] ?? 0), 0) * height * width;
  const values = new Float32Array(rows.count * columns.count);
  let precise: Float64Array | undefined;
  const notFinite: { at: number; value: 'NaN' | 'Infinity' | '-Infinity' }[] = [];
  const take = (row: number, source: ArrayLike<number>, from: number) => {
    if (!(source instanceof Float32Array)) precise ??= new Float64Array(values.length);
    for (let column = 0; column < columns.count; column++) {
      const at = row * columns.count + column;
      const value = source[from + column] ?? Number.NaN;
      if (Number.isFinite(value)) {
        values[at] = Math.min(largestFloat32, Math.max(-largestFloat32, value));
        if (precise) precise[at] = value;
      } else notFinite.push({ at, value: Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity' });
    }
  };
  const first = start + rows.from * width + columns.from;
  if (width - columns.count <= mostPassed) {
    const source = await read(first, (rows.count - 1) * width + columns.count);
    for (let row = 0; row < rows.count; row++) take(row, source, row * width);
  } else {
    for (let row = 0; row < rows.count; row++) take(row, await read(first + row * width, columns.count), 0);
  }
  return { rows: rows.count, columns: columns.count, values, ...(precise && { precise }), notFinite };
}

function checkRange(name: string, what: string, { from, count }: Range, size: number): void {
  if (size === 0) throw new UserError(`${name} is empty: there is nothing to show of it.`);
  if (count < 1 || count > sliceLimit) throw new UserError(`A slice has from 1 to ${sliceLimit} ${what}s, not ${count}.`);
  if (from < 0 || from + count > size) {
    throw new UserError(`${name} has no ${what}s ${from} to ${from + count - 1}, where ${upTo(size)}.`);
  }
}

function upTo(size: number): string {
  return size === 0 ? 'there is none' : size === 1 ? 'there is only 0' : `there are 0 to ${size - 1}`;
}
