import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { filled, type Attribute, type Graph, type Node, type Value, type ValueType } from './graph';

// Field numbers and enumerations are those of onnx.proto (ONNX IR version 9).
const elementType: Readonly<Record<ValueType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };
const attributeType = { float: 1, int: 2, string: 3, ints: 7 } as const;
const irVersion = 9;
/** The newest operator set that every kernel here was checked against. */
export const opsetVersion = 18;

type Write = (writer: BinaryWriter) => void;

export function valueName(value: Value): string {
  return `v${value.id}`;
}

/** Names of the graph's inputs and outputs, which stay distinct even where an output is an input or comes twice. */
export const inputName = (index: number) => `input${index}`;
export const outputName = (index: number) => `output${index}`;

/** Serialises a graph as an ONNX model. */
export function writeOnnx(graph: Graph, name: string): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int64(irVersion);
  writer.tag(2, WireType.LengthDelimited).string('circuit-explorer');
  message(writer, 7, w => writeGraph(w, graph, name));
  message(writer, 8, w => {
    w.tag(1, WireType.LengthDelimited).string('');
    w.tag(2, WireType.Varint).int64(opsetVersion);
  });
  return writer.finish();
}

function writeGraph(writer: BinaryWriter, graph: Graph, name: string): void {
  const nodes = graph.liveNodes();
  const names = new Map<Value, string>(graph.inputs.map((value, index) => [value, inputName(index)]));
  const copied: number[] = [];
  graph.outputs.forEach((value, index) => {
    if (names.has(value) || !graph.maker(value)) copied.push(index);
    else names.set(value, outputName(index));
  });
  const nameOf = (value: Value) => names.get(value) ?? valueName(value);

  nodes.forEach((node, index) => message(writer, 1, w => writeNode(w, node, index, nameOf)));
  for (const index of copied) {
    const value = graph.outputs[index];
    if (!value) continue;
    const identity: Node = { op: 'Identity', inputs: [value], outputs: [], attributes: {} };
    message(writer, 1, w => writeNode(w, identity, nodes.length + index, nameOf, [outputName(index)]));
  }
  writer.tag(2, WireType.LengthDelimited).string(name);
  const used = new Set([...nodes.flatMap(node => node.inputs), ...graph.outputs]);
  for (const value of used) {
    const data = value.splat === undefined ? graph.dataOf(value) : filled(value.dtype, 1, value.splat);
    if (data === undefined) continue;
    message(writer, 5, w => {
      // A splat is a constant of rank 0 or of ones: operators broadcast it.
      for (const dimension of value.splat === undefined ? value.shape : []) w.tag(1, WireType.Varint).int64(dimension);
      w.tag(2, WireType.Varint).int32(elementType[value.dtype]);
      w.tag(8, WireType.LengthDelimited).string(nameOf(value));
      w.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    });
  }
  graph.inputs.forEach((value, index) => message(writer, 11, w => writeValueInfo(w, inputName(index), value)));
  graph.outputs.forEach((value, index) => message(writer, 12, w => writeValueInfo(w, outputName(index), value)));
}

function writeNode(writer: BinaryWriter, node: Node, index: number, nameOf: (value: Value) => string, outputs = node.outputs.map(nameOf)): void {
  for (const input of node.inputs) writer.tag(1, WireType.LengthDelimited).string(nameOf(input));
  for (const output of outputs) writer.tag(2, WireType.LengthDelimited).string(output);
  writer.tag(3, WireType.LengthDelimited).string(`${node.op}_${index}`);
  writer.tag(4, WireType.LengthDelimited).string(node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) message(writer, 5, w => writeAttribute(w, name, attribute));
}

function writeAttribute(writer: BinaryWriter, name: string, attribute: Attribute): void {
  writer.tag(1, WireType.LengthDelimited).string(name);
  if (typeof attribute === 'number') {
    writer.tag(3, WireType.Varint).int64(attribute);
    writer.tag(20, WireType.Varint).int32(attributeType.int);
  } else if (typeof attribute === 'string') {
    writer.tag(4, WireType.LengthDelimited).bytes(new TextEncoder().encode(attribute));
    writer.tag(20, WireType.Varint).int32(attributeType.string);
  } else if ('float' in attribute) {
    writer.tag(2, WireType.Bit32).float(attribute.float);
    writer.tag(20, WireType.Varint).int32(attributeType.float);
  } else {
    for (const item of attribute) writer.tag(8, WireType.Varint).int64(item);
    writer.tag(20, WireType.Varint).int32(attributeType.ints);
  }
}

function writeValueInfo(writer: BinaryWriter, name: string, value: Value): void {
  writer.tag(1, WireType.LengthDelimited).string(name);
  message(writer, 2, type => message(type, 1, tensor => {
    tensor.tag(1, WireType.Varint).int32(elementType[value.dtype]);
    message(tensor, 2, shape => {
      for (const dimension of value.shape) message(shape, 1, w => w.tag(1, WireType.Varint).int64(dimension));
    });
  }));
}

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}
