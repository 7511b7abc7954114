import type { Graph, Value } from '../graph';
import { sameShape, type Shape } from '../../common/tensor';
import { broadcastShape, cast, expand, inputOf, reshape, rounded, whole } from './record';
import type { KernelTable, TracingKernel } from './register';

type Unary = (x: number) => number;
type Binary = (a: number, b: number) => number;

/** Records a unary operator, or computes it at once on a splat. */
function unary(op: string, fold: Unary): TracingKernel {
  return (graph, inputs) => unaryNode(graph, op, inputOf(inputs, 'x'), fold);
}

function unaryNode(graph: Graph, op: string, x: Value, fold: Unary): Value {
  if (x.splat !== undefined && x.dtype !== 'int64') return graph.splat(x.dtype, x.shape, rounded(x.dtype, fold(x.splat)));
  const flat = unreshaped(graph, [x]);
  return flat ? reshape(graph, graph.node(op, flat.values, { dtype: x.dtype, shape: flat.shape }), x.shape) : graph.node(op, [x], x);
}

/**
 * The operands before they were reshaped, where all (but splats) were from one shape to another: the operator may as well
 * come first, so that the reshapes gather at the end and become one, or none. A step of a small model is mostly nodes.
 */
function unreshaped(graph: Graph, operands: readonly Value[]): { readonly values: readonly Value[]; readonly shape: Shape } | undefined {
  const sources = operands.map(operand => {
    const maker = graph.maker(operand);
    return maker?.op === 'Reshape' ? maker.inputs[0] : undefined;
  });
  const [shape] = sources.flatMap(source => (source ? [source.shape] : []));
  const target = operands.find(operand => operand.splat === undefined)?.shape;
  if (!shape || !target) return undefined;
  const fits = operands.every((operand, index) => {
    const source = sources[index];
    return operand.splat !== undefined || (source && sameShape(source.shape, shape) && sameShape(operand.shape, target));
  });
  return fits ? { values: operands.map((operand, index) => sources[index] ?? operand), shape } : undefined;
}

/** Records a binary operator on broadcast operands; the result has the operands' type. */
function arithmetic(op: string, fold: Binary, simplify?: (a: Value, b: Value) => Value | number | undefined): TracingKernel {
  return (graph, inputs) => binaryNode(graph, op, inputOf(inputs, 'a'), inputOf(inputs, 'b'), fold, simplify);
}

/** A comparison or logical operator: the result is bool. */
function predicate(op: string, fold: (a: number, b: number) => boolean): TracingKernel {
  return (graph, inputs) => binaryNode(graph, op, inputOf(inputs, 'a'), inputOf(inputs, 'b'), (a, b) => Number(fold(a, b)), undefined, 'bool');
}

function binaryNode(
  graph: Graph,
  op: string,
  a: Value,
  b: Value,
  fold: Binary,
  simplify?: (a: Value, b: Value) => Value | number | undefined,
  dtype: Value['dtype'] = a.dtype,
): Value {
  const shape = broadcastShape(a.shape, b.shape);
  if (a.splat !== undefined && b.splat !== undefined && dtype !== 'int64') {
    return graph.splat(dtype, shape, rounded(dtype, fold(a.splat, b.splat)));
  }
  const simple = simplify?.(a, b);
  if (typeof simple === 'number' && dtype !== 'int64') return graph.splat(dtype, shape, simple);
  if (typeof simple === 'object') return expand(graph, simple, shape);

  const flat = unreshaped(graph, [a, b]);
  if (flat && [a, b].every(operand => operand.splat !== undefined || sameShape(operand.shape, shape))) {
    return reshape(graph, graph.node(op, flat.values, { dtype, shape: flat.shape }), shape);
  }

  // An operand that was repeated to the full shape need not be: the operator repeats it by itself.
  let [left, right] = [a, b];
  const source = (value: Value) => {
    const maker = graph.maker(value);
    return maker?.op === 'Expand' ? maker.inputs[0] : undefined;
  };
  const reaches = (p: Value, q: Value) => sameShape(broadcastShape(p.splat === undefined ? p.shape : [], q.splat === undefined ? q.shape : []), shape);
  const narrowLeft = source(left);
  if (narrowLeft && reaches(narrowLeft, right)) left = narrowLeft;
  const narrowRight = source(right);
  if (narrowRight && reaches(left, narrowRight)) right = narrowRight;
  if (!reaches(left, right)) {
    if (left.splat === undefined) left = expand(graph, left, shape);
    else right = expand(graph, right, shape);
  }
  return graph.node(op, [left, right], { dtype, shape });
}

const plainAdd = arithmetic('Add', (a, b) => a + b, (a, b) => (a.splat === 0 ? b : b.splat === 0 ? a : undefined));
const add: TracingKernel = (graph, inputs, attrs) => {
  const [a, b] = [inputOf(inputs, 'a'), inputOf(inputs, 'b')];
  return productWithBias(graph, a, b) ?? productWithBias(graph, b, a) ?? plainAdd(graph, inputs, attrs);
};

/** A matrix product and the same vector for each of its rows are one node, and a pass over the product less. */
function productWithBias(graph: Graph, product: Value, bias: Value): Value | undefined {
  const maker = graph.maker(product);
  const isBias = bias.splat === undefined && bias.shape.length === 1 && bias.shape[0] === product.shape[1];
  return maker?.op === 'Gemm' && maker.inputs.length === 2 && isBias
    ? graph.node('Gemm', [...maker.inputs, bias], product, maker.attributes)
    : undefined;
}
const subtract = arithmetic('Sub', (a, b) => a - b, (a, b) => (b.splat === 0 ? a : undefined));
const multiply = arithmetic('Mul', (a, b) => a * b, (a, b) => (a.splat === 1 ? b : b.splat === 1 ? a : undefined));
const divide = arithmetic('Div', (a, b) => a / b, (a, b) => (b.splat === 1 ? a : undefined));

const run = (kernel: TracingKernel, graph: Graph, a: Value, b: Value): Value => kernel(graph, { a, b }, {}) as Value;
const number = (graph: Graph, like: Value, value: number): Value => graph.splat(like.dtype === 'int64' ? 'int32' : like.dtype, [], value);

/** `where(condition, t, e)` on broadcast operands. */
function select(graph: Graph, condition: Value, t: Value, e: Value): Value {
  const shape = broadcastShape(condition.shape, broadcastShape(t.shape, e.shape));
  if (condition.splat !== undefined) return expand(graph, condition.splat === 0 ? e : t, shape);
  const reached = [condition, t, e].reduce<readonly number[]>((reach, value) => broadcastShape(reach, value.splat === undefined ? value.shape : []), []);
  const full = sameShape(reached, shape) ? condition : expand(graph, condition, shape);
  return graph.node('Where', [full, t, e], { dtype: t.dtype, shape });
}

/**
 * log(1 + x) without losing the digits of a small x: with u = 1 + x as it is rounded, log(u)·x/(u − 1) corrects the
 * rounding (Kahan; Higham 2002, §1.14.1). Right to a few units in the last place, against 1/x·6e-8 for the plain form.
 */
const log1p: TracingKernel = (graph, inputs) => {
  const x = inputOf(inputs, 'x');
  if (x.splat !== undefined) return unaryNode(graph, 'Log', x, Math.log1p);
  const one = number(graph, x, 1);
  const u = run(add, graph, x, one);
  const logarithm = unaryNode(graph, 'Log', u, Math.log);
  const isTiny = run(predicate('Equal', (a, b) => a === b), graph, u, one);
  const isLarge = run(predicate('Greater', (a, b) => a > b), graph, x, one);
  // The divisor must not be 0 even where the quotient is not chosen: gradients never pass here, but NaN must not either.
  const divisor = select(graph, isTiny, expand(graph, one, x.shape), run(subtract, graph, u, one));
  const corrected = run(multiply, graph, logarithm, run(divide, graph, x, divisor));
  return select(graph, isLarge, logarithm, select(graph, isTiny, x, corrected));
};

/** exp(x) − 1 by the same correction: (u − 1)·x/log(u) with u = exp(x) (Higham 2002, §1.14.1). */
const expm1: TracingKernel = (graph, inputs) => {
  const x = inputOf(inputs, 'x');
  if (x.splat !== undefined) return unaryNode(graph, 'Exp', x, Math.expm1);
  const one = number(graph, x, 1);
  const u = unaryNode(graph, 'Exp', x, Math.exp);
  const difference = run(subtract, graph, u, one);
  const logarithm = unaryNode(graph, 'Log', u, Math.log);
  const isTiny = run(predicate('Equal', (a, b) => a === b), graph, u, one);
  const size = unaryNode(graph, 'Abs', x, Math.abs);
  const isLarge = run(predicate('Greater', (a, b) => a > b), graph, size, one);
  const divisor = select(graph, isTiny, expand(graph, one, x.shape), logarithm);
  const corrected = run(multiply, graph, difference, run(divide, graph, x, divisor));
  return select(graph, isLarge, difference, select(graph, isTiny, x, corrected));
};

/**
 * 1 where x > 0, `alpha` elsewhere. With 0 elsewhere it is a hard sigmoid so steep that the least normal number reaches 1:
 * one pass of ONNX Runtime's fastest kind, where comparing and casting are two slow ones.
 */
const step: TracingKernel = (graph, inputs, attrs) => {
  const x = inputOf(inputs, 'x');
  const alpha = Number(attrs['alpha'] ?? 0);
  if (alpha === 0 && x.dtype === 'float32' && x.splat === undefined) {
    return graph.node('HardSigmoid', [x], x, { alpha: { float: 2 ** 127 }, beta: { float: 0 } });
  }
  const positive = run(predicate('Greater', (a, b) => a > b), graph, x, number(graph, x, 0));
  return alpha === 0 ? cast(graph, positive, x.dtype) : select(graph, positive, number(graph, x, 1), number(graph, x, alpha));
};

/** The quotient rounded down, in float32. */
function floorQuotient(graph: Graph, a: Value, b: Value): Value {
  return unaryNode(graph, 'Floor', run(divide, graph, cast(graph, a, 'float32'), cast(graph, b, 'float32')), Math.floor);
}

export const elementwiseKernels: KernelTable = {
  Add: add,
  Sub: subtract,
  Multiply: multiply,
  RealDiv: divide,
  Maximum: arithmetic('Max', Math.max),
  Minimum: arithmetic('Min', Math.min),
  Pow: arithmetic('Pow', Math.pow),
  // tfjs gives int32, whatever is divided.
  FloorDiv: (graph, inputs) => cast(graph, floorQuotient(graph, inputOf(inputs, 'a'), inputOf(inputs, 'b')), 'int32'),
  SquaredDifference: (graph, inputs) => {
    const difference = subtract(graph, inputs, {}) as Value;
    return run(multiply, graph, difference, difference);
  },
  // tfjs gives the remainder the divisor's sign, as floor division does.
  Mod: (graph, inputs) => {
    const [a, b] = [inputOf(inputs, 'a'), inputOf(inputs, 'b')];
    const quotient = cast(graph, floorQuotient(graph, a, b), a.dtype);
    return run(subtract, graph, a, run(multiply, graph, quotient, b));
  },

  Abs: unary('Abs', Math.abs),
  Ceil: unary('Ceil', Math.ceil),
  Cos: unary('Cos', Math.cos),
  Erf: (graph, inputs) => graph.node('Erf', [whole(graph, inputOf(inputs, 'x'))], inputOf(inputs, 'x')),
  Exp: unary('Exp', Math.exp),
  Expm1: expm1,
  Floor: unary('Floor', Math.floor),
  Log: unary('Log', Math.log),
  Log1p: log1p,
  Neg: unary('Neg', x => -x),
  Reciprocal: unary('Reciprocal', x => 1 / x),
  Relu: unary('Relu', x => Math.max(0, x)),
  Rsqrt: (graph, inputs) => {
    const root = unaryNode(graph, 'Sqrt', inputOf(inputs, 'x'), Math.sqrt);
    return unaryNode(graph, 'Reciprocal', root, x => 1 / x);
  },
  Sigmoid: unary('Sigmoid', x => 1 / (1 + Math.exp(-x))),
  Sign: unary('Sign', Math.sign),
  Sin: unary('Sin', Math.sin),
  Sqrt: unary('Sqrt', Math.sqrt),
  Square: (graph, inputs) => run(multiply, graph, inputOf(inputs, 'x'), inputOf(inputs, 'x')),
  Step: step,
  Tanh: unary('Tanh', Math.tanh),

  Equal: predicate('Equal', (a, b) => a === b),
  NotEqual: (graph, inputs) => {
    const equal = predicate('Equal', (a, b) => a === b)(graph, inputs, {}) as Value;
    return unaryNode(graph, 'Not', equal, x => Number(x === 0));
  },
  Greater: predicate('Greater', (a, b) => a > b),
  GreaterEqual: predicate('GreaterOrEqual', (a, b) => a >= b),
  Less: predicate('Less', (a, b) => a < b),
  LessEqual: predicate('LessOrEqual', (a, b) => a <= b),
  LogicalAnd: predicate('And', (a, b) => a !== 0 && b !== 0),
  LogicalOr: predicate('Or', (a, b) => a !== 0 || b !== 0),
  LogicalNot: unary('Not', x => Number(x === 0)),

  Select: (graph, inputs) => select(graph, inputOf(inputs, 'condition'), inputOf(inputs, 't'), inputOf(inputs, 'e')),
  Identity: (_, inputs) => inputOf(inputs, 'x'),
  Cast: (graph, inputs, attrs) => cast(graph, inputOf(inputs, 'x'), attrs['dtype'] as Value['dtype']),
  ClipByValue: (graph, inputs, attrs) => {
    const x = inputOf(inputs, 'x');
    const least = run(arithmetic('Max', Math.max), graph, x, number(graph, x, Number(attrs['clipValueMin'])));
    return run(arithmetic('Min', Math.min), graph, least, number(graph, x, Number(attrs['clipValueMax'])));
  },
  AddN: (graph, inputs) => Object.values(inputs).reduce((sum, value) => run(add, graph, sum, value)),
  ZerosLike: (graph, inputs) => filledLike(graph, inputOf(inputs, 'x'), 0),
  OnesLike: (graph, inputs) => filledLike(graph, inputOf(inputs, 'x'), 1),
};

function filledLike(graph: Graph, x: Value, value: number): Value {
  if (x.dtype === 'int64') throw new Error('int64 values stay inside kernels');
  return graph.splat(x.dtype, x.shape, value);
}
