import type { Matrix } from 'ml-matrix';
import { attentionRule } from '../../model/mask';
import type { RunnableModel } from '../../model/runnable';
import type { Axis, HeatmapFigure } from '../../protocol/figure';
import { axesOf, type PathAxis, type PathFactor } from '../../protocol/path';
import type { Task } from '../../tasks/task';
import { positionNames } from '../../tasks/words';
import type { AnalysisContext } from '../define';
import { product } from './product';
import { factorsOf, matrixOf, shapeOf } from './weights';

// N rows · C columns · R the narrowest dimension that the product goes through

export interface CircuitAxis {
  readonly kind: PathAxis;
  /** Entry → its name: a word, a position's name, or the number of a dimension. */
  readonly names: readonly string[];
  /** Entries that the model has: more than there are names where only the first are read. */
  readonly total: number;
}

/** A product of weights along a path, kept also as two factors that meet where it is narrowest. */
export interface Circuit {
  readonly rows: CircuitAxis;
  readonly columns: CircuitAxis;
  /** `[N, R]`, or the whole product `[N, C]` where it is of a single matrix. */
  readonly left: Matrix;
  /** `[R, C]`; absent for a single matrix. */
  readonly right: Matrix | undefined;
  /** `[N, C]` */
  readonly values: Matrix;
  /** `[N, C]`, 1 where the model lets the row's position attend to the column's; absent: every pair counts. */
  readonly allowed?: Uint8Array;
}

const mostDrawn = 512;
const mostRead = 2048;

type Source = Pick<AnalysisContext, 'model' | 'task'>;

/**
 * The product along a path. Of a large vocabulary the first 2048 entries are read; where the path is nowhere narrow, the
 * first 512, so that products take seconds and their singular values too.
 * @throws UserError for a factor that the model does not have.
 */
export function circuitAlong(source: Source, path: readonly PathFactor[]): Circuit {
  const { chain, narrowest, most, ...axes } = planOf(source, path);
  const matrices = chain.map((factor, at) => {
    return matrixOf(factor, at === 0 ? most : Infinity, at === chain.length - 1 ? most : Infinity);
  });
  const cut = matrices.findIndex(({ rows }, at) => at > 0 && rows === narrowest);
  const left = matrices.slice(0, cut < 0 ? 1 : cut).reduce((soFar, matrix) => product(soFar, matrix));
  const right = cut < 0 ? undefined : matrices.slice(cut).reduceRight((soFar, matrix) => product(matrix, soFar));
  return { ...axes, left, right, values: right ? product(left, right) : left };
}

/** What the product along a path goes from and to, without multiplying. @throws as {@link circuitAlong} */
export function circuitAxes(source: Source, path: readonly PathFactor[]): Pick<Circuit, 'rows' | 'columns'> {
  const { rows, columns } = planOf(source, path);
  return { rows, columns };
}

function planOf({ model, task }: Source, path: readonly PathFactor[]) {
  const chain = path.flatMap(factor => factorsOf(model, factor));
  const [first, last] = [path[0], path.at(-1)];
  if (!first || !last) throw new Error('a path has a factor at least');
  const shapes = chain.map(shapeOf);
  const narrowest = Math.min(Infinity, ...shapes.slice(1).map(([rows]) => rows));
  const most = narrowest <= mostDrawn ? mostRead : mostDrawn;
  const axis = (kind: PathAxis, total = 0): CircuitAxis => ({ kind, total, names: namesOf(kind, task, Math.min(total, most)) });
  return { chain, narrowest, most, rows: axis(axesOf(first)[0], shapes[0]?.[0]), columns: axis(axesOf(last)[1], shapes.at(-1)?.[1]) };
}

/** A circuit from positions to positions with only the pairs that the model's mask allows. */
export function masked(circuit: Circuit, { config }: RunnableModel): Circuit {
  const { rows, columns, values } = circuit;
  if (rows.kind !== 'positions' || columns.kind !== 'positions') return circuit;
  // Of a long context the first positions are there, of prompts that fill it.
  const allows = attentionRule(config, config.n_ctx);
  const allowed = Uint8Array.from({ length: values.rows * values.columns }, (_, at) => Number(allows(Math.floor(at / values.columns), at % values.columns)));
  return { ...circuit, allowed };
}

function namesOf(kind: PathAxis, task: Task, count: number): readonly string[] {
  const { vocabulary, outputs } = task;
  const known = { vocabulary, outputs, positions: positionNames(task), 'residual stream': [], head: [], mlp: [] }[kind];
  return Array.from({ length: count }, (_, at) => known[at] ?? String(at));
}

const axisTitles: Readonly<Record<PathAxis, string>> = {
  vocabulary: 'Token',
  positions: 'Position',
  outputs: 'Logit',
  'residual stream': 'Residual stream dimension',
  head: 'Head dimension',
  mlp: 'MLP neuron',
};

/** What one entry of an axis is called, as in "There is no token". */
export const entryTitles: Readonly<Record<PathAxis, string>> = {
  vocabulary: 'token',
  positions: 'position',
  outputs: 'output',
  'residual stream': 'residual stream dimension',
  head: 'head dimension',
  mlp: 'MLP neuron',
};

interface Heading {
  readonly title: string;
  readonly caption: string;
  /** Titles of the axes where the circuit says more than what they count. */
  readonly rowTitle?: string;
  readonly columnTitle?: string;
  readonly rows?: readonly number[];
  readonly columns?: readonly number[];
}

/** The circuit as a heatmap: of its first 512 rows and columns, or of the ones given. */
export function circuitFigure(circuit: Circuit, { title, caption, rowTitle, columnTitle, ...chosen }: Heading): HeatmapFigure {
  const rows = (chosen.rows ?? [...circuit.rows.names.keys()]).slice(0, mostDrawn);
  const columns = (chosen.columns ?? [...circuit.columns.names.keys()]).slice(0, mostDrawn);
  const { values, allowed } = circuit;
  const cells = rows.flatMap(row => columns.map(column => [row, column] as const));
  const isWhole = chosen.rows === undefined && chosen.columns === undefined;
  return {
    kind: 'heatmap',
    title,
    caption: caption + (isWhole ? cutShort(circuit) : ''),
    y: figureAxis(circuit.rows, rowTitle, rows),
    x: figureAxis(circuit.columns, columnTitle, columns),
    rows: rows.length,
    columns: columns.length,
    values: Float32Array.from(cells, ([row, column]) => values.get(row, column)),
    ...(allowed && { present: Uint8Array.from(cells, ([row, column]) => allowed[row * values.columns + column] ?? 0) }),
    scale: 'diverging',
    unit: '',
  };
}

function figureAxis({ kind, names }: CircuitAxis, title: string | undefined, entries: readonly number[]): Axis {
  return {
    title: title ?? axisTitles[kind],
    labels: entries.map(entry => names[entry] ?? ''),
    ...(kind === 'positions' && { subjects: entries.map(position => ({ position })) }),
  };
}

/** What of the circuit a figure or its numbers do not show. */
function cutShort({ rows, columns }: Circuit): string {
  const drawn = [rows, columns].some(({ names }) => names.length > mostDrawn) ? ` The first ${mostDrawn} rows and columns are drawn.` : '';
  const read = [rows, columns].find(({ names, total }) => names.length < total);
  return drawn + (read ? ` Numbers are of the first ${read.names.length} of ${read.total} ${entryTitles[read.kind]}s.` : '');
}
