import type { Figure, HeatmapFigure } from '../../protocol/figure';
import type { PathFactor } from '../../protocol/path';
import type { PythonContext } from '../define';
import { circuitAxes, type CircuitAxis } from '../weights/circuit';
import type { Block } from '../weights/circuitScores';
import { pythonList } from './written';

/** Lines that make `circuit`, the product along a path: a FactoredMatrix where a head is on it, and otherwise a tensor. */
export function circuitLines(context: Pick<PythonContext, 'model' | 'task'>, path: readonly PathFactor[], scale = ''): readonly string[] {
  const { rows, columns } = circuitAxes(context, path);
  const factors = path.map((factor, at) => {
    const read = at === 0 && rows.names.length < rows.total ? `[:${rows.names.length}]` : '';
    const written = at === path.length - 1 && columns.names.length < columns.total ? `[:, :${columns.names.length}]` : '';
    return `${expressionOf(factor)}${read}${written}`;
  });
  return [`circuit = ${factors.join(' @ ')}${scale}`];
}

/** The circuit as a heatmap: all of it, or the chosen block. */
export function circuitValues(context: PythonContext, path: readonly PathFactor[], block?: Block): readonly string[] {
  const figure = heatmapOf(context.figure);
  const whole = isFactored(path) ? 'circuit.AB' : 'circuit';
  if (!block) {
    const { rows, columns } = circuitAxes(context, path);
    const isCut = figure.rows < rows.names.length || figure.columns < columns.names.length;
    return [`figure = ${whole}${isCut ? `[:${figure.rows}, :${figure.columns}]` : ''}`];
  }
  const [rows, columns] = [block.rows.slice(0, figure.rows), block.columns.slice(0, figure.columns)];
  return [`figure = ${whole}[${pythonIndices(rows)}][:, ${pythonIndices(columns)}]`];
}

/** The figures of a circuit's singular values and directions; undefined for another. */
export function singularLines({ figure }: PythonContext, path: readonly PathFactor[]): readonly string[] | undefined {
  if (figure.kind === 'lines' && figure.title === 'Singular values') {
    const count = figure.series[0]?.x.length ?? 0;
    return [`figure = {"singular value": ${isFactored(path) ? 'circuit.S' : 'torch.linalg.svdvals(circuit)'}[:${count}]}`];
  }
  if (figure.kind === 'table' && figure.title === 'Singular directions') {
    return [
      `S = ${isFactored(path) ? 'circuit.S' : 'torch.linalg.svdvals(circuit)'}`,
      `figure = {"Direction": torch.arange(1, len(S) + 1), "Singular value": S, "Share of squares": S**2 / (S**2).sum()}`,
      `figure = {name: values[:${figure.rows.length}] for name, values in figure.items()}  # circuit.U and circuit.Vh have the words`,
    ];
  }
  return undefined;
}

function isFactored(path: readonly PathFactor[]): boolean {
  return path.some(({ matrix }) => matrix === 'OV' || matrix === 'QK');
}

/** One factor under TransformerLens' names. */
function expressionOf(factor: PathFactor): string {
  const place = 'head' in factor ? `[${factor.layer}, ${factor.head}]` : 'layer' in factor ? `[${factor.layer}]` : '';
  return `model.${factor.matrix}${place}${factor.transposed ? '.T' : ''}`;
}

/** A table of the model, or what is read of a large one. */
export function firstRows(table: string, { names, total }: CircuitAxis): string {
  return `model.${table}${names.length < total ? `[:${names.length}]` : ''}`;
}

/** Places to index a tensor with, as a range where they follow each other. */
export function pythonIndices(numbers: readonly number[]): string {
  const [first = 0] = numbers;
  const isRange = numbers.length > 2 && numbers.every((number, at) => number === first + at);
  return isRange ? `torch.arange(${first}, ${first + numbers.length})` : `torch.tensor(${pythonList(numbers)})`;
}

/** A figure that is known to be a heatmap. */
export function heatmapOf(figure: Figure): HeatmapFigure {
  if (figure.kind !== 'heatmap') throw new Error(`"${figure.title}" is no heatmap`);
  return figure;
}
