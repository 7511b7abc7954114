import { formatShape, sizeOf, type DType, type Shape, type TypedArrays } from '../common/tensor';

/** Element types of a graph; int64 only for shapes and indices that an operator wants so. */
export type ValueType = DType | 'int64';
export type Attribute = number | readonly number[] | string | { readonly float: number };
export type ConstantData = TypedArrays[DType] | BigInt64Array;

/** A tensor that a graph computes, takes or holds. Values are immutable, so equal computations share one. */
export interface Value {
  readonly id: number;
  readonly dtype: ValueType;
  readonly shape: Shape;
  /** The one number that all elements of a constant have. */
  readonly splat?: number;
}

export interface Node {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Spec {
  readonly dtype: ValueType;
  readonly shape: Shape;
}

/** Constants of at most this many elements are compared with those that there are, so that what is made of equal ones is made once. */
const mostCompared = 1024;

/**
 * A graph of ONNX operators while it is recorded. Recording a node whose operator, inputs and attributes have been
 * recorded before returns the earlier values; nodes that no output needs are dropped when it is written.
 */
export class Graph {
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  private readonly recorded: Node[] = [];
  private readonly constantData = new Map<Value, ConstantData>();
  private readonly known = new Map<string, readonly Value[]>();
  private readonly makers = new Map<Value, Node>();
  private nextId = 0;

  /** @param mostOutputs the most that one node may have where the graph will run */
  constructor(readonly mostOutputs = Infinity) {}

  input(spec: Spec): Value {
    const value = this.value(spec);
    this.inputs.push(value);
    return value;
  }

  /** Records a node with one output. */
  node(op: string, inputs: readonly Value[], output: Spec, attributes: Node['attributes'] = {}): Value {
    const [value] = this.nodes(op, inputs, [output], attributes);
    if (!value) throw new Error(`${op} has no output`);
    return value;
  }

  /** Records a node with several outputs. */
  nodes(op: string, inputs: readonly Value[], outputs: readonly Spec[], attributes: Node['attributes'] = {}): readonly Value[] {
    const key = JSON.stringify([op, inputs.map(input => input.id), attributes, outputs.map(output => [output.dtype, output.shape])]);
    const same = this.known.get(key);
    if (same) return same;
    const values = outputs.map(output => this.value(output));
    const node: Node = { op, inputs, outputs: values, attributes };
    this.recorded.push(node);
    for (const value of values) this.makers.set(value, node);
    this.known.set(key, values);
    return values;
  }

  /** A constant that all elements share, held as a scalar; use {@link materialize} where an operator wants it whole. */
  splat(dtype: DType, shape: Shape, number: number): Value {
    const key = `splat ${dtype} ${formatShape(shape)} ${Object.is(number, -0) ? '-0' : number}`;
    const same = this.known.get(key)?.[0];
    if (same) return same;
    const value = this.value({ dtype, shape }, number);
    this.known.set(key, [value]);
    return value;
  }

  constant(spec: Spec, data: ConstantData): Value {
    if (data.length !== sizeOf(spec.shape)) throw new RangeError(`${data.length} values for ${formatShape(spec.shape)}`);
    if (spec.dtype !== 'int64' && !(data instanceof BigInt64Array)) {
      const first = data[0];
      if (first !== undefined && data.every(element => Object.is(element, first))) return this.splat(spec.dtype, spec.shape, first);
    }
    const key = data.length <= mostCompared ? `constant ${spec.dtype} ${formatShape(spec.shape)} ${bytesOf(data).join()}` : undefined;
    const same = key === undefined ? undefined : this.known.get(key)?.[0];
    if (same) return same;
    const value = this.value(spec);
    this.constantData.set(value, data);
    if (key !== undefined) this.known.set(key, [value]);
    return value;
  }

  /** A constant's elements under another shape; the same one however often it is asked for. */
  reshapedConstant(value: Value, shape: Shape): Value | undefined {
    const data = this.dataOf(value);
    if (!data) return undefined;
    const key = `reshaped ${value.id} ${formatShape(shape)}`;
    const same = this.known.get(key)?.[0];
    if (same) return same;
    const made = this.constant({ dtype: value.dtype, shape }, data);
    this.known.set(key, [made]);
    return made;
  }

  /** A vector of int64, as shapes and axes are given. */
  int64(numbers: readonly number[]): Value {
    return this.constant({ dtype: 'int64', shape: [numbers.length] }, BigInt64Array.from(numbers, BigInt));
  }

  /** The node that makes a value; none for inputs and constants. */
  maker(value: Value): Node | undefined {
    return this.makers.get(value);
  }

  /** A constant's elements; a splat's are filled in. */
  dataOf(value: Value): ConstantData | undefined {
    return value.splat === undefined ? this.constantData.get(value) : filled(value.dtype, sizeOf(value.shape), value.splat);
  }

  /** The nodes that the outputs need, in an order in which they can run. */
  liveNodes(): readonly Node[] {
    const live = new Set<Node>();
    const pending = [...this.outputs];
    for (let value = pending.pop(); value; value = pending.pop()) {
      const node = this.makers.get(value);
      if (!node || live.has(node)) continue;
      live.add(node);
      pending.push(...node.inputs);
    }
    return this.recorded.filter(node => live.has(node));
  }

  private value(spec: Spec, splat?: number): Value {
    const value = { id: this.nextId++, dtype: spec.dtype, shape: [...spec.shape] };
    return splat === undefined ? value : { ...value, splat };
  }
}

/** The elements as they lie in memory, where 0 and −0 differ and NaN is itself. */
function bytesOf({ buffer, byteOffset, byteLength }: ConstantData): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** `size` times the same number, as the type wants it. */
export function filled(dtype: ValueType, size: number, number: number): ConstantData {
  switch (dtype) {
    case 'float32': return new Float32Array(size).fill(number);
    case 'int32': return new Int32Array(size).fill(number);
    case 'bool': return new Uint8Array(size).fill(number);
    case 'int64': return new BigInt64Array(size).fill(BigInt(number));
  }
}
