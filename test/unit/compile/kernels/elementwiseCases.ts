import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor, Shape } from '../../../../src/common/tensor';
import type { TensorFunction } from '../../../../src/compile/runtime';
import type { Tolerance } from '../../../support/close';
import { Draw, type Distribution } from '../../../support/draw';
import { exact, type CaseTable, type KernelCase } from './kernelCase';

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;
type Kind = Distribution | 'int32' | 'bool';

function drawn(draw: Draw, kind: Kind, shape: Shape): HostTensor {
  if (kind === 'int32') return draw.int32(shape, -5, 6);
  return kind === 'bool' ? draw.bool(shape) : draw.float32(shape, kind);
}

/** A tensor that is a constant of the traced function. */
const constant = ({ data, shape, dtype }: HostTensor) => tf.tensor(data, [...shape], dtype);
const [dtypeOf, likely] = [
  (kind: Kind) => (kind === 'int32' || kind === 'bool' ? kind : 'float32'),
  (kind: Kind): readonly number[] =>
    kind === 'bool' ? [0, 1] : kind === 'positive' || kind === 'away from 0' ? [1, 2] : [0, 1, -2],
];

/**
 * On inputs of several shapes, on one that is constant, and on constants whose elements are all equal (which are
 * folded).
 */
function unary(name: string, op: Unary, kinds: readonly Kind[], tolerance?: Tolerance): readonly KernelCase[] {
  const draw = new Draw(name);
  const fn: TensorFunction = (...inputs) => [op(inputs[0] as Tensor)];
  return kinds
    .flatMap(kind => [
      ...[[], [1], [7], [3, 4], [2, 1, 3, 2]].map(shape => ({
        what: `${kind} [${shape.join()}]`,
        fn,
        inputs: [drawn(draw, kind, shape)],
      })),
      ...[drawn(draw, kind, [2, 3])].map(value => ({
        what: `${kind} constant`,
        fn: () => [op(constant(value))],
        inputs: [],
      })),
      ...likely(kind).map(value => ({
        what: `${kind} splat ${value}`,
        fn: () => [op(tf.fill([2, 3], value, dtypeOf(kind)))],
        inputs: [],
      })),
    ])
    .map(each => (tolerance ? { ...each, tolerance } : each));
}

const shapePairs: readonly (readonly [Shape, Shape])[] = [
  [[], []],
  [[4], [4]],
  [[3, 4], [4]],
  [[4], [3, 4]],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [
    [3, 1],
    [1, 4],
  ],
  [[], [2, 3]],
  [[1, 1, 1], [2]],
  [[1], []],
];

/**
 * On operands of all broadcastable kinds: inputs, constants, splats, and inputs repeated to the full shape beforehand.
 */
function binary(
  name: string,
  op: Binary,
  operands: readonly (readonly [Kind, Kind])[],
  tolerance?: Tolerance,
): readonly KernelCase[] {
  const draw = new Draw(name);
  return operands
    .flatMap(([left, right]) => [
      ...shapePairs.map(([a, b]): KernelCase => ({
        what: `${left} [${a.join()}] and ${right} [${b.join()}]`,
        fn: (...inputs) => [op(inputs[0] as Tensor, inputs[1] as Tensor)],
        inputs: [drawn(draw, left, a), drawn(draw, right, b)],
      })),
      ...shapePairs.flatMap(([a, b]) =>
        likely(right).map((value): KernelCase => ({
          what: `${left} [${a.join()}] and splat ${value} [${b.join()}]`,
          fn: (...inputs) => [op(inputs[0] as Tensor, tf.fill([...b], value, dtypeOf(right)))],
          inputs: [drawn(draw, left, a)],
        })),
      ),
      ...likely(left).map((value): KernelCase => ({
        what: `splat ${value} and ${right}`,
        fn: (...inputs) => [op(tf.fill([3, 1], value, dtypeOf(left)), inputs[0] as Tensor)],
        inputs: [drawn(draw, right, [4])],
      })),
      ...likely(left).flatMap(value =>
        likely(right).map((other): KernelCase => ({
          what: `splat ${value} and splat ${other}`,
          fn: () => [op(tf.fill([3, 1], value, dtypeOf(left)), tf.fill([4], other, dtypeOf(right)))],
          inputs: [],
        })),
      ),
      ...[drawn(draw, right, [2, 1])].map((value): KernelCase => ({
        what: `${left} and a constant`,
        fn: (...inputs) => [op(inputs[0] as Tensor, constant(value))],
        inputs: [drawn(draw, left, [1, 3])],
      })),
      ...(left === 'bool' || right === 'bool'
        ? []
        : [[2, 3], [3], [2, 1], []].map((other): KernelCase => ({
            what: `${left} repeated to [2,3] and ${right} [${other.join()}]`,
            fn: (...inputs) => [
              op(tf.broadcastTo(inputs[0] as Tensor, [2, 3]), inputs[1] as Tensor),
              op(tf.broadcastTo(inputs[0] as Tensor, [2, 3]), tf.broadcastTo(inputs[1] as Tensor, [2, 3])),
            ],
            inputs: [drawn(draw, left, [1, 3]), drawn(draw, right, other)],
          }))),
    ])
    .map(each => (tolerance ? { ...each, tolerance } : each));
}

const floats: readonly (readonly [Kind, Kind])[] = [['normal', 'normal']];
const numbers: readonly (readonly [Kind, Kind])[] = [...floats, ['int32', 'int32']];
const comparable: readonly (readonly [Kind, Kind])[] = [
  ['small integers', 'small integers'],
  ['int32', 'int32'],
];
const logical: readonly (readonly [Kind, Kind])[] = [['bool', 'bool']];

const mixed = new Draw('mixed');

export const elementwiseCases: CaseTable = {
  Add: [
    ...binary('Add', tf.add, numbers),
    // 2²⁴ + 1 is the first integer that float32 does not have.
    {
      what: 'large integers',
      fn: () => [tf.add(tf.scalar(2 ** 24, 'int32'), tf.scalar(1, 'int32'))],
      inputs: [],
      tolerance: exact,
    },
  ],
  Sub: binary('Sub', tf.sub, numbers),
  Multiply: binary('Multiply', tf.mul, numbers),
  RealDiv: binary('RealDiv', tf.div, [['normal', 'away from 0']]),
  Maximum: binary('Maximum', tf.maximum, numbers, exact),
  Minimum: binary('Minimum', tf.minimum, numbers, exact),
  Pow: binary('Pow', tf.pow, [['positive', 'normal']], { relative: 1e-5 }),
  FloorDiv: binary(
    'FloorDiv',
    tf.floorDiv,
    [
      ['normal', 'away from 0'],
      ['small integers', 'away from 0'],
    ],
    exact,
  ).concat(
    binary(
      'FloorDiv of integers',
      (a, b) => tf.floorDiv(a, tf.add(tf.abs(b), tf.scalar(1, 'int32'))),
      [['int32', 'int32']],
      exact,
    ),
  ),
  SquaredDifference: binary('SquaredDifference', tf.squaredDifference, numbers),
  Mod: binary(
    'Mod',
    tf.mod,
    [
      ['normal', 'away from 0'],
      ['int32', 'away from 0'],
    ],
    { absolute: 2e-6 },
  ).concat(
    binary(
      'Mod of integers',
      (a, b) => tf.mod(a, tf.add(tf.abs(b), tf.scalar(1, 'int32'))),
      [['int32', 'int32']],
      exact,
    ),
  ),

  Abs: unary('Abs', tf.abs, ['normal', 'int32'], exact),
  Ceil: unary('Ceil', tf.ceil, ['normal'], exact),
  Cos: unary('Cos', tf.cos, ['normal']),
  // tfjs' own error function is an approximation, good to 1.5e-7 (Abramowitz and Stegun 7.1.26).
  Erf: unary('Erf', tf.erf, ['normal'], { absolute: 4e-7 }),
  Exp: unary('Exp', tf.exp, ['normal']),
  Expm1: unary('Expm1', tf.expm1, ['normal']),
  Floor: unary('Floor', tf.floor, ['normal'], exact),
  Log: unary('Log', tf.log, ['positive']),
  Log1p: unary('Log1p', tf.log1p, ['positive']),
  Neg: unary('Neg', tf.neg, ['normal', 'int32'], exact),
  Reciprocal: unary('Reciprocal', tf.reciprocal, ['away from 0']),
  Relu: unary('Relu', tf.relu, ['normal', 'int32'], exact),
  Rsqrt: unary('Rsqrt', tf.rsqrt, ['positive']),
  Sigmoid: unary('Sigmoid', tf.sigmoid, ['normal']),
  Sign: unary('Sign', tf.sign, ['normal', 'small integers', 'int32'], exact),
  Sin: unary('Sin', tf.sin, ['normal']),
  Sqrt: unary('Sqrt', tf.sqrt, ['positive']),
  Square: unary('Square', tf.square, ['normal', 'int32']),
  Step: unary('Step', x => tf.step(x), ['normal', 'small integers', 'int32'], exact).concat(
    unary('Step with a slope', x => tf.step(x, -1), ['normal', 'small integers'], exact),
  ),
  Tanh: unary('Tanh', tf.tanh, ['normal']),

  Equal: binary('Equal', tf.equal, [...comparable, ...logical], exact),
  NotEqual: binary('NotEqual', tf.notEqual, [...comparable, ...logical], exact),
  Greater: binary('Greater', tf.greater, comparable, exact),
  GreaterEqual: binary('GreaterEqual', tf.greaterEqual, comparable, exact),
  Less: binary('Less', tf.less, comparable, exact),
  LessEqual: binary('LessEqual', tf.lessEqual, comparable, exact),
  LogicalAnd: binary('LogicalAnd', tf.logicalAnd, logical, exact),
  LogicalOr: binary('LogicalOr', tf.logicalOr, logical, exact),
  LogicalNot: unary('LogicalNot', tf.logicalNot, ['bool'], exact),

  Select: [
    ...(
      [
        [
          [2, 3],
          [2, 3],
        ],
        [[3], [2, 3]],
        [
          [2, 1],
          [2, 3],
        ],
        [[2, 3], [3]],
      ] as const
    ).map(([condition, branch]): KernelCase => ({
      what: `where [${condition.join()}] choose [${branch.join()}]`,
      fn: (...inputs) => [tf.where(inputs[0] as Tensor, inputs[1] as Tensor, inputs[2] as Tensor)],
      inputs: [mixed.bool(condition), mixed.float32(branch), mixed.float32([2, 3])],
    })),
    {
      what: 'splat branches',
      fn: (...inputs) => [
        tf.where(inputs[0] as Tensor, tf.fill([2, 3], 5), tf.zeros([2, 3])),
        tf.where(inputs[0] as Tensor, tf.scalar(1, 'int32'), tf.scalar(2, 'int32')),
      ],
      inputs: [mixed.bool([2, 3])],
      tolerance: exact,
    },
    {
      what: 'splat conditions',
      fn: (...inputs) =>
        [true, false].map(value =>
          tf.where(tf.fill([2, 3], Number(value), 'bool'), inputs[0] as Tensor, tf.zeros([3])),
        ),
      inputs: [mixed.float32([3])],
      tolerance: exact,
    },
  ],
  Identity: unary('Identity', tf.clone, ['normal', 'int32', 'bool'], exact),
  Cast: [
    ...unary('Cast to int32', x => tf.cast(tf.mul(x, 3), 'int32'), ['normal'], exact),
    ...unary('Cast to float32', x => tf.cast(x, 'float32'), ['int32', 'bool'], exact),
    ...unary('Cast bool to int32', x => tf.cast(x, 'int32'), ['bool'], exact),
    ...unary('Cast to bool', x => tf.cast(x, 'bool'), ['small integers', 'normal', 'int32'], exact),
  ],
  ClipByValue: unary('ClipByValue', x => tf.clipByValue(x, -0.5, 0.75), ['normal', 'small integers'], exact),
  AddN: [1, 2, 3, 4].map(count => ({
    what: `${count} tensors`,
    fn: (...inputs: Tensor[]) => [tf.addN(inputs)],
    inputs: Array.from({ length: count }, () => mixed.float32([2, 3])),
  })),
  ZerosLike: unary('ZerosLike', tf.zerosLike, ['normal', 'int32', 'bool'], exact),
  OnesLike: unary('OnesLike', tf.onesLike, ['normal', 'int32', 'bool'], exact),
};
