import type { NamedAttrMap } from '@tensorflow/tfjs-core';
import type { Graph, Value } from '../graph';
import { cast, expand, inputOf, positiveAxes, reshape, whole } from './record';
import type { Inputs, KernelTable } from './register';

/** Permutes axes; permutations of permutations become one, and those that change nothing none. */
export function transpose(graph: Graph, x: Value, perm: readonly number[]): Value {
  if (perm.every((axis, index) => axis === index)) return x;
  const at = (axis: number) => x.shape[axis] ?? 1;
  const shape = perm.map(at);
  if (x.splat !== undefined && x.dtype !== 'int64') return graph.splat(x.dtype, shape, x.splat);
  // Moving only axes of length 1 leaves the elements in their order.
  const moved = perm.filter(axis => at(axis) !== 1);
  if (moved.every((axis, index) => index === 0 || (moved[index - 1] ?? 0) < axis)) return reshape(graph, x, shape);
  const maker = graph.maker(x);
  const source = maker?.op === 'Transpose' ? maker.inputs[0] : undefined;
  const earlier = maker?.attributes['perm'];
  if (source && Array.isArray(earlier)) return transpose(graph, source, perm.map(axis => (earlier as number[])[axis] ?? 0));
  return graph.node('Transpose', [x], { dtype: x.dtype, shape }, { perm });
}

function slice(graph: Graph, x: Value, begin: readonly number[], shape: readonly number[]): Value {
  if (shape.every((size, axis) => size === x.shape[axis])) return x;
  if (x.splat !== undefined && x.dtype !== 'int64') return graph.splat(x.dtype, shape, x.splat);
  const axes = shape.flatMap((size, axis) => (size === x.shape[axis] ? [] : [axis]));
  const starts = axes.map(axis => begin[axis] ?? 0);
  const ends = axes.map((axis, index) => (starts[index] ?? 0) + (shape[axis] ?? 0));
  return graph.node('Slice', [x, ...[starts, ends, axes].map(numbers => graph.int64(numbers))], { dtype: x.dtype, shape });
}

function concat(graph: Graph, values: readonly Value[], axis: number): Value {
  const [first] = values;
  if (!first) throw new Error('concat needs a tensor');
  if (values.length === 1) return first;
  const shape = first.shape.map((size, at) => (at === axis ? values.reduce((sum, value) => sum + (value.shape[axis] ?? 0), 0) : size));
  return graph.node('Concat', values.map(value => whole(graph, value)), { dtype: first.dtype, shape }, { axis });
}

export function split(graph: Graph, x: Value, sizes: readonly number[], axis: number): readonly Value[] {
  if (sizes.length === 1) return [x];
  if (sizes.length > graph.mostOutputs) {
    let end = 0;
    return sizes.map(size => {
      const begin = x.shape.map((_, at) => (at === axis ? end : 0));
      end += size;
      return slice(graph, x, begin, x.shape.map((length, at) => (at === axis ? size : length)));
    });
  }
  const outputs = sizes.map(size => ({ dtype: x.dtype, shape: x.shape.map((length, at) => (at === axis ? size : length)) }));
  return graph.nodes('Split', [whole(graph, x), graph.int64(sizes)], outputs, { axis });
}

function tile(graph: Graph, x: Value, reps: readonly number[]): Value {
  const shape = x.shape.map((size, axis) => size * (reps[axis] ?? 1));
  if (reps.every((times, axis) => times === 1 || x.shape[axis] === 1)) return expand(graph, x, shape);
  return graph.node('Tile', [whole(graph, x), graph.int64(reps)], { dtype: x.dtype, shape });
}

const numbers = (attrs: NamedAttrMap, name: string): readonly number[] => attrs[name] as number[];
const axisOf = (attrs: NamedAttrMap, name: string, rank: number): number => positiveAxes(attrs[name] as number, rank)[0] ?? 0;

export const shapeKernels: KernelTable = {
  Reshape: (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'x');
    return reshape(graph, x, inferred(x, numbers(attrs, 'shape')));
  },
  ExpandDims: (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'input');
    const at = axisOf(attrs, 'dim', x.shape.length + 1);
    return reshape(graph, x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
  },
  Transpose: (graph, inputs, attrs) => transpose(graph, inputOf(inputs, 'x'), numbers(attrs, 'perm')),
  Slice: (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'x');
    const begin = x.shape.map((_, axis) => [attrs['begin']].flat()[axis] as number | undefined ?? 0);
    const sizes = [attrs['size']].flat() as number[];
    const shape = x.shape.map((length, axis) => {
      const size = sizes[axis] ?? -1;
      return size < 0 ? length - (begin[axis] ?? 0) : size;
    });
    return slice(graph, x, begin, shape);
  },
  Concat: (graph, inputs, attrs) => concat(graph, Object.values(inputs), axisOf(attrs, 'axis', rankOf(inputs))),
  Pack: (graph, inputs, attrs) => {
    const axis = axisOf(attrs, 'axis', rankOf(inputs) + 1);
    return concat(graph, Object.values(inputs).map(x => reshape(graph, x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)])), axis);
  },
  Unpack: (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'value');
    const axis = axisOf(attrs, 'axis', x.shape.length);
    const parts = split(graph, x, Array.from({ length: x.shape[axis] ?? 0 }, () => 1), axis);
    return parts.map(part => reshape(graph, part, x.shape.filter((_, at) => at !== axis)));
  },
  SplitV: (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'x');
    const axis = axisOf(attrs, 'axis', x.shape.length);
    const length = x.shape[axis] ?? 0;
    const given = attrs['numOrSizeSplits'] as number | number[];
    const sizes = typeof given === 'number' ? Array.from({ length: given }, () => length / given) : given;
    const rest = length - sizes.reduce((sum, size) => sum + Math.max(size, 0), 0);
    return split(graph, x, sizes.map(size => (size < 0 ? rest : size)), axis);
  },
  Tile: (graph, inputs, attrs) => tile(graph, inputOf(inputs, 'x'), numbers(attrs, 'reps')),
  PadV2: (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'x');
    const paddings = attrs['paddings'] as [number, number][];
    const shape = x.shape.map((size, axis) => size + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0));
    const pads = graph.int64([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
    if (x.dtype === 'int64') throw new Error('int64 values stay inside kernels');
    return graph.node('Pad', [whole(graph, x), pads, graph.splat(x.dtype, [], Number(attrs['constantValue']))], { dtype: x.dtype, shape });
  },
  Reverse: (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'x');
    const axes = positiveAxes((attrs['dims'] as number | number[] | undefined) ?? x.shape.map((_, axis) => axis), x.shape.length);
    const bounds = [axes.map(() => -1), axes.map(() => -(2 ** 31)), axes, axes.map(() => -1)];
    return graph.node('Slice', [whole(graph, x), ...bounds.map(bound => graph.int64(bound))], x);
  },
  Fill: (graph, _, attrs) => graph.splat((attrs['dtype'] as 'float32' | undefined) ?? 'float32', attrs['shape'] as number[], attrs['value'] as number),
  Range: (graph, _, attrs) => {
    const [start, stop, step] = [Number(attrs['start']), Number(attrs['stop']), Number(attrs['step'])];
    const values = Float32Array.from({ length: Math.max(0, Math.ceil((stop - start) / step)) }, (__, i) => start + i * step);
    return cast(graph, graph.constant({ dtype: 'float32', shape: [values.length] }, values), attrs['dtype'] as Value['dtype']);
  },
};

function rankOf(inputs: Inputs): number {
  return Object.values(inputs)[0]?.shape.length ?? 0;
}

/** A shape with its one -1 worked out. */
function inferred(x: Value, shape: readonly number[]): readonly number[] {
  const known = shape.reduce((product, size) => (size < 0 ? product : product * size), 1);
  const all = x.shape.reduce((product, size) => product * size, 1);
  return shape.map(size => (size < 0 ? all / known : size));
}
