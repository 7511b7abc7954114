import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { int32 } from '../../../../src/common/tensor';
import { Draw } from '../../../support/draw';
import { exactly, of, on, summed, type CaseTable } from './kernelCase';

const draw = new Draw('structural kernels');
const integers = (...values: number[]) => int32([values.length], Int32Array.from(values));

export const structuralCases: CaseTable = {
  GatherV2: exactly([
    ...(
      [
        [[7, 3], 0],
        [[3, 7], 1],
        [[2, 7, 3], 1],
        [[2, 3, 7], -1],
      ] as const
    ).flatMap(([shape, axis]) =>
      ([[4], [2, 3], []] as const).map(indices =>
        on(
          `[${shape.join()}] along ${axis} at [${indices.join()}]`,
          [draw.float32(shape), draw.int32(indices, 0, 7)],
          (x, at) => tf.gather(x as Tensor, at as Tensor1D, axis),
        ),
      ),
    ),
    on('integers and constants', [draw.int32([2, 2], 0, 3)], at => [
      tf.gather(tf.tensor1d([5, 6, 7], 'int32'), at as Tensor1D),
      tf.gather(tf.fill([3, 2], 4), at as Tensor1D),
    ]),
    on('constant indices', [draw.float32([4, 2])], x => [
      tf.gather(x as Tensor, [3, 0, 0]),
      tf.gather(x as Tensor, [2, 2]),
    ]),
  ]),
  GatherNd: exactly([
    on('elements', [draw.float32([3, 4]), draw.int32([5, 2], 0, 3)], (x, at) => tf.gatherND(x as Tensor, at as Tensor)),
    on('rows', [draw.float32([3, 4]), draw.int32([2, 5, 1], 0, 3)], (x, at) => tf.gatherND(x as Tensor, at as Tensor)),
  ]),
  UnsortedSegmentSum: summed([
    on('vector', [draw.float32([6]), draw.int32([6], 0, 4)], (x, ids) =>
      tf.unsortedSegmentSum(x as Tensor, ids as Tensor1D, 4),
    ),
    on('rows, with an empty segment', [draw.float32([6, 3, 2]), integers(0, 4, 0, 4, 1, 2)], (x, ids) =>
      tf.unsortedSegmentSum(x as Tensor, ids as Tensor1D, 5),
    ),
    on('constant segments', [draw.float32([3, 2])], x =>
      tf.unsortedSegmentSum(x as Tensor, tf.tensor1d([1, 1, 1], 'int32'), 2),
    ),
  ]),
  ScatterNd: summed([
    on('elements, some of them twice', [draw.float32([4]), int32([4, 1], Int32Array.of(1, 3, 1, 1))], (x, at) =>
      tf.scatterND(at as Tensor, x as Tensor, [5]),
    ),
    on('rows', [draw.float32([3, 2]), int32([3, 1], Int32Array.of(2, 0, 2))], (x, at) =>
      tf.scatterND(at as Tensor, x as Tensor, [4, 2]),
    ),
    on('pairs', [draw.float32([3]), int32([3, 2], Int32Array.of(0, 1, 2, 3, 0, 1))], (x, at) =>
      tf.scatterND(at as Tensor, x as Tensor, [3, 4]),
    ),
  ]),
  TensorScatterUpdate: exactly([
    on('elements', [draw.float32([5]), int32([2, 1], Int32Array.of(4, 0)), draw.float32([2])], (x, at, y) =>
      tf.tensorScatterUpdate(x as Tensor, at as Tensor, y as Tensor),
    ),
    on('rows', [draw.float32([5, 2]), int32([2, 1], Int32Array.of(4, 0)), draw.float32([2, 2])], (x, at, y) =>
      tf.tensorScatterUpdate(x as Tensor, at as Tensor, y as Tensor),
    ),
  ]),
  OneHot: exactly([
    on('vector', [integers(0, 2, 1, 4, -1)], x => [
      tf.oneHot(x as Tensor, 4),
      tf.oneHot(x as Tensor, 4, 2, -1),
      tf.oneHot(x as Tensor, 3, 0.5, -0.25, 'float32'),
    ]),
    on('matrix', [draw.int32([2, 3], 0, 4)], x => tf.oneHot(x as Tensor, 4)),
    on('constant', [], () => tf.oneHot(tf.tensor1d([1, 1], 'int32'), 3)),
  ]),

  Reshape: exactly([
    of([2, 6], x => tf.reshape(x, [3, -1])),
    of([2, 6], x => tf.reshape(tf.reshape(x, [12]), [2, 6])),
    of([1], x => tf.reshape(x, [])),
    on('a splat', [], () => tf.reshape(tf.ones([2, 3]), [6])),
  ]),
  ExpandDims: exactly([0, 1, 2, -1].map(axis => of([2, 3], x => tf.expandDims(x, axis)))),
  Transpose: exactly([
    ...[
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ].flatMap(perm => [
      of([2, 3, 4], x => tf.transpose(x, perm)),
      of([2, 1, 4], x => tf.transpose(x, perm)),
      of([2, 3, 4], x => tf.transpose(tf.transpose(x, [2, 0, 1]), perm)),
    ]),
    of([2, 3], x => tf.transpose(x)),
    on('a splat', [], () => tf.transpose(tf.fill([2, 3], 5))),
  ]),
  Slice: exactly([
    of([4, 5], x => tf.slice(x, [1, 2], [2, 3])),
    of([4, 5], x => tf.slice(x, [1, 2], [-1, -1])),
    of([4, 5], x => tf.slice(x, [0, 0], [4, 5])),
    of([4, 5], x => tf.slice(x, 2)),
    of([6], x => tf.slice(x, 2, 3)),
    on('a splat', [], () => tf.slice(tf.fill([4, 5], 3), [1, 1], [2, 2])),
  ]),
  Concat: exactly(
    [0, 1, -1]
      .map(axis =>
        on(`along ${axis}`, [draw.float32([2, 3]), draw.float32([2, 3])], (x, y) =>
          tf.concat([x as Tensor, y as Tensor], axis),
        ),
      )
      .concat([
        on('of different lengths and splats', [draw.float32([2, 1]), draw.float32([2, 3])], (x, y) =>
          tf.concat([x as Tensor, tf.zeros([2, 2]), y as Tensor], 1),
        ),
        on(
          'of eleven tensors',
          Array.from({ length: 11 }, () => draw.float32([1])),
          (...all) => tf.concat(all),
        ),
      ]),
  ),
  Pack: exactly(
    [0, 1, 2, -1]
      .map(axis =>
        on(`along ${axis}`, [draw.float32([2, 3]), draw.float32([2, 3])], (x, y) =>
          tf.stack([x as Tensor, y as Tensor], axis),
        ),
      )
      .concat([
        on(
          'eleven scalars',
          Array.from({ length: 11 }, () => draw.float32([])),
          (...all) => tf.stack(all),
        ),
      ]),
  ),
  Unpack: exactly(
    [0, 1, -1].map(axis => of([2, 3, 4], x => tf.unstack(x, axis))).concat([of([1, 3], x => tf.unstack(x))]),
  ),
  SplitV: exactly([
    of([6], x => tf.split(x, 3)),
    of([2, 6], x => tf.split(x, [1, 3, 2], 1)),
    of([2, 6], x => tf.split(x, [1, -1, 2], -1)),
    of([4, 2], x => tf.split(x, 2, 0)),
    of([3], x => tf.split(x, 1)),
  ]),
  Tile: exactly([
    of([3], x => tf.tile(x, [2])),
    of([2, 3], x => tf.tile(x, [2, 3])),
    of([1, 3], x => tf.tile(x, [4, 1])),
    of([2, 3], x => tf.tile(x, [1, 1])),
    on('a splat', [], () => tf.tile(tf.fill([2], 7), [3])),
  ]),
  PadV2: exactly([
    of([3], x => tf.pad(x, [[1, 2]])),
    of([2, 3], x =>
      tf.pad(
        x,
        [
          [0, 1],
          [2, 0],
        ],
        -1.5,
      ),
    ),
    on('integers', [draw.int32([2, 2], 0, 9)], x =>
      tf.pad(
        x as Tensor,
        [
          [1, 0],
          [0, 1],
        ],
        7,
      ),
    ),
    on('a splat', [], () => tf.pad(tf.ones([2]), [[1, 1]])),
  ]),
  Reverse: exactly([
    of([5], x => tf.reverse(x)),
    of([2, 3, 4], x => tf.reverse(x, 1)),
    of([2, 3, 4], x => tf.reverse(x, [0, -1])),
    of([2, 3], x => tf.reverse(x)),
  ]),
  Fill: exactly([
    on('values', [], () => [tf.fill([2, 3], 1.5), tf.fill([2], 3, 'int32'), tf.fill([], -2), tf.fill([2, 2], 0)]),
  ]),
  Range: exactly([
    on('values', [], () => [
      tf.range(0, 5),
      tf.range(5, 0, -2),
      tf.range(0, 1, 0.25),
      tf.range(2, 7, 2, 'int32'),
      tf.range(3, 3),
    ]),
  ]),
};
