import type { Graph, Value } from '../graph';
import { sameShape, type DType, type Shape } from '../../common/tensor';
import type { Inputs } from './register';

/** The input of that name; a kernel called without it is a defect of its caller. */
export function inputOf(inputs: Inputs, name: string): Value {
  const value = inputs[name];
  if (!value) throw new Error(`the input "${name}" is missing`);
  return value;
}

/** Numpy's rule for the shape of two broadcast operands. */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const m = a[axis - rank + a.length] ?? 1;
    const n = b[axis - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) throw new RangeError(`the shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
    return m === 1 ? n : m;
  });
}

/** A value that operators without broadcasting can take: a splat is filled in. */
export function whole(graph: Graph, value: Value): Value {
  if (value.splat === undefined || value.shape.length === 0) return value;
  return graph.node('Expand', [value, graph.int64(value.shape)], value);
}

/** Repeats a value along its axes of length 1 to the shape. */
export function expand(graph: Graph, value: Value, shape: Shape): Value {
  if (sameShape(value.shape, shape)) return value;
  if (value.splat !== undefined && value.dtype !== 'int64') return graph.splat(value.dtype, shape, value.splat);
  return graph.node('Expand', [value, graph.int64(shape)], { dtype: value.dtype, shape });
}

export function reshape(graph: Graph, value: Value, shape: Shape): Value {
  if (sameShape(value.shape, shape)) return value;
  if (value.splat !== undefined && value.dtype !== 'int64') return graph.splat(value.dtype, shape, value.splat);
  const constant = graph.reshapedConstant(value, shape);
  if (constant) return constant;
  const maker = graph.maker(value);
  const source = maker?.op === 'Reshape' ? maker.inputs[0] : undefined;
  if (source && sameShape(source.shape, shape)) return source;
  return graph.node('Reshape', [source ?? value, graph.int64(shape)], { dtype: value.dtype, shape });
}

/** What was folded in float64, as a tensor of the type holds it. */
export function rounded(dtype: DType, value: number): number {
  return dtype === 'float32' ? Math.fround(value) : Math.trunc(value);
}

/** Axes counted from the front. */
export function positiveAxes(axes: number | readonly number[], rank: number): readonly number[] {
  return (typeof axes === 'number' ? [axes] : axes).map(axis => (axis < 0 ? axis + rank : axis));
}

export function cast(graph: Graph, value: Value, dtype: Value['dtype']): Value {
  if (value.dtype === dtype) return value;
  if (value.splat !== undefined && dtype !== 'int64') {
    const number = dtype === 'bool' ? Number(value.splat !== 0) : dtype === 'int32' ? Math.trunc(value.splat) : value.splat;
    return graph.splat(dtype, value.shape, number);
  }
  const to = { float32: 1, int32: 6, int64: 7, bool: 9 }[dtype];
  return graph.node('Cast', [value], { dtype, shape: value.shape }, { to });
}
