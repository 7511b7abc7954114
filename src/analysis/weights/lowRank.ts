import { EigenvalueDecomposition, QrDecomposition, SingularValueDecomposition, type Matrix } from 'ml-matrix';
import type { Figure, LinesFigure, Subject, TableFigure } from '../../protocol/figure';
import type { Parameters } from '../../protocol/parameter';
import type { Circuit, CircuitAxis } from './circuit';
import { product } from './product';

// N rows · C columns · R the narrowest dimension of a circuit

export const directionsParameter = {
  directions: { kind: 'integer', title: 'Singular directions', description: 'How many singular directions are read out in words.', default: 5, minimum: 1, maximum: 50 },
} as const satisfies Parameters;

/** Words on either end of a direction. */
const wordsShown = 5;

export interface SingularDirections {
  /** Descending; as many as the circuit's rank can be. */
  readonly values: readonly number[];
  /** `[N, R]`, a column for each singular value: unit vectors over the rows. */
  readonly input: Matrix;
  /** `[C, R]`, unit vectors over the columns. */
  readonly output: Matrix;
}

/**
 * The circuit's singular values and directions. Where the product goes through fewer dimensions than it has rows and
 * columns, only a matrix of that size is decomposed: with `left = Q₁R₁` and `rightᵀ = Q₂R₂`, the product is
 * `Q₁ (R₁R₂ᵀ) Q₂ᵀ`. Each direction is turned so that its largest input entry is positive.
 */
export function singularDirections({ left, right, values }: Pick<Circuit, 'left' | 'right' | 'values'>): SingularDirections {
  const isNarrow = right !== undefined && left.columns < Math.min(values.rows, values.columns);
  if (!isNarrow) return turned(new SingularValueDecomposition(values, { autoTranspose: true }));
  const [first, second] = [new QrDecomposition(left), new QrDecomposition(right.transpose())];
  const middle = new SingularValueDecomposition(product(first.upperTriangularMatrix, second.upperTriangularMatrix.transpose()));
  return turned({
    diagonal: middle.diagonal,
    leftSingularVectors: product(first.orthogonalMatrix, middle.leftSingularVectors),
    rightSingularVectors: product(second.orthogonalMatrix, middle.rightSingularVectors),
  });
}

type Decomposition = Pick<SingularValueDecomposition, 'diagonal' | 'leftSingularVectors' | 'rightSingularVectors'>;

function turned({ diagonal, leftSingularVectors, rightSingularVectors }: Decomposition): SingularDirections {
  const [input, output] = [leftSingularVectors.clone(), rightSingularVectors.clone()];
  for (let direction = 0; direction < diagonal.length; direction++) {
    const column = input.getColumn(direction);
    const most = column.reduce((largest, value) => (Math.abs(value) > Math.abs(largest) ? value : largest), 0);
    if (most >= 0) continue;
    input.mulColumn(direction, -1);
    output.mulColumn(direction, -1);
  }
  return { values: diagonal, input, output };
}

/** The share of the squared entries that the largest singular value accounts for: 1 for a matrix of rank one, 0 for zeros. */
export function topSingularShare({ values }: SingularDirections): number {
  const squares = values.map(value => value ** 2);
  const total = squares.reduce((sum, square) => sum + square, 0);
  return total === 0 ? 0 : (squares[0] ?? 0) / total;
}

/**
 * Σλ/Σ|λ| over the eigenvalues of some rows and as many columns of a circuit, paired in their order: 1 where every eigenvalue
 * is positive, as of a head that copies (Elhage et al. 2021, "Summarizing OV/QK matrices"); between −1 and 1, and 0 for
 * zeros. `left · right` has the eigenvalues of `right · left`, and zeros: the smaller of the two is decomposed.
 */
export function eigenvalueScore({ left, right, values }: Circuit, pairs: ReadonlyMap<number, number>): number | undefined {
  const [rows, columns] = [[...pairs.keys()], [...pairs.values()]];
  if (rows.length === 0) return undefined;
  const square = right && left.columns < rows.length
    ? product(right.subMatrixColumn(columns), left.subMatrixRow(rows))
    : values.selection(rows, columns);
  const { realEigenvalues, imaginaryEigenvalues } = new EigenvalueDecomposition(square);
  const size = realEigenvalues.reduce((sum, real, at) => sum + Math.hypot(real, imaginaryEigenvalues[at] ?? 0), 0);
  return size === 0 ? 0 : realEigenvalues.reduce((sum, real) => sum + real, 0) / size;
}

/** The singular values as a line, and the strongest directions read out in the names of rows and columns. */
export function lowRankFigures(circuit: Circuit, directions: SingularDirections, count: number, subject?: Subject): readonly Figure[] {
  const { values, input, output } = directions;
  const total = values.reduce((sum, value) => sum + value ** 2, 0);
  const about = subject && { subject };
  const lines: LinesFigure = {
    kind: 'lines',
    title: 'Singular values',
    caption: 'How strongly the circuit passes on each of its singular directions, largest first.',
    x: { title: 'Direction' },
    y: { title: 'Singular value' },
    series: [{ name: 'singular value', x: Float64Array.from(values, (_, at) => at + 1), y: Float64Array.from(values) }],
    scalar: 'topSingularShare',
    ...about,
  };
  const table: TableFigure = {
    kind: 'table',
    title: 'Singular directions',
    caption: `What each direction reads (rows) and writes (columns): the ${wordsShown} entries furthest up and down. Positive goes to positive, negative to negative; the sign itself is arbitrary.`,
    columns: [
      { title: 'Direction', numeric: true }, { title: 'Singular value', numeric: true }, { title: 'Share of squares', numeric: true },
      ...['Reads +', 'Writes +', 'Reads −', 'Writes −'].map(title => ({ title, numeric: false })),
    ],
    rows: values.slice(0, count).map((value, at) => [
      at + 1, value, total === 0 ? 0 : value ** 2 / total,
      extremes(circuit.rows, input, at, 1), extremes(circuit.columns, output, at, 1),
      extremes(circuit.rows, input, at, -1), extremes(circuit.columns, output, at, -1),
    ]),
    ...about,
  };
  return [lines, table];
}

/** The names of the entries furthest to one side of a direction, furthest first. */
function extremes({ names }: CircuitAxis, vectors: Matrix, direction: number, side: 1 | -1): string {
  const along = vectors.getColumn(direction).map((value, entry) => ({ value: value * side, name: names[entry] ?? '' }));
  return along.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value).slice(0, wordsShown).map(({ name }) => name).join('  ');
}
