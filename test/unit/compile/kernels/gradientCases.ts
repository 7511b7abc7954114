import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { HostTensor, Shape } from '../../../../src/common/tensor';
import { Draw, type Distribution } from '../../../support/draw';

export interface GradientCase {
  readonly what: string;
  readonly fn: (...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly HostTensor<'float32'>[];
  /**
   * The function in float64, of inputs that are row-major lists. Without it the function is at most quadratic in each
   * of its numbers near the inputs: central differences of wide steps are then exact, and float32 is enough for them.
   */
  readonly reference?: (...inputs: number[][]) => number[];
}

const draw = new Draw('gradients');

function unary(
  op: (x: Tensor) => Tensor,
  reference: (x: number) => number,
  distribution: Distribution = 'normal',
): readonly GradientCase[] {
  return [{ what: 'numbers', fn: op, inputs: [draw.float32([3, 4], distribution)], reference: x => x.map(reference) }];
}

/** On equal shapes; tfjs' gradients of some kernels know no others. */
function equalShapes(
  op: (a: Tensor, b: Tensor) => Tensor,
  reference: (a: number, b: number) => number,
  left: Distribution = 'normal',
  right: Distribution = left,
): readonly GradientCase[] {
  return [
    {
      what: 'equal shapes',
      fn: op,
      inputs: [draw.float32([2, 3], left), draw.float32([2, 3], right)],
      reference: (a, b) => a.map((value, at) => reference(value, b[at] ?? 0)),
    },
  ];
}

/** Also on shapes that broadcast both ways. */
function binary(
  op: (a: Tensor, b: Tensor) => Tensor,
  reference: (a: number, b: number) => number,
  left: Distribution = 'normal',
  right: Distribution = left,
): readonly GradientCase[] {
  return [
    ...equalShapes(op, reference, left, right),
    {
      what: '[2,1] and [3]',
      fn: op,
      inputs: [draw.float32([2, 1], left), draw.float32([3], right)],
      reference: (a, b) => a.flatMap(value => b.map(other => reference(value, other))),
    },
  ];
}

const wide = (what: string, shapes: readonly Shape[], fn: (...inputs: Tensor[]) => Tensor): GradientCase => ({
  what,
  fn,
  inputs: shapes.map(shape => draw.float32(shape)),
});
const axes = [undefined, 0, 1, 2, [0, 2], -1];

/** Numbers that are at least 1 apart, so that no step changes which is the largest. */
const apart = (shape: Shape): HostTensor<'float32'> => {
  const tensor = draw.float32(shape);
  const order = [...tensor.data.keys()].sort((a, b) => (tensor.data[a] ?? 0) - (tensor.data[b] ?? 0));
  order.forEach((at, rank) => (tensor.data[at] = 1.1 * rank - 3.3));
  return tensor;
};
const extremes = (op: typeof tf.max) =>
  axes.map(axis => ({ what: `over ${String(axis)}`, fn: (x: Tensor) => op(x, axis), inputs: [apart([2, 3, 4])] }));

const softmaxOf = (row: readonly number[]) => {
  const powers = row.map(value => Math.exp(value - Math.max(...row)));
  return powers.map(power => power / powers.reduce((sum, each) => sum + each, 0));
};

// Φ(x), from erf's series around 0: exact to the last digits for the few standard deviations drawn here.
const erf = (x: number) => {
  let [term, sum] = [x, x];
  for (let n = 1; n < 120; n++) sum += (term *= -(x * x) / n) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * sum;
};

export const gradientCases: Readonly<Record<string, readonly GradientCase[]>> = {
  Add: binary(tf.add, (a, b) => a + b),
  Sub: binary(tf.sub, (a, b) => a - b),
  Multiply: binary(tf.mul, (a, b) => a * b),
  RealDiv: binary(tf.div, (a, b) => a / b, 'normal', 'away from 0'),
  Maximum: equalShapes(tf.maximum, Math.max),
  Minimum: equalShapes(tf.minimum, Math.min),
  Pow: binary(tf.pow, Math.pow, 'positive', 'normal'),
  SquaredDifference: equalShapes(tf.squaredDifference, (a, b) => (a - b) ** 2),
  Mod: binary(tf.mod, (a, b) => a - b * Math.floor(a / b), 'normal', 'away from 0'),

  Abs: unary(tf.abs, Math.abs),
  Ceil: unary(tf.ceil, Math.ceil),
  Cos: unary(tf.cos, Math.cos),
  Erf: unary(tf.erf, erf),
  Exp: unary(tf.exp, Math.exp),
  Expm1: unary(tf.expm1, Math.expm1),
  Floor: unary(tf.floor, Math.floor),
  Log: unary(tf.log, Math.log, 'positive'),
  Log1p: unary(tf.log1p, Math.log1p, 'positive'),
  Neg: unary(tf.neg, x => -x),
  Reciprocal: unary(tf.reciprocal, x => 1 / x, 'away from 0'),
  Relu: unary(tf.relu, x => Math.max(0, x)),
  Rsqrt: unary(tf.rsqrt, x => 1 / Math.sqrt(x), 'positive'),
  Sigmoid: unary(tf.sigmoid, x => 1 / (1 + Math.exp(-x))),
  Sign: unary(tf.sign, Math.sign),
  Sin: unary(tf.sin, Math.sin),
  Sqrt: unary(tf.sqrt, Math.sqrt, 'positive'),
  Square: unary(tf.square, x => x * x),
  Step: unary(
    x => tf.step(x),
    x => Number(x > 0),
  ),
  Tanh: unary(tf.tanh, Math.tanh),
  ClipByValue: unary(
    x => tf.clipByValue(x, -0.5, 0.75),
    x => Math.min(Math.max(x, -0.5), 0.75),
  ),
  Identity: unary(tf.clone, x => x),
  Cast: unary(
    x => tf.cast(x, 'float32'),
    x => x,
  ),
  ZerosLike: unary(
    x => tf.add(x, tf.zerosLike(x)),
    x => x,
  ),
  OnesLike: unary(
    x => tf.add(x, tf.onesLike(x)),
    x => x + 1,
  ),
  GreaterEqual: unary(
    x => tf.mul(x, tf.cast(tf.greaterEqual(x, 0.1), 'float32')),
    x => (x >= 0.1 ? x : 0),
  ),
  OneHot: [wide('chosen columns', [[3, 4]], x => tf.mul(x, tf.oneHot(tf.tensor1d([1, 0, 3], 'int32'), 4)))],
  ArgMax: [
    {
      what: 'beside a sum',
      fn: x => tf.add(tf.sum(x, 1), tf.cast(tf.argMax(x, 1), 'float32')),
      inputs: [apart([3, 4])],
    },
  ],
  ArgMin: [
    {
      what: 'beside a sum',
      fn: x => tf.add(tf.sum(x, 1), tf.cast(tf.argMin(x, 1), 'float32')),
      inputs: [apart([3, 4])],
    },
  ],

  Select: [
    wide(
      'branches',
      [
        [2, 3],
        [2, 3],
      ],
      (x, y) =>
        tf.where(
          tf.tensor2d(
            [
              [1, 0, 1],
              [0, 0, 1],
            ],
            [2, 3],
            'bool',
          ),
          x as Tensor,
          y as Tensor,
        ),
    ),
  ],
  AddN: [
    wide(
      'three',
      [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      (...all) => tf.addN(all),
    ),
  ],
  Sum: axes.flatMap(axis =>
    [false, true].map(keep => wide(`over ${String(axis)}`, [[2, 3, 4]], x => tf.sum(x as Tensor, axis, keep))),
  ),
  Mean: axes.map(axis => wide(`over ${String(axis)}`, [[2, 3, 4]], x => tf.mean(x as Tensor, axis))),
  Max: extremes(tf.max),
  Min: extremes(tf.min),
  Softmax: [
    {
      what: 'rows',
      fn: x => tf.softmax(x as Tensor),
      inputs: [draw.float32([3, 4])],
      reference: x => [0, 4, 8].flatMap(from => softmaxOf(x.slice(from, from + 4))),
    },
  ],
  Cumsum: [
    [false, false],
    [true, true],
  ].map(([exclusive, reverse]) => wide('rows', [[2, 3]], x => tf.cumsum(x as Tensor, 1, exclusive, reverse))),

  BatchMatMul: [
    ...[
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ].map(([transposeA, transposeB]) =>
      wide(
        `${String(transposeA)} ${String(transposeB)}`,
        [transposeA ? [4, 2] : [2, 4], transposeB ? [3, 4] : [4, 3]],
        (a, b) => tf.matMul(a as Tensor, b as Tensor, transposeA, transposeB),
      ),
    ),
    ...[false, true].map(transposeB =>
      wide(
        `batches ${String(transposeB)}`,
        [
          [2, 2, 4],
          [2, ...(transposeB ? [3, 4] : [4, 3])],
        ],
        (a, b) => tf.matMul(a as Tensor, b as Tensor, false, transposeB),
      ),
    ),
  ],
  GatherV2: [
    wide('rows, some twice', [[4, 3]], x => tf.gather(x as Tensor, tf.tensor1d([3, 0, 3, 3, 1], 'int32'))),
    wide('a matrix of rows', [[4, 3]], x =>
      tf.gather(
        x as Tensor,
        tf.tensor2d(
          [
            [3, 0],
            [1, 3],
          ],
          [2, 2],
          'int32',
        ),
      ),
    ),
    wide('columns', [[2, 4, 3]], x => tf.gather(x as Tensor, tf.tensor1d([3, 0, 3], 'int32'), 1)),
  ],
  UnsortedSegmentSum: [
    wide('rows', [[4, 3]], x => tf.unsortedSegmentSum(x as Tensor, tf.tensor1d([1, 0, 1, 1], 'int32') as Tensor1D, 3)),
  ],

  Reshape: [wide('[2,6]', [[2, 6]], x => tf.reshape(x as Tensor, [3, 4]))],
  ExpandDims: [wide('[2,3]', [[2, 3]], x => tf.expandDims(x as Tensor, 1))],
  Transpose: [wide('[2,3,4]', [[2, 3, 4]], x => tf.transpose(x as Tensor, [2, 0, 1]))],
  Slice: [wide('[4,5]', [[4, 5]], x => tf.slice(x as Tensor, [1, 2], [2, 2]))],
  Concat: [
    wide(
      'along 1',
      [
        [2, 1],
        [2, 3],
      ],
      (x, y) => tf.concat([x as Tensor, y as Tensor], 1),
    ),
    wide('along 0', [[2], [3]], (x, y) => tf.concat([x as Tensor, y as Tensor])),
  ],
  Pack: [
    wide(
      'along 1',
      [
        [2, 3],
        [2, 3],
      ],
      (x, y) => tf.stack([x as Tensor, y as Tensor], 1),
    ),
  ],
  Unpack: [wide('the last of three', [[2, 3]], x => tf.unstack(x as Tensor, 1)[2] as Tensor)],
  SplitV: [wide('the middle of three', [[6]], x => tf.split(x as Tensor, [1, 3, 2])[1] as Tensor)],
  Tile: [
    wide('both axes', [[2, 3]], x => tf.tile(x as Tensor, [2, 3])),
    wide('an axis of 1', [[1, 3]], x => tf.tile(x as Tensor, [4, 1])),
  ],
  PadV2: [
    wide('both sides', [[2, 3]], x =>
      tf.pad(
        x as Tensor,
        [
          [1, 0],
          [2, 1],
        ],
        5,
      ),
    ),
  ],
  Reverse: [wide('an axis', [[2, 3]], x => tf.reverse(x as Tensor, 1))],
};
