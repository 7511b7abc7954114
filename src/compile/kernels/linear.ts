import { sameShape, sizeOf } from '../../common/tensor';
import type { Graph, Value } from '../graph';
import { broadcastShape, inputOf, reshape, whole } from './record';
import type { KernelTable, TracingKernel } from './register';
import { transpose } from './shape';

/**
 * Matrix products. Two matrices become one Gemm, which transposes by itself; batches become MatMul with Transpose nodes,
 * which ONNX Runtime fuses on the CPU.
 */
const batchMatMul: TracingKernel = (graph, inputs, attrs) => {
  const a = whole(graph, inputOf(inputs, 'a'));
  const b = whole(graph, inputOf(inputs, 'b'));
  const [transposeA, transposeB] = [attrs['transposeA'] === true, attrs['transposeB'] === true];
  const [rows, inner] = lastTwo(a, transposeA);
  const [innerB, columns] = lastTwo(b, transposeB);
  if (inner !== innerB) throw new RangeError(`matMul: inner sizes ${inner} and ${innerB} differ`);
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const output = { dtype: a.dtype, shape: [...batch, rows, columns] };
  if (output.shape.length === 2) {
    if (isIdentity(graph, b)) return transposeA ? transpose(graph, a, [1, 0]) : a;
    if (isIdentity(graph, a)) return transposeB ? transpose(graph, b, [1, 0]) : b;
    // aᵀb with few rows and many columns: bᵀa, turned round, copies the larger operand once instead of once a block of
    // columns, and takes a quarter less time on a gradient of [3830, 128] by [3830, 512]. A constant is turned beforehand.
    if (transposeA && !transposeB && columns > rows && !graph.dataOf(a)) {
      const turned = graph.node('Gemm', [b, a], { dtype: a.dtype, shape: [columns, rows] }, { transA: 1, transB: 0 });
      return apartFromGemm(graph, turned);
    }
    return graph.node('Gemm', [a, b], output, { transA: Number(transposeA), transB: Number(transposeB) });
  }
  const swap = (value: Value, swapped: boolean) => (swapped ? transpose(graph, value, swapLastTwo(value.shape.length)) : value);
  if ((transposeA || transposeB) && batch.length > 1 && sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))) {
    // One batch axis keeps what is transposed here apart from how the operands were made: ONNX Runtime would make one
    // transposition of both, which moves single numbers, where it takes this one into the product.
    const flat = (value: Value) => reshape(graph, value, [sizeOf(batch), ...value.shape.slice(-2)]);
    const product = graph.node('MatMul', [swap(flat(a), transposeA), swap(flat(b), transposeB)], { dtype: a.dtype, shape: [sizeOf(batch), rows, columns] });
    return reshape(graph, product, output.shape);
  }
  return graph.node('MatMul', [swap(a, transposeA), swap(b, transposeB)], output);
};

/** Whether a matrix is known to be the identity, so that no product with it need be computed. */
function isIdentity(graph: Graph, matrix: Value): boolean {
  const [rows = 0, columns = 0] = matrix.shape;
  const data = rows === columns ? graph.dataOf(matrix) : undefined;
  return data?.every((element: number | bigint, at: number) => Number(element) === Number(at % (columns + 1) === 0)) ?? false;
}

/**
 * A Gemm's result `[m, n]`, transposed: by way of a third axis, or ONNX Runtime would see that it could transpose the
 * operands instead, and undo what was gained.
 */
function apartFromGemm(graph: Graph, product: Value): Value {
  const [m = 1, n = 1] = product.shape;
  if (m % 2 !== 0) return transpose(graph, product, [1, 0]);
  const halves = graph.node('Reshape', [product, graph.int64([2, m / 2, n])], { dtype: product.dtype, shape: [2, m / 2, n] });
  return reshape(graph, transpose(graph, halves, [2, 0, 1]), [n, m]);
}

/** Einstein summation, for analyses; tfjs has no gradient for it. */
const einsum: TracingKernel = (graph, inputs, attrs) => {
  const equation = String(attrs['equation']);
  const operands = Object.values(inputs).map(value => whole(graph, value));
  const [terms, result] = equation.replaceAll(' ', '').split('->');
  if (terms === undefined || result === undefined) throw new Error(`einsum: "${equation}" does not name its result`);
  const sizes = new Map<string, number>();
  terms.split(',').forEach((term, index) => [...term].forEach((letter, axis) => sizes.set(letter, operands[index]?.shape[axis] ?? 0)));
  const shape = [...result].map(letter => sizes.get(letter) ?? 0);
  return graph.node('Einsum', operands, { dtype: operands[0]?.dtype ?? 'float32', shape }, { equation: `${terms}->${result}` });
};

export const linearKernels: KernelTable = { BatchMatMul: batchMatMul, Einsum: einsum };

function lastTwo({ shape }: Value, transposed: boolean): [number, number] {
  const [m, n] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return transposed ? [n, m] : [m, n];
}

function swapLastTwo(rank: number): number[] {
  const order = Array.from({ length: rank }, (_, axis) => axis);
  return [...order.slice(0, -2), rank - 1, rank - 2];
}
