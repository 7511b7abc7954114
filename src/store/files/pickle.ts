import { UserError } from '../../common/errors';
import { quoted } from '../safetensorsHeader';
import { keyOf, PickleBytes, PickleDictionary, PickleGlobal, PickleList, PickleObject, type PickleValue } from './pickleValue';

// A pickle is a program for a machine with a stack and numbered places (Python's Lib/pickletools.py describes it). This is
// that machine with the instructions that build plain data, as protocols 2 to 5 write them, and no others. Where a pickle
// names something of Python or calls it, `PickleNames` decides what that gives; nothing is looked up, imported or run.

/** What the names in a pickle mean. Each throws a UserError for what may not be. */
export interface PickleNames {
  /** @param name with its module, as in `collections.OrderedDict` */
  find(name: string): PickleValue;
  call(callee: PickleGlobal, args: readonly PickleValue[]): PickleValue;
  /** Gives attributes to an object. False: it has none. */
  build(object: PickleObject, state: PickleValue): boolean;
  /** What lies outside of the pickle. */
  outside(id: PickleValue): PickleValue;
}

/** Of 4600 states of 13 tensors each, with the versions of their modules, PyTorch makes 160,000 dictionaries and 500,000 containers. */
const machineLimits = {
  instructions: 5_000_000, places: 1_500_000, stack: 200_000, marks: 1000, containers: 800_000, dictionaries: 250_000, keys: 400_000, text: 16_000_000, integer: 16,
};

/** Instructions that pickles can have and this machine does not, by the names that Python gives them. */
const refusedInstructions: Readonly<Record<number, string>> = {
  0x30: 'POP', 0x31: 'POP_MARK', 0x32: 'DUP', 0x46: 'FLOAT', 0x49: 'INT', 0x4c: 'LONG', 0x50: 'PERSID', 0x53: 'STRING', 0x54: 'BINSTRING',
  0x55: 'SHORT_BINSTRING', 0x56: 'UNICODE', 0x67: 'GET', 0x70: 'PUT', 0x64: 'DICT', 0x6c: 'LIST', 0x69: 'INST', 0x6f: 'OBJ',
  0x81: 'NEWOBJ', 0x82: 'EXT1', 0x83: 'EXT2', 0x84: 'EXT4', 0x8b: 'LONG4', 0x8d: 'BINUNICODE8', 0x8e: 'BINBYTES8',
  0x92: 'NEWOBJ_EX', 0x97: 'NEXT_BUFFER',
  0x98: 'READONLY_BUFFER',
};

/**
 * The value that a pickle describes. It can hold a value in several places, and itself.
 * @param file what to call it in errors
 * @throws UserError for an instruction, a name or a size that files of weights do not have, and for a pickle that is damaged
 */
export function unpickle(file: string, bytes: Uint8Array, names: PickleNames): PickleValue {
  return new Machine(file, bytes, names).run();
}

class Machine {
  private readonly view: DataView;
  private readonly stack: PickleValue[] = [];
  /** Heights of the stack at its marks. */
  private readonly marks: number[] = [];
  private readonly places = new Map<number, PickleValue>();
  private at = 0;
  private containers = 0;
  private dictionaries = 0;
  private keys = 0;

  constructor(private readonly file: string, private readonly bytes: Uint8Array, private readonly names: PickleNames) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): PickleValue {
    if (this.byte() !== 0x80) throw this.damaged('it does not begin as protocols 2 to 5 do');
    const protocol = this.byte();
    if (protocol < 2 || protocol > 5) throw new UserError(`${this.file} is a pickle of protocol ${protocol}, and those of 2 to 5 can be read.`);
    for (let count = 0; count < machineLimits.instructions; count++) {
      const instruction = this.byte();
      if (instruction === 0x2e) { // STOP
        const value = this.pop();
        if (this.stack.length > 0 || this.marks.length > 0) throw this.damaged('it ends with more than one value');
        if (this.at !== this.bytes.length) throw this.damaged(`${this.bytes.length - this.at} bytes follow its end`);
        return value;
      }
      this.step(instruction);
      if (this.stack.length > machineLimits.stack) throw this.tooMuch('values at once', machineLimits.stack);
    }
    throw this.tooMuch('instructions', machineLimits.instructions);
  }

  private step(instruction: number): void {
    switch (instruction) {
      case 0x95: return this.frame();
      case 0x28: return this.mark();
      case 0x4e: return this.push(null);
      case 0x88: return this.push(true);
      case 0x89: return this.push(false);
      case 0x4a: return this.push(this.view.getInt32(this.take(4), true)); // BININT
      case 0x4b: return this.push(this.byte()); // BININT1
      case 0x4d: return this.push(this.view.getUint16(this.take(2), true)); // BININT2
      case 0x8a: return this.push(this.long(this.byte())); // LONG1
      case 0x47: return this.push(this.view.getFloat64(this.take(8), false)); // BINFLOAT
      case 0x58: return this.push(this.text(this.view.getUint32(this.take(4), true))); // BINUNICODE
      case 0x8c: return this.push(this.text(this.byte())); // SHORT_BINUNICODE
      case 0x42: return this.push(this.byteString(this.view.getUint32(this.take(4), true))); // BINBYTES
      case 0x96: return this.push(this.byteString(Number(this.view.getBigUint64(this.take(8), true)))); // BYTEARRAY8
      case 0x43: return this.push(this.byteString(this.byte())); // SHORT_BINBYTES
      case 0x29: return this.pushTuple([]);
      case 0x85: return this.pushTuple([this.pop()]); // TUPLE1
      case 0x86: return this.pushTuple(this.popSeveral(2));
      case 0x87: return this.pushTuple(this.popSeveral(3));
      case 0x74: return this.pushTuple(this.popToMark()); // TUPLE
      case 0x5d: return this.pushContainer(new PickleList([], 'list'));
      case 0x7d: return this.pushContainer(new PickleDictionary(false));
      case 0x8f: return this.pushContainer(new PickleList([], 'set')); // EMPTY_SET
      case 0x91: return this.pushContainer(new PickleList(this.popToMark(), 'set')); // FROZENSET
      case 0x61: return this.append([this.pop()], 'list'); // APPEND
      case 0x65: return this.append(this.popToMark(), 'list'); // APPENDS
      case 0x90: return this.append(this.popToMark(), 'set'); // ADDITEMS
      case 0x73: return this.set(this.popSeveral(2)); // SETITEM
      case 0x75: return this.set(this.popToMark()); // SETITEMS
      case 0x71: return this.store(this.byte()); // BINPUT
      case 0x72: return this.store(this.view.getUint32(this.take(4), true)); // LONG_BINPUT
      case 0x94: return this.store(this.places.size); // MEMOIZE
      case 0x68: return this.load(this.byte()); // BINGET
      case 0x6a: return this.load(this.view.getUint32(this.take(4), true)); // LONG_BINGET
      case 0x63: return this.push(this.names.find(`${this.line()}.${this.line()}`)); // GLOBAL
      case 0x93: return this.stackGlobal();
      case 0x51: return this.push(this.names.outside(this.pop())); // BINPERSID
      case 0x52: return this.reduce();
      case 0x62: return this.build();
      default: throw this.refused(instruction);
    }
  }

  private push(value: PickleValue): void {
    this.stack.push(value);
  }

  private pushContainer(value: PickleValue): void {
    if (++this.containers > machineLimits.containers) throw this.tooMuch('lists and dictionaries', machineLimits.containers);
    if (value instanceof PickleDictionary && ++this.dictionaries > machineLimits.dictionaries) throw this.tooMuch('dictionaries', machineLimits.dictionaries);
    this.push(value);
  }

  private pushTuple(items: PickleValue[]): void {
    this.pushContainer(new PickleList(items, 'tuple'));
  }

  private pop(): PickleValue {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  private popSeveral(count: number): PickleValue[] {
    const from = this.stack.length - count;
    if (from < (this.marks.at(-1) ?? 0)) throw this.missing();
    return this.stack.splice(from);
  }

  private popToMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.damaged('it goes back to a place that is not there');
    return this.stack.splice(mark);
  }

  private top(): PickleValue {
    const value = this.stack.length > (this.marks.at(-1) ?? 0) ? this.stack.at(-1) : undefined;
    if (value === undefined) throw this.missing();
    return value;
  }

  private mark(): void {
    if (this.marks.push(this.stack.length) > machineLimits.marks) throw this.tooMuch('levels', machineLimits.marks);
  }

  private append(values: readonly PickleValue[], kind: 'list' | 'set'): void {
    const list = this.top();
    if (!(list instanceof PickleList) || list.kind !== kind) throw this.damaged(`it adds values to something that is no ${kind}`);
    for (const value of values) list.items.push(value);
  }

  private set(pairs: readonly PickleValue[]): void {
    const dictionary = this.top();
    if (!(dictionary instanceof PickleDictionary) || pairs.length % 2 !== 0) throw this.damaged('it sets keys of something that is no dictionary');
    for (let i = 0; i < pairs.length; i += 2) {
      const key = keyOf(pairs[i]);
      if (key === undefined) {
        throw new UserError(`${this.file} has a dictionary with a key that is neither a text nor a number, nor a few of them, which weights do not need.`);
      }
      if (++this.keys > machineLimits.keys) throw this.tooMuch('keys', machineLimits.keys);
      if (dictionary.entries.has(key)) throw new UserError(`${this.file} has the key ${quoted(String(key))} twice in one dictionary.`);
      dictionary.entries.set(key, pairs[i + 1] ?? null);
    }
  }

  private store(place: number): void {
    this.places.set(place, this.top());
    if (this.places.size > machineLimits.places) throw this.tooMuch('remembered values', machineLimits.places);
  }

  private load(place: number): void {
    const value = this.places.get(place);
    if (value === undefined) throw this.damaged('it takes a value that it has not remembered');
    this.push(value);
  }

  private stackGlobal(): void {
    const [module, name] = this.popSeveral(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw this.damaged('it names something by values that are no texts');
    this.push(this.names.find(`${module}.${name}`));
  }

  private reduce(): void {
    const [callee, args] = this.popSeveral(2);
    if (!(callee instanceof PickleGlobal) || !(args instanceof PickleList) || args.kind !== 'tuple') {
      throw this.damaged('it calls something that cannot be called');
    }
    this.pushContainer(this.names.call(callee, args.items));
  }

  /** State dicts have an attribute with the versions of their modules, which says nothing about weights. */
  private build(): void {
    const state = this.pop();
    const on = this.top();
    if (on instanceof PickleObject && this.names.build(on, state)) return;
    const isMetadata = state instanceof PickleDictionary && [...state.entries.keys()].every(key => key === '_metadata');
    if (!(on instanceof PickleDictionary) || !on.ordered || !isMetadata) {
      throw new UserError(`${this.file} gives attributes to a value, which weights do not need, so it was not read any further; nothing in it was run.`);
    }
  }

  /** How long a part of the pickle is, which those who read it all at once need not know. */
  private frame(): void {
    const length = Number(this.view.getBigUint64(this.take(8), true));
    if (this.at + length > this.bytes.length) throw this.damaged('it is shorter than it says');
  }

  private byte(): number {
    return this.view.getUint8(this.take(1));
  }

  /** Where the next bytes are. */
  private take(count: number): number {
    const from = this.at;
    if (from + count > this.bytes.length) throw this.damaged('it ends in the middle');
    this.at += count;
    return from;
  }

  private byteString(length: number): PickleBytes {
    if (length > machineLimits.text) throw this.tooMuch('bytes in one text', machineLimits.text);
    const from = this.take(length);
    return new PickleBytes(this.bytes.subarray(from, from + length));
  }

  private text(length: number): string {
    if (length > machineLimits.text) throw this.tooMuch('bytes in one text', machineLimits.text);
    const from = this.take(length);
    return this.decoded(from, from + length);
  }

  /** Text up to the end of a line. */
  private line(): string {
    const from = this.at;
    const end = this.bytes.subarray(from, from + 1000).indexOf(0x0a);
    if (end < 0) throw this.damaged('it names something without an end');
    this.at = from + end + 1;
    return this.decoded(from, from + end);
  }

  private decoded(from: number, to: number): string {
    try {
      return utf8.decode(this.bytes.subarray(from, to));
    } catch {
      throw this.damaged('it has a text that is not UTF-8');
    }
  }

  /** Two's complement, the lowest byte first. */
  private long(length: number): number | bigint {
    if (length > machineLimits.integer) throw this.tooMuch('bytes in one integer', machineLimits.integer);
    const from = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.view.getUint8(from + i));
    const signed = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  private missing(): UserError {
    return this.damaged('it takes a value that is not there');
  }

  private damaged(why: string): UserError {
    return new UserError(`${this.file} is damaged at byte ${this.at}: ${why}.`);
  }

  private tooMuch(of: string, most: number): UserError {
    return new UserError(`${this.file} has more than ${most} ${of}, more than weights need, so it was not read any further.`);
  }

  private refused(instruction: number): UserError {
    const name = refusedInstructions[instruction];
    if (name === undefined) return this.damaged(`it has an unknown instruction (${instruction})`);
    return new UserError(`${this.file} uses ${name} at byte ${this.at - 1}, which weights do not need, so it was not read any further; nothing in it was run.`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
