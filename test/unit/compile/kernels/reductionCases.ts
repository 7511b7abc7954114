import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Shape } from '../../../../src/common/tensor';
import { Draw, type Distribution } from '../../../support/draw';
import { exactly, of, on, summed, type CaseTable, type KernelCase } from './kernelCase';

const draw = new Draw('reductions');

type Axes = number | number[] | undefined;
type Reduction = (x: Tensor, axis?: number | number[], keepDims?: boolean) => Tensor;

/** Over every kind of axes, with and without keeping them, of inputs and of constants that are folded. */
function reduction(op: Reduction, distribution: Distribution = 'normal'): readonly KernelCase[] {
  const axes: readonly (readonly [Shape, Axes])[] = [
    [[5], undefined],
    [[3, 4], undefined],
    [[3, 4], 0],
    [[3, 4], 1],
    [[3, 4], -1],
    [
      [2, 3, 4],
      [0, 2],
    ],
    [
      [2, 3, 4],
      [-1, -2],
    ],
    [[2, 3, 4], 1],
    [[1, 6], 0],
    [[2, 1, 3], 1],
    [[], undefined],
    [[33, 257], 1],
    [[33, 257], 0],
    [
      [4, 7, 5],
      [0, 1, 2],
    ],
  ];
  return [
    ...axes.flatMap(([shape, axis]) =>
      [false, true].map(keepDims => ({
        ...of(shape, x => op(x, axis, keepDims), distribution),
        what: `[${shape.join()}] over ${String(axis)}${keepDims ? ', kept' : ''}`,
      })),
    ),
    on('a splat', [], () => [op(tf.fill([2, 3], 2)), op(tf.fill([2, 3], 2), 1), op(tf.fill([2, 3], 3), 0, true)]),
  ];
}

const integerReduction = (op: Reduction) =>
  on('integers', [draw.int32([3, 4], -3, 4)], x => [op(x as Tensor, 1), op(x as Tensor)]);

function argument(op: (x: Tensor, axis?: number) => Tensor): readonly KernelCase[] {
  return exactly([
    ...[0, 1, 2, -1].map(axis => of([3, 4, 5], x => op(x, axis))),
    ...[0, 1].map(axis => of([6, 7], x => op(x, axis), 'small integers')), // ties: the first counts
    of([5], x => op(x)),
    on('integers', [draw.int32([3, 4], -3, 4)], x => op(x as Tensor, 1)),
    on('a splat', [], () => op(tf.fill([2, 3], 2), 1)),
  ]);
}

const matrixProducts = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
].flatMap(([transposeA, transposeB]): KernelCase[] => {
  const shapes: readonly (readonly [Shape, Shape])[] = [
    [[], []],
    [[2], [2]],
    [
      [2, 3],
      [2, 3],
    ],
    [[1], [4]],
    [[4], [1]],
  ];
  return shapes.map(([a, b]) =>
    on(
      `[${a.join()}] of [2,5]${transposeA ? ' transposed' : ''} and [${b.join()}] of [5,3]${transposeB ? ' transposed' : ''}`,
      [
        draw.float32([...a, ...(transposeA ? [5, 2] : [2, 5])]),
        draw.float32([...b, ...(transposeB ? [3, 5] : [5, 3])]),
      ],
      (x, y) => tf.matMul(x as Tensor, y as Tensor, transposeA, transposeB),
    ),
  );
});

export const reductionCases: CaseTable = {
  BatchMatMul: summed([
    ...matrixProducts,
    on('splats', [draw.float32([4, 2])], x => [
      tf.matMul(x as Tensor, tf.ones([2, 3])),
      tf.matMul(tf.fill([3, 4], 0.5), x as Tensor),
      tf.matMul(tf.ones([2, 3]), tf.ones([3, 1])),
    ]),
    on('with a bias of each row, a column, and a matrix added', [draw.float32([4, 3]), draw.float32([3, 5]), draw.float32([5])], (x, y, bias) => {
      const product = tf.matMul(x as Tensor, y as Tensor);
      return [tf.add(product, bias as Tensor), tf.add(bias as Tensor, product), tf.add(product, tf.slice(product, [0, 0], [-1, 1])), tf.add(product, product), product];
    }),
    on('a matrix and a batch that was transposed', [draw.float32([3, 2, 4])], x =>
      tf.matMul(tf.transpose(x as Tensor, [1, 0, 2]), tf.transpose(x as Tensor, [1, 0, 2]), false, true),
    ),
  ]),
  Einsum: summed([
    on('bi,ij->bj', [draw.float32([2, 3]), draw.float32([3, 4])], (x, y) =>
      tf.einsum('bi,ij->bj', x as Tensor, y as Tensor),
    ),
    on('hdk,hke->hde', [draw.float32([2, 3, 4]), draw.float32([2, 4, 3])], (x, y) =>
      tf.einsum('hdk,hke->hde', x as Tensor, y as Tensor),
    ),
    on('ij->ji', [draw.float32([2, 3])], x => tf.einsum('ij->ji', x as Tensor)),
  ]),

  Sum: summed([
    ...reduction(tf.sum),
    // So much over leading axes is a product with ones, of eight parts where the rows can be divided so.
    of([4096, 9], x => tf.sum(x, 0)),
    of([4099, 9], x => [tf.sum(x, 0), tf.sum(x, 0, true)]),
    of([3, 2048, 8], x => tf.sum(x, [1, 0])),
    of([3, 2048, 8], x => [tf.sum(x, 0, true), tf.sum(x, [0, 2])]),
    integerReduction(tf.sum),
    on('truth', [draw.bool([3, 4])], x => tf.sum(x as Tensor, 1)),
  ]),
  Mean: summed(reduction(tf.mean)),
  Max: exactly([...reduction(tf.max), integerReduction(tf.max)]),
  Min: exactly([...reduction(tf.min), integerReduction(tf.min)]),
  // Numbers near 1, so that a product of 8,481 of them stays in range.
  Prod: [
    ...reduction((x, axis, keepDims) => tf.prod(tf.add(tf.mul(x, 0.01), 1), axis, keepDims)).map(each => ({
      ...each,
      tolerance: { relative: 1e-3 },
    })),
    integerReduction(tf.prod),
  ],
  ArgMax: argument(tf.argMax),
  ArgMin: argument(tf.argMin),
  Softmax: [[5], [3, 4], [2, 3, 4], [3, 1]]
    .map(shape => of(shape, x => tf.softmax(x)))
    .concat([
      of([3, 4], x => tf.softmax(tf.mul(x, 100))),
      on('hidden by -Infinity', [draw.float32([3, 3])], x =>
        tf.softmax(
          tf.add(
            x as Tensor,
            tf.tensor2d([
              [0, -Infinity, -Infinity],
              [0, 0, -Infinity],
              [0, 0, 0],
            ]),
          ),
        ),
      ),
      on('a splat', [], () => tf.softmax(tf.zeros([2, 4]))),
    ]),
  Cumsum: summed(
    [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ].flatMap(([exclusive, reverse]) => [
      of([5], x => tf.cumsum(x, 0, exclusive, reverse)),
      of([2, 3, 4], x => tf.cumsum(x, 1, exclusive, reverse)),
      of([2, 3, 4], x => tf.cumsum(x, 2, exclusive, reverse)),
      on('a splat', [], () => tf.cumsum(tf.fill([3], 2), 0, exclusive, reverse)),
      on('integers', [draw.int32([2, 4], -3, 4)], x => tf.cumsum(x as Tensor, 1, exclusive, reverse)),
    ]),
  ),
};
