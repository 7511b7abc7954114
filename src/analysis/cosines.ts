import { Matrix } from 'ml-matrix';
import { product } from './weights/product';

/** The cosine of each two rows of `values [n, m]`: `[n, n]`. Two rows of zeros are the same, 1; of a row of zeros and another it is 0. */
export function cosinesOf(values: Matrix): Matrix {
  const rows = Array.from({ length: values.rows }, (_, row) => values.getRow(row));
  const norms = rows.map(row => Math.hypot(...row));
  const directions = new Matrix(rows.map((row, at) => row.map(value => (norms[at] === 0 ? 0 : value / (norms[at] ?? 1)))));
  const cosines = product(directions, directions.transpose());
  norms.forEach((one, row) => norms.forEach((other, column) => {
    if (one === 0 && other === 0) cosines.set(row, column, 1);
  }));
  return cosines;
}
