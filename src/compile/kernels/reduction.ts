import { sizeOf } from '../../common/tensor';
import type { Graph, Value } from '../graph';
import { cast, inputOf, positiveAxes, reshape, rounded, whole } from './record';
import type { KernelTable, TracingKernel } from './register';

/** `fold` computes the reduction of `count` equal numbers. */
function reduction(op: string, fold: (value: number, count: number) => number): TracingKernel {
  return (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'x');
    // tfjs calls the axes of Max `reductionIndices`, and those of its other reductions `axis`.
    const given = (attrs['reductionIndices'] ?? attrs['axis']) as number | number[] | null | undefined;
    const axes = positiveAxes(given ?? x.shape.map((_, axis) => axis), x.shape.length);
    const shape = reducedShape(x, axes, attrs['keepDims'] === true);
    const count = axes.reduce((product, axis) => product * (x.shape[axis] ?? 1), 1);
    if (x.splat !== undefined && x.dtype !== 'int64') return graph.splat(x.dtype, shape, rounded(x.dtype, fold(x.splat, count)));
    if (count === 1) return reshape(graph, x, shape);
    return graph.node(op, [x, graph.int64(axes)], { dtype: x.dtype, shape }, { keepdims: Number(attrs['keepDims'] === true) });
  };
}

/** ONNX counts in int64, tfjs in int32. */
function argument(op: string): TracingKernel {
  return (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'x');
    const axes = positiveAxes(attrs['axis'] as number, x.shape.length);
    const found = graph.node(op, [whole(graph, x)], { dtype: 'int64', shape: reducedShape(x, axes, false) }, { axis: axes[0] ?? 0, keepdims: 0 });
    return cast(graph, found, 'int32');
  };
}

const softmax: TracingKernel = (graph, inputs, attrs) => {
  const x = inputOf(inputs, 'logits');
  const [axis = 0] = positiveAxes((attrs['dim'] as number | undefined) ?? -1, x.shape.length);
  return graph.node('Softmax', [whole(graph, x)], x, { axis });
};

const cumulativeSum: TracingKernel = (graph: Graph, inputs, attrs) => {
  const x = inputOf(inputs, 'x');
  const [axis = 0] = positiveAxes(attrs['axis'] as number, x.shape.length);
  return graph.node('CumSum', [whole(graph, x), graph.int64([axis])], x, {
    exclusive: Number(attrs['exclusive'] === true),
    reverse: Number(attrs['reverse'] === true),
  });
};

/** Numbers from which on adding up rows as a product with ones takes less than half the time of a reduction. */
const manyNumbers = 2 ** 15;

/** Columns from which on such a product is one: of fewer, it is a product of vectors. */
const manyColumns = 8;

/** Parts of the rows, where they can be divided so, that are added up each by itself, as many threads may: ONNX Runtime computes a single row of a product on one. */
const sumParts = 8;

const plainSum = reduction('ReduceSum', (value, count) => value * count);

/** The sum; over leading axes of much it is a product, which is what the gradient of a bias is. */
const sum: TracingKernel = (graph, inputs, attrs) => {
  const x = inputOf(inputs, 'x');
  const axes = [...positiveAxes((attrs['axis'] as number | number[] | null | undefined) ?? [], x.shape.length)].sort((a, b) => a - b);
  const [rows, columns] = [sizeOf(x.shape.slice(0, axes.length)), sizeOf(x.shape.slice(axes.length))];
  const areLeading = axes.length > 0 && axes.every((axis, index) => axis === index);
  const isMuch = columns >= manyColumns && rows * columns >= manyNumbers;
  if (!areLeading || !isMuch || x.dtype !== 'float32' || x.splat !== undefined) return plainSum(graph, inputs, attrs);
  const shape = reducedShape(x, axes, attrs['keepDims'] === true);
  const parts = rows % sumParts === 0 ? sumParts : 1;
  const ones = whole(graph, graph.splat('float32', [parts, 1, rows / parts], 1));
  const sums = graph.node('MatMul', [ones, reshape(graph, x, [parts, rows / parts, columns])], { dtype: 'float32', shape: [parts, 1, columns] });
  return reshape(graph, graph.node('ReduceSum', [sums, graph.int64([0, 1])], { dtype: 'float32', shape: [columns] }, { keepdims: 0 }), shape);
};

export const reductionKernels: KernelTable = {
  Sum: sum,
  Mean: reduction('ReduceMean', value => value),
  Max: reduction('ReduceMax', value => value),
  Min: reduction('ReduceMin', value => value),
  Prod: reduction('ReduceProd', (value, count) => value ** count),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Softmax: softmax,
  Cumsum: cumulativeSum,
};

function reducedShape(x: Value, axes: readonly number[], keepDims: boolean): readonly number[] {
  return x.shape.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size]));
}
