import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';

/** What the rows or the columns of a matrix range over. Two matrices can be multiplied where theirs meet in the same one. */
export type PathAxis = 'vocabulary' | 'positions' | 'residual stream' | 'head' | 'mlp' | 'outputs';

type Shape = readonly [rows: PathAxis, columns: PathAxis];

/** Matrices that a model has one of. */
const ofModel = {
  W_E: ['vocabulary', 'residual stream'],
  W_pos: ['positions', 'residual stream'],
  W_U: ['residual stream', 'outputs'],
} as const satisfies Record<string, Shape>;

/** Matrices of each head; OV is `W_V W_O`, QK is `W_Q W_Kᵀ`. */
const ofHead = {
  OV: ['residual stream', 'residual stream'],
  QK: ['residual stream', 'residual stream'],
  W_Q: ['residual stream', 'head'],
  W_K: ['residual stream', 'head'],
  W_V: ['residual stream', 'head'],
  W_O: ['head', 'residual stream'],
} as const satisfies Record<string, Shape>;

/** Matrices of each layer's MLP. */
const ofLayer = {
  W_in: ['residual stream', 'mlp'],
  W_out: ['mlp', 'residual stream'],
} as const satisfies Record<string, Shape>;

const shapes = { ...ofModel, ...ofHead, ...ofLayer };
export type ModelMatrix = keyof typeof ofModel;
export type HeadMatrix = keyof typeof ofHead;
export type LayerMatrix = keyof typeof ofLayer;
export const headMatrices = Object.keys(ofHead).filter(name => isIn(ofHead, name));
export const layerMatrices = Object.keys(ofLayer).filter(name => isIn(ofLayer, name));
export const modelMatrices = Object.keys(ofModel).filter(name => isIn(ofModel, name));

/** One matrix of a product along a path through a model. */
export type PathFactor = { readonly transposed: boolean } & (
  | { readonly matrix: ModelMatrix }
  | { readonly matrix: HeadMatrix; readonly layer: number; readonly head: number }
  | { readonly matrix: LayerMatrix; readonly layer: number }
);

/**
 * Reads a product such as `W_pos · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ`: factors separated by `·`, `@`, `*` or spaces, each
 * transposed with `ᵀ` or `^T`. Which layers and heads there are, only the model knows.
 * @throws UserError for a factor that cannot be read or does not fit what stands before it, with the factor and its place,
 * counted from 1.
 */
export function parsePath(text: string): readonly PathFactor[] {
  // What stands in parentheses is one with the name before it.
  const parts = text.split(/(?:[·@*]|\s)+(?![^()]*\))/).filter(part => part !== '');
  if (parts.length === 0) throw new UserError('The path is empty; write a product such as W_E · OV(0.0) · W_U.');
  const factors = parts.map((part, at) => parseFactor(part, `Factor ${at + 1} of the path`));
  const problem = pathProblem(factors);
  if (problem !== undefined) throw new UserError(problem);
  return factors;
}

/** The product as text that {@link parsePath} reads back. */
export function formatPath(factors: readonly PathFactor[]): string {
  return factors.map(formatFactor).join(' · ');
}

export function formatFactor(factor: PathFactor): string {
  const place = 'head' in factor ? `(${factor.layer}.${factor.head})` : 'layer' in factor ? `(${factor.layer})` : '';
  return `${factor.matrix}${place}${factor.transposed ? 'ᵀ' : ''}`;
}

/** What a factor's rows and columns range over, as it stands in the product. */
export function axesOf({ matrix, transposed }: PathFactor): Shape {
  const [rows, columns] = shapes[matrix];
  return transposed ? [columns, rows] : [rows, columns];
}

/** Why a factor cannot follow another; undefined where it can. */
export function misfit(before: PathFactor, factor: PathFactor): string | undefined {
  const [[, end], [start]] = [axesOf(before), axesOf(factor)];
  if (start === end) return undefined;
  return `${formatFactor(factor)} begins in ${axisName(start)}, but ${formatFactor(before)} before it ends in ${axisName(end)}`;
}

/** Where a product does not fit together, in a sentence; undefined where it does. */
export function pathProblem(factors: readonly PathFactor[]): string | undefined {
  for (const [at, factor] of factors.entries()) {
    const before = factors[at - 1];
    const reason = before && misfit(before, factor);
    if (reason !== undefined) return `Factor ${at + 1} of the path does not fit: ${reason}. A transpose, or another factor between them, would fit.`;
  }
  return undefined;
}

export function axisName(axis: PathAxis): string {
  return axis === 'mlp' ? 'the MLP' : `the ${axis}`;
}

function parseFactor(text: string, where: string): PathFactor {
  const [, name = '', argument, transpose] = /^([A-Za-z_]+)(?:\(([^()]*)\))?(ᵀ|\^T)?$/.exec(text) ?? [];
  const transposed = transpose !== undefined;
  if (name === '') throw new UserError(`${where}, "${text}", cannot be read; write it as in W_E, OV(1.0) or W_in(0)ᵀ.`);
  if (isIn(ofModel, name)) {
    if (argument === undefined) return { matrix: name, transposed };
    throw new UserError(`${where}, "${text}": the model has one ${name}, so write ${name} alone.`);
  }
  if (isIn(ofHead, name)) {
    const [, layer, head] = /^\s*L?(\d+)[.H](\d+)\s*$/.exec(argument ?? '') ?? [];
    if (layer !== undefined && head !== undefined) return { matrix: name, layer: Number(layer), head: Number(head), transposed };
    throw new UserError(`${where}, "${text}": ${name} is of a head, written layer.head, as in ${name}(1.0).`);
  }
  if (isIn(ofLayer, name)) {
    const [, layer] = /^\s*L?(\d+)\s*$/.exec(argument ?? '') ?? [];
    if (layer !== undefined) return { matrix: name, layer: Number(layer), transposed };
    throw new UserError(`${where}, "${text}": ${name} is of a layer's MLP, as in ${name}(0).`);
  }
  throw new UserError(`${where}, "${text}": ${unknownName('matrix', name, Object.keys(shapes)).message}`);
}

function isIn<T extends object>(names: T, name: string): name is keyof T & string {
  return Object.hasOwn(names, name);
}
