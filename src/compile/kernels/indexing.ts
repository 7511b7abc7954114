import type { Graph, Value } from '../graph';
import { sizeOf } from '../../common/tensor';
import { cast, inputOf, positiveAxes, reshape, whole } from './record';
import type { KernelTable } from './register';
import { split } from './shape';

export const indexingKernels: KernelTable = {
  GatherV2: (graph, inputs, attrs) => {
    const [x, indices] = [inputOf(inputs, 'x'), inputOf(inputs, 'indices')];
    if (Number(attrs['batchDims'] ?? 0) !== 0) throw new Error('The kernel GatherV2 with batchDims cannot be compiled to ONNX.');
    const [axis = 0] = positiveAxes((attrs['axis'] as number | undefined) ?? 0, x.shape.length);
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    // Rows first and their shape after: the reshape then meets those of what is computed with the rows.
    const rows = { dtype: x.dtype, shape: [...x.shape.slice(0, axis), sizeOf(indices.shape), ...x.shape.slice(axis + 1)] };
    const flat = reshape(graph, whole(graph, indices), [sizeOf(indices.shape)]);
    return reshape(graph, graph.node('Gather', [whole(graph, x), flat], rows, { axis }), shape);
  },
  GatherNd: (graph, inputs) => {
    const [params, indices] = [inputOf(inputs, 'params'), inputOf(inputs, 'indices')];
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(indices.shape.at(-1) ?? 0)];
    return graph.node('GatherND', [whole(graph, params), cast(graph, whole(graph, indices), 'int64')], { dtype: params.dtype, shape });
  },
  // The gradient of gather: rows of equal segment are added up.
  UnsortedSegmentSum: (graph, inputs, attrs) => {
    const [x, ids] = [inputOf(inputs, 'x'), inputOf(inputs, 'segmentIds')];
    const inner = x.shape.slice(ids.shape.length);
    const rows = reshape(graph, x, [sizeOf(ids.shape), ...inner]);
    return addAt(graph, [Number(attrs['numSegments']), ...inner], reshape(graph, ids, [sizeOf(ids.shape), 1]), rows);
  },
  ScatterNd: (graph, inputs, attrs) => addAt(graph, attrs['shape'] as number[], inputOf(inputs, 'indices'), inputOf(inputs, 'updates')),
  TensorScatterUpdate: (graph, inputs) => {
    const tensor = inputOf(inputs, 'tensor');
    const indices = cast(graph, whole(graph, inputOf(inputs, 'indices')), 'int64');
    return graph.node('ScatterND', [whole(graph, tensor), indices, whole(graph, inputOf(inputs, 'updates'))], tensor);
  },
  OneHot: (graph, inputs, attrs) => {
    const indices = whole(graph, inputOf(inputs, 'indices'));
    const depth = Number(attrs['depth']);
    const classes = graph.constant({ dtype: 'int32', shape: [depth] }, Int32Array.from({ length: depth }, (_, i) => i));
    const column = reshape(graph, indices, [...indices.shape, 1]);
    const shape = [...indices.shape, depth];
    const hot = graph.node('Equal', [column, classes], { dtype: 'bool', shape });
    const [on, off] = [Number(attrs['onValue'] ?? 1), Number(attrs['offValue'] ?? 0)];
    const dtype = (attrs['dtype'] as 'float32' | 'int32' | undefined) ?? 'int32';
    if (on === 1 && off === 0) return cast(graph, hot, dtype);
    return graph.node('Where', [hot, graph.splat(dtype, [], on), graph.splat(dtype, [], off)], { dtype, shape });
  },
};

/**
 * The most numbers that one node may add. ONNX Runtime's ScatterND shares more than about 210,000 among its threads, which
 * then add to one place at a time without seeing each other: sums differ from run to run, and lose terms.
 */
const mostAtOnce = 2 ** 17;

/** Zeros of the shape with the updates added at the indices. */
function addAt(graph: Graph, shape: readonly number[], indices: Value, updates: Value): Value {
  if (updates.dtype === 'int64') throw new Error('int64 values stay inside kernels');
  const depth = indices.shape.at(-1) ?? 1;
  const [count, inner] = [sizeOf(indices.shape) / depth, shape.slice(depth)];
  const size = Math.max(1, Math.floor(mostAtOnce / sizeOf(inner)));
  const sizes = Array.from({ length: Math.max(1, Math.ceil(count / size)) }, (_, part) => Math.min(size, count - part * size));
  const places = split(graph, reshape(graph, cast(graph, whole(graph, indices), 'int64'), [count, depth]), sizes, 0);
  const rows = split(graph, reshape(graph, whole(graph, updates), [count, ...inner]), sizes, 0);
  const zeros = whole(graph, graph.splat(updates.dtype, shape, 0));
  return places.reduce((sum, place, part) => {
    const added = rows[part];
    if (!added) throw new Error('as many rows as places');
    return graph.node('ScatterND', [sum, place, added], { dtype: updates.dtype, shape }, { reduction: 'add' });
  }, zeros);
}
