import { sizeOf } from '../common/tensor';
import type { Graph, Node, Value } from './graph';

/** A matrix product `[batch, rows, inner] · [batch, inner, columns]`. */
export interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Floating-point operations of a product: a multiplication and an addition for each of its terms. */
export function flopOf({ batch, rows, inner, columns }: Product): number {
  return 2 * batch * rows * inner * columns;
}

/**
 * The matrix products that a graph computes. Their work is what no implementation of the same function can avoid; all
 * else (element by element, gathering, the optimizer) an ideal one would hide behind it. So would it what a product with a
 * constant does, which is sums.
 */
export function productsOf(graph: Graph): readonly Product[] {
  const isConstant = (value: Value): boolean => {
    const maker = graph.maker(value);
    return maker?.op === 'Expand' ? maker.inputs.every(isConstant) : graph.dataOf(value) !== undefined;
  };
  const isProduct = ({ op, inputs }: Node) => (op === 'Gemm' || op === 'MatMul') && !inputs.slice(0, 2).some(isConstant);
  return graph.liveNodes().flatMap(node => (isProduct(node) ? [productOf(node)] : []));
}

function productOf({ op, inputs: [a], outputs: [out], attributes }: Node): Product {
  if (!a || !out) throw new Error(`${op} lacks its operands`);
  const inner = a.shape.at(attributes['transA'] === 1 ? -2 : -1) ?? 1;
  const [rows, columns] = [out.shape.at(-2) ?? 1, out.shape.at(-1) ?? 1];
  return { batch: out.shape.slice(0, -2).reduce((product, size) => product * size, 1), rows, inner, columns };
}

/** Products of up to this many operations, and values of up to so many numbers, take less time than to share them out. */
const littleWork = { operations: 5e7, elements: 2 ** 16 };

/** Whether a graph computes so little that further threads would only hold it up. */
export function isLittleWork(graph: Graph): boolean {
  const operations = productsOf(graph).reduce((sum, product) => sum + flopOf(product), 0);
  return operations <= littleWork.operations && largestValue(graph) <= littleWork.elements;
}

/** Elements of the largest value that a graph computes. */
export function largestValue(graph: Graph): number {
  return graph.liveNodes().reduce((most, { outputs }) => outputs.reduce((size, { shape }) => Math.max(size, sizeOf(shape)), most), 0);
}
