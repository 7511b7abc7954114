import { UserError } from '../../common/errors';
import { unknownName } from '../../common/nearest';
import type { HeatmapFigure } from '../../protocol/figure';
import type { Parameters, ValuesOf } from '../../protocol/parameter';
import type { Task } from '../../tasks/task';
import { circuitFigure, entryTitles, type Circuit, type CircuitAxis } from './circuit';

/** The parameters by which people choose what of a circuit is measured. */
export const asideParameter = {
  aside: { kind: 'text', title: 'Tokens aside', description: 'Tokens that the scores leave out, separated by spaces (or commas), as in "0 1 2".', default: '' },
} as const satisfies Parameters;
export const blockParameters = {
  rows: { kind: 'text', title: 'Rows', description: 'Names or numbers of rows for a block of the circuit, separated by spaces or commas, as in "↵ (7), b1, b2". Empty: all of them.', default: '' },
  columns: { kind: 'text', title: 'Columns', description: 'Names or numbers of columns for the block; its diagonal pairs the first row with the first column, and so on. Empty: all of them.', default: '' },
} as const satisfies Parameters;

type Names = ValuesOf<typeof blockParameters>;
type Axes = Pick<Circuit, 'rows' | 'columns'>;

/** Rows and columns of a circuit to measure. */
export interface Block {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** Row → the column that it is paired with, where there is one: both entries of the circuit, not of the block. */
  readonly diagonal: ReadonlyMap<number, number>;
}

export interface BlockScores {
  /** Fraction of the rows whose largest entry, strictly, is on the diagonal; of rows that have a diagonal entry and another. */
  readonly diagonal?: number;
  /** Mean of the diagonal less the mean of all other entries. */
  readonly mean?: number;
  /** The smallest, over the rows, of the diagonal entry less the largest other entry of its row. */
  readonly smallestDiagonal?: number;
  /** The largest absolute value. */
  readonly largest?: number;
}

/** The scalars of a chosen block: name → what it measures. */
export const blockScalarNames = {
  blockDiagonal: 'fraction of the rows of the chosen block whose largest entry in the block is on its diagonal',
  blockMean: 'mean of the diagonal of the chosen block less the mean of its other entries',
  blockSmallestDiagonal: 'smallest, over the rows of the block, of the diagonal entry less the largest other entry',
  blockLargest: 'largest absolute entry of the chosen block',
};

export function blockScalars({ diagonal, mean, smallestDiagonal, largest }: BlockScores): Readonly<Record<string, number>> {
  return {
    ...(diagonal !== undefined && { blockDiagonal: diagonal }),
    ...(mean !== undefined && { blockMean: mean }),
    ...(smallestDiagonal !== undefined && { blockSmallestDiagonal: smallestDiagonal }),
    ...(largest !== undefined && { blockLargest: largest }),
  };
}

/** The chosen block drawn by itself; nothing where neither rows nor columns were chosen. */
export function blockFigures(circuit: Circuit, block: Block, names: Names): readonly HeatmapFigure[] {
  if (!isNamed(names.rows) && !isNamed(names.columns)) return [];
  const { rows, columns, diagonal } = block;
  const caption = `The chosen rows and columns of the circuit${diagonal.size > 0 ? '' : '; they have no diagonal'}.`;
  const figure = circuitFigure(circuit, { title: 'Chosen block', caption, rows, columns });
  return [{ ...figure, scalar: scoresOf(circuit, block).diagonal === undefined ? 'blockLargest' : 'blockDiagonal' }];
}

/** Every entry but the tokens left aside, each row paired with the column of its name: token with output, position with position. */
export function wholeBlock({ rows, columns }: Axes, aside: readonly string[]): Block {
  const kept = ({ kind, names }: CircuitAxis) => [...names.keys()].filter(at => !isWord(kind) || !aside.includes(names[at] ?? ''));
  const [keptRows, keptColumns] = [kept(rows), kept(columns)];
  return { rows: keptRows, columns: keptColumns, diagonal: pairedByName(rows, keptRows, columns, keptColumns) };
}

/**
 * The block of the rows and columns that were named; where one list is empty, all of them. Two lists are paired in their
 * order, and otherwise rows are paired with the columns of their names.
 * @throws UserError for a name that an axis does not have, with the nearest, or two lists of different lengths.
 */
export function chosenBlock(circuit: Axes, { rows, columns }: Names, aside: readonly string[]): Block {
  const whole = wholeBlock(circuit, aside);
  const chosenRows = isNamed(rows) ? entriesOf(circuit.rows, rows) : whole.rows;
  const chosenColumns = isNamed(columns) ? entriesOf(circuit.columns, columns) : whole.columns;
  if (!isPaired({ rows, columns })) {
    const diagonal = pairedByName(circuit.rows, chosenRows, circuit.columns, chosenColumns);
    return { rows: chosenRows, columns: chosenColumns, diagonal };
  }
  if (chosenRows.length !== chosenColumns.length) {
    const counts = `${chosenRows.length} rows and ${chosenColumns.length} columns`;
    throw new UserError(`The block has ${counts}; its diagonal pairs them one by one, so name as many of each, or leave one empty.`);
  }
  return { rows: chosenRows, columns: chosenColumns, diagonal: new Map(chosenRows.map((row, at) => [row, chosenColumns[at] ?? 0])) };
}

/** Whether both lists are given, so that their order pairs them. */
function isPaired({ rows, columns }: Names): boolean {
  return isNamed(rows) && isNamed(columns);
}

/** The words left aside. @throws UserError for one that is no token, or when no token that is an output too is left. */
export function asideOf({ vocabulary, outputs }: Pick<Task, 'vocabulary' | 'outputs'>, text: string): readonly string[] {
  const words = listed(text);
  for (const word of words) {
    if (!vocabulary.includes(word)) throw unknownName('token', word, vocabulary);
  }
  const known = new Set(vocabulary);
  const shared = outputs.filter(word => known.has(word));
  if (shared.length > 0 && shared.every(word => words.includes(word))) {
    throw new UserError('All tokens that are outputs too are left aside; leave some to measure.');
  }
  return words;
}

/** What a block's entries say. A score that needs what the block does not have, such as a diagonal, is absent. */
export function scoresOf({ values, allowed }: Circuit, { rows, columns, diagonal }: Block): BlockScores {
  const lines = rows.map(row => {
    const seen = columns.filter(column => !allowed || allowed[row * values.columns + column] === 1);
    const pair = diagonal.get(row);
    const others = seen.filter(column => column !== pair).map(column => values.get(row, column));
    const own = pair !== undefined && seen.includes(pair) ? values.get(row, pair) : undefined;
    const size = Math.max(largestOf(others.map(Math.abs)), Math.abs(own ?? 0));
    return { own, others: sumOf(others), count: others.length, most: largestOf(others), size };
  });
  const paired = lines.flatMap(({ own, ...rest }) => (own === undefined ? [] : [{ own, ...rest }]));
  const count = sumOf(lines.map(line => line.count));
  const meanOfPaired = sumOf(paired.map(({ own }) => own)) / paired.length;
  const meanOfOthers = sumOf(lines.map(({ others }) => others)) / count;
  // A row of one entry, as the first under a causal mask, has its largest there whatever it is.
  const margins = paired.flatMap(({ own, most, count: others }) => (others > 0 ? [own - most] : []));
  return {
    ...(margins.length > 0 && { diagonal: margins.filter(margin => margin > 0).length / margins.length }),
    ...(paired.length > 0 && count > 0 && { mean: meanOfPaired - meanOfOthers }),
    ...(margins.length > 0 && { smallestDiagonal: Math.min(...margins) }),
    ...(paired.length + count > 0 && { largest: largestOf(lines.map(({ size }) => size)) }),
  };
}

/** Whether a list has an entry: one of separators alone is as empty as an empty one. */
function isNamed(text: string): boolean {
  return listed(text).length > 0;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function largestOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}

function pairedByName(rowAxis: CircuitAxis, rows: readonly number[], columnAxis: CircuitAxis, columns: readonly number[]): ReadonlyMap<number, number> {
  const comparable = rowAxis.kind === columnAxis.kind || (isWord(rowAxis.kind) && isWord(columnAxis.kind));
  const byName = new Map(columns.map(column => [columnAxis.names[column] ?? '', column]));
  return new Map(comparable ? rows.flatMap(row => {
    const column = byName.get(rowAxis.names[row] ?? '');
    return column === undefined ? [] : [[row, column] as const];
  }) : []);
}

function isWord(kind: CircuitAxis['kind']): boolean {
  return kind === 'vocabulary' || kind === 'outputs';
}

/** Entries of an axis by their names; by their numbers from 0 where they are not words. */
function entriesOf({ kind, names }: CircuitAxis, text: string): readonly number[] {
  const entries = listed(text, names).map(name => {
    const at = names.indexOf(name);
    if (at >= 0) return at;
    const number = !isWord(kind) && /^\d+$/.test(name) ? Number(name) : names.length;
    if (number < names.length) return number;
    throw unknownName(entryTitles[kind], name, names);
  });
  return [...new Set(entries)];
}

/**
 * The entries of a list: separated by commas where there is one, otherwise by spaces, of which a name may have some itself.
 */
function listed(text: string, names: readonly string[] = []): readonly string[] {
  const parts = text.split(text.includes(',') ? ',' : /\s+/).map(part => part.trim()).filter(part => part !== '');
  const spaced = names.filter(name => name.includes(' ')).map(name => name.split(' '));
  const entries: string[] = [];
  for (let at = 0; at < parts.length;) {
    const name = spaced.find(words => words.every((word, index) => parts[at + index] === word)) ?? [parts[at] ?? ''];
    entries.push(name.join(' '));
    at += name.length;
  }
  return entries;
}
