import { describe, expect, test } from 'vitest';
import type { FileValue } from '../../../../src/store/files/tensorFile';
import { opened, refusalOf } from './opening';
import {
  append, appends, build, call, dictionary, emptyDictionary, emptyList, emptyTuple, global, integer, isTrue, joined, list, long, mark, none,
  isFalse, orderedDictionary, outside, pickle, recall, reduce, remember, setItem, setItems, stackGlobal, tensor, text, tuple, tupleOf1, type Part,
} from './pickles';
import { torchFile } from './zips';

function refusalOfPickle(...parts: readonly Part[]): Promise<string> {
  return refusalOf(torchFile(pickle(...parts)));
}

async function valueOf(...parts: readonly Part[]): Promise<FileValue> {
  return (await opened(torchFile(pickle(...parts)))).root;
}

function refusalOfName(name: string): string {
  return `FILE: ${name} is not something that weights need, so the file was not read any further. Nothing in it was run.`;
}

/** A type of NumPy, with what its attributes say beside the usual. */
function numpyType(code: string, order: Part = text('<'), parts: Part = none): Part {
  return joined(call('numpy', 'dtype', text(code), isFalse, isTrue), tuple(integer(3), order, parts, none, none, integer(-1), integer(-1), integer(0)), build);
}

/** The attributes of an array with 16 bytes of numbers. */
function numpyState(shape: readonly number[]): Part {
  return tuple(integer(1), tuple(...shape.map(size => long(BigInt(size)))), numpyType('f8'), isFalse, shortBytes(16));
}

/** An array; without a shape, one that has no attributes. */
function numpyArray({ shape }: { readonly shape?: readonly number[] } = {}): Part {
  const begun = call('numpy._core.multiarray', '_reconstruct', global('numpy', 'ndarray'), tuple(integer(0)), shortBytes(1));
  return shape ? joined(begun, numpyState(shape), build) : begun;
}

function numpyNumber(code: string, bytes: number): Part {
  return call('numpy.core.multiarray', 'scalar', numpyType(code), shortBytes(bytes));
}

function shortBytes(count: number): Part {
  return [0x43, count, ...new Array<number>(count).fill(1)];
}

describe('what would run code is refused by its name, and does not run', () => {
  test.each<readonly [string, string, string]>([
    ['the shell', 'os', 'system'],
    ['the shell by its other name', 'posix', 'system'],
    ['the shell on Windows', 'nt', 'system'],
    ['a process', 'subprocess', 'Popen'],
    ['eval', 'builtins', 'eval'],
    ['eval as Python 2 names it', '__builtin__', 'eval'],
    ['exec', 'builtins', 'exec'],
    ['getattr', 'builtins', 'getattr'],
    ['an import', 'builtins', '__import__'],
    ['an import by the library', 'importlib', 'import_module'],
    ['a file', 'io', 'open'],
    ['another pickle', 'pickle', 'loads'],
    ['PyTorch reading another file', 'torch', 'load'],
    ['PyTorch reading a program', 'torch.jit', 'load'],
    ['a program of PyTorch\'s tests', 'torch.testing._internal.common_utils', 'run_tests'],
    ['eval by way of PyTorch', 'torch.fx.graph_module', '_forward_from_src'],
    ['an object of any class', 'copyreg', '_reconstructor'],
    ['an object of any class as Python 2 names it', 'copy_reg', '_reconstructor'],
    ['a method by its name', 'operator', 'methodcaller'],
    ['another codec', '_codecs', 'decode'],
    ['a codec that is looked up', 'codecs', 'encode'],
    ['a debugger', 'pdb', 'run'],
    ['a name within another', 'collections', 'OrderedDict.__init__.__globals__'],
    ['a name that looks like one that may be', 'collections', 'OrderedDict '],
    ['what every object has', '__proto__', 'constructor'],
  ])('%s: %s %s', async (_, module, name) => {
    const shown = /^[\w.]+$/.test(name) ? `${module}.${name}` : JSON.stringify(`${module}.${name}`);
    expect(await refusalOfPickle(call(module, name, text('touch /tmp/hurt')))).toBe(refusalOfName(shown));
    expect(await refusalOfPickle(text(module), text(name), stackGlobal, tuple(text('touch /tmp/hurt')), reduce)).toBe(refusalOfName(shown));
  });

  test.each<readonly [string, string, string, string]>([
    ['a config of TransformerLens', 'transformer_lens.HookedTransformerConfig', 'HookedTransformerConfig', 'Save cfg.to_dict() in place of the config, and model.state_dict() in place of the model.'],
    ['a model', 'transformer_lens.HookedTransformer', 'HookedTransformer', 'Save model.state_dict() in place of the model, and dictionaries in place of other objects.'],
    ['a module', 'torch.nn.modules.linear', 'Linear', 'Save model.state_dict() in place of the model, and dictionaries in place of other objects.'],
    ['a class of a script', '__main__', 'Config', 'Save model.state_dict() in place of the model, and dictionaries in place of other objects.'],
    ['a range', '__builtin__', 'xrange', 'Save only {\'model\': model.state_dict()}.'],
    ['a number of two parts', 'builtins', 'complex', 'Save only {\'model\': model.state_dict()}.'],
    ['an array of NumPy with a mask', 'numpy.ma.core', '_mareconstruct', 'Save numbers as int or float, and arrays as tensors (torch.from_numpy).'],
    ['a sparse tensor', 'torch._utils', '_rebuild_sparse_tensor', 'Save dense tensors (.to_dense(), .dequantize()).'],
  ])('%s, with what to do', async (_, module, name, advice) => {
    expect(await refusalOfPickle(global(module, name), emptyTuple, [0x81])).toBe(`${refusalOfName(`${module}.${name}`)} ${advice}`);
  });

  test('a name that would steer a terminal, or that never ends', async () => {
    expect(await refusalOfPickle(text('os\u001b[31m\nx'), text('y'), stackGlobal)).toBe(refusalOfName('"os\\u001b[31m\\nx.y"'));
    expect((await refusalOfPickle(text('o'.repeat(100_000)), text('y'), stackGlobal)).length).toBeLessThan(300);
    expect(await refusalOfPickle([0x63], Buffer.alloc(5000, 'a'))).toMatch(/it names something without an end\.$/);
  });

  test.each<readonly [string, readonly Part[], RegExp]>([
    ['INST', [mark, text('ls'), joined([0x69], Buffer.from('os\nsystem\n'))], /^FILE uses INST at byte \d+, which weights do not need/],
    ['OBJ', [mark, global('collections', 'OrderedDict'), [0x6f]], /uses OBJ/],
    ['NEWOBJ', [global('collections', 'OrderedDict'), emptyTuple, [0x81]], /uses NEWOBJ/],
    ['NEWOBJ_EX', [global('collections', 'OrderedDict'), emptyTuple, emptyDictionary, [0x92]], /uses NEWOBJ_EX/],
    ['EXT1', [[0x82, 1]], /uses EXT1/],
    ['EXT2', [[0x83, 1, 0]], /uses EXT2/],
    ['EXT4', [[0x84, 1, 0, 0, 0]], /uses EXT4/],
    ['PERSID', [joined([0x50], Buffer.from('0\n'))], /uses PERSID/],
    ['NEXT_BUFFER', [[0x97]], /uses NEXT_BUFFER/],
    ['DUP', [none, [0x32]], /uses DUP/],
    ['an instruction that there is not', [[0xff]], /unknown instruction \(255\)/],
    ['a call of a text', [text('os.system'), tuple(text('ls')), reduce], /calls something that cannot be called/],
    ['a call of what a call gave', [orderedDictionary, tuple(), reduce], /calls something that cannot be called/],
    ['a call without a tuple', [global('collections', 'OrderedDict'), emptyList, reduce], /calls something that cannot be called/],
    ['a dictionary with arguments', [call('collections', 'OrderedDict', list(tuple(text('a'), none)))], /^FILE calls collections.OrderedDict in a way that torch.save never does\.$/],
    ['a storage that is called', [call('torch', 'FloatStorage', integer(3))], /^FILE calls torch.FloatStorage in a way/],
    ['a parameter that is no tensor', [call('torch._utils', '_rebuild_parameter', integer(3))], /^FILE calls torch._utils._rebuild_parameter in a way/],
    ['attributes of a dictionary', [orderedDictionary, dictionary([text('__class__'), none]), build], /^FILE gives attributes to a value/],
    ['attributes of a plain dictionary', [emptyDictionary, emptyDictionary, build], /^FILE gives attributes to a value/],
    ['attributes of a tensor', [tensor(), emptyDictionary, build], /^FILE gives attributes to a value/],
    ['something outside that is no storage', [text('module'), outside], /refers to something outside of it/],
    ['a module outside', [tuple(text('module'), global('torch', 'FloatStorage'), text('0'), text('cpu'), integer(4)), outside], /refers to something outside of it/],
    ['a key that is a list', [dictionary([emptyList, none])], /key that is neither a text nor a number/],
    ['a key that is a tuple of a tuple', [dictionary([tuple(emptyTuple), none])], /key that is neither a text nor a number/],
    ['a key of many parts', [dictionary([tuple(...new Array(33).fill(none)), none])], /key that is neither a text nor a number/],
    ['a key of a long text', [dictionary([tuple(text('x'.repeat(999))), none])], /key that is neither a text nor a number/],
    ['keys that are shown alike', [dictionary([isTrue, none], [text('True'), none])], /has the key "True" twice in one dictionary\.$/],
    ['a dictionary that calls what it makes of keys', [call('collections', 'defaultdict', call('collections', 'OrderedDict'))], /^FILE calls collections.defaultdict in a way/],
    ['a dictionary with defaults of a type of ours', [call('collections', 'defaultdict', global('collections', 'OrderedDict'))], /^FILE calls collections.defaultdict in a way/],
    ['a counter of a list', [call('collections', 'Counter', emptyList)], /^FILE calls collections.Counter in a way/],
    ['a set of a text', [call('__builtin__', 'set', text('abc'))], /^FILE calls __builtin__.set in a way/],
    ['a type that is called', [call('builtins', 'int', text('1'))], /^FILE calls builtins.int in a way/],
    ['a type itself', [list(global('builtins', 'int'))], /^FILE holds builtins.int itself, which is no value\.$/],
    ['bytes of another encoding', [call('_codecs', 'encode', text('abc'), text('rot13'))], /^FILE calls _codecs.encode in a way/],
    ['bytes of characters that are none', [call('_codecs', 'encode', text('€'), text('latin1'))], /^FILE calls _codecs.encode in a way/],
    ['bytes of so many', [call('builtins', 'bytes', integer(2 ** 30))], /^FILE calls builtins.bytes in a way/],
    ['values that are added to a list as to a set', [emptyList, mark, none, [0x90]], /adds values to something that is no set/],
    ['values that are added to a set as to a list', [[0x8f], none, append], /adds values to something that is no list/],
    ['objects of NumPy', [call('numpy', 'dtype', text('O8'), isFalse, isTrue)], /^FILE calls numpy.dtype in a way that torch.save never does\. Save numbers as int or float/],
    ['a type of NumPy without its flags', [call('numpy', 'dtype', text('f8'))], /^FILE calls numpy.dtype in a way/],
    ['a type of NumPy that is named as what objects have', [call('numpy', 'dtype', text('constructor'), isFalse, isTrue)], /^FILE calls numpy.dtype in a way/],
    ['a big-endian type of NumPy', [numpyType('f8', text('>'))], /^FILE gives attributes to a value/],
    ['a type of NumPy with parts', [numpyType('f8', text('<'), tuple(text('a')))], /^FILE gives attributes to a value/],
    ['a number of NumPy with too few bytes', [numpyNumber('f8', 4)], /^FILE calls numpy.core.multiarray.scalar in a way/],
    ['a number of NumPy with too many bytes', [numpyNumber('i2', 8)], /^FILE calls numpy.core.multiarray.scalar in a way/],
    ['a number of NumPy of no type', [call('numpy.core.multiarray', 'scalar', text('f8'), shortBytes(8))], /^FILE calls numpy.core.multiarray.scalar in a way/],
    ['a number of NumPy in a text', [call('numpy.core.multiarray', 'scalar', numpyType('f8'), text('12345678'))], /^FILE calls numpy.core.multiarray.scalar in a way/],
    ['an array of NumPy without its numbers', [numpyArray()], /^FILE holds an array of NumPy without its numbers, which cannot be read\.$/],
    ['the class of arrays of NumPy', [global('numpy', 'ndarray')], /^FILE holds numpy.ndarray itself, which is no value\.$/],
    ['an array of another class', [call('numpy._core.multiarray', '_reconstruct', global('collections', 'OrderedDict'), tuple(integer(0)), shortBytes(1))], /^FILE calls numpy._core.multiarray._reconstruct in a way/],
    ['an array of fewer numbers than it has bytes', [numpyArray({ shape: [1] })], /^FILE gives attributes to a value/],
    ['an array of more numbers than it has bytes', [numpyArray({ shape: [2 ** 20, 2 ** 20] })], /^FILE gives attributes to a value/],
    ['an array of less than no numbers', [numpyArray({ shape: [-1, -2] })], /^FILE gives attributes to a value/],
    ['an array of so many axes', [numpyArray({ shape: [2, ...new Array<number>(32).fill(1)] })], /^FILE gives attributes to a value/],
    ['an array of objects', [joined(numpyArray(), tuple(integer(1), tuple(integer(1)), numpyType('f8'), isFalse, list(none)), build)], /^FILE gives attributes to a value/],
    ['an array that is given numbers twice', [joined(numpyArray({ shape: [2] }), numpyState([2]), build)], /^FILE gives attributes to a value/],
    ['a buffer as an array of another order', [call('numpy._core.numeric', '_frombuffer', shortBytes(8), numpyType('f8'), tuple(integer(1)), text('K'))], /^FILE calls numpy._core.numeric._frombuffer in a way/],
    ['a buffer of another length', [call('numpy._core.numeric', '_frombuffer', shortBytes(7), numpyType('f8'), tuple(integer(1)), text('C'))], /^FILE calls numpy._core.numeric._frombuffer in a way/],
    ['a buffer of 2⁶⁴ bytes', [joined([0x96], new Uint8Array(8).fill(255))], /more than 16000000 bytes in one text/],
    ['a key twice', [dictionary([text('a'), none], [text('a'), none])], /has the key "a" twice in one dictionary\.$/],
  ])('%s', async (_, parts, sentence) => {
    expect(await refusalOfPickle(...parts)).toMatch(sentence);
  });
});

describe('what is damaged', () => {
  test.each<readonly [string, readonly Part[], RegExp]>([
    ['nothing', [], /takes a value that is not there/],
    ['two values', [none, none], /ends with more than one value/],
    ['a mark that is left', [mark, none], /takes a value|more than one value/],
    ['a tuple without a mark', [none, [0x74]], /goes back to a place that is not there/],
    ['a value below a mark', [none, mark, tupleOf1], /takes a value that is not there/],
    ['a value that was not remembered', [recall(3)], /takes a value that it has not remembered/],
    ['values that are added to a tuple', [emptyTuple, none, append], /adds values to something that is no list/],
    ['values that are added to a dictionary', [emptyDictionary, mark, none, appends], /adds values to something that is no list/],
    ['a key of a list', [emptyList, none, none, setItem], /sets keys of something that is no dictionary/],
    ['a key without a value', [emptyDictionary, mark, text('a'), setItems], /sets keys of something that is no dictionary/],
    ['a text longer than the file', [[0x58, 0xff, 0xff, 0, 0]], /ends in the middle/],
    ['a text of 4 GB', [[0x58, 0xff, 0xff, 0xff, 0xff]], /more than 16000000 bytes in one text/],
    ['a text that is no text', [[0x8c, 1, 0xff]], /text that is not UTF-8/],
    ['a frame longer than the file', [[0x95, 0, 0, 0, 0, 0, 0, 0, 0x7f], none], /shorter than it says/],
    ['bytes after the end', [none, [0x2e, 1]], /2 bytes follow its end/],
  ])('%s', async (_, parts, sentence) => {
    expect(await refusalOfPickle(...parts)).toMatch(sentence);
  });

  test('a pickle that is cut anywhere', async () => {
    const whole = pickle(dictionary([text('a'), tensor()], [text('b'), list(integer(1), long(2n ** 40n))]));
    for (let length = 0; length < whole.length; length++) await refusalOf(torchFile(whole.subarray(0, length)));
    expect((await opened(torchFile(whole))).tensors.size).toBe(1);
  });

  test.each([0, 1, 6, 255])('protocol %i', async protocol => {
    expect(await refusalOf(torchFile(joined([0x80, protocol], none, [0x2e])))).toBe(`FILE is a pickle of protocol ${protocol}, and those of 2 to 5 can be read.`);
  });
});

describe('what would take all time and memory', () => {
  test('dictionaries without end, in small lists', async () => {
    expect(await refusalOfPickle(tuple(...new Array<Part>(3).fill(list(Buffer.alloc(100_000, 0x7d)))))).toMatch(/more than 250000 dictionaries/);
  });

  test('a value within itself', async () => {
    const sentence = 'FILE has a dictionary or list that is within itself, which weights never are.';
    expect(await refusalOfPickle(emptyList, remember(0), recall(0), append)).toBe(sentence);
    expect(await refusalOfPickle(emptyDictionary, remember(0), text('a'), recall(0), setItem)).toBe(sentence);
    expect(await refusalOfPickle(emptyList, remember(0), recall(0), tupleOf1, append)).toBe(sentence);
    expect(await refusalOfPickle(emptyDictionary, remember(0), text('a'), emptyList, recall(0), append, setItem)).toBe(sentence);
  });

  test('a billion values out of a few bytes', async () => {
    const nested = Array.from({ length: 12 }, (_, level) => joined(list(...new Array(10).fill(recall(level))), remember(level + 1)));
    expect(await refusalOfPickle(tuple(joined(list(none), remember(0)), ...nested))).toMatch(/^FILE holds more than 500000 values/);
  });

  test('a value that stands in several places is one', async () => {
    const root = await valueOf(tuple(joined(list(integer(1)), remember(0)), recall(0), dictionary([text('a'), recall(0)])));
    expect(root).toEqual([[1], [1], new Map([['a', [1]]])]);
  });

  test('levels without end, of marks and of values', async () => {
    const levels = (count: number) => Buffer.alloc(count, 0x85);
    expect(await refusalOfPickle(none, levels(500_000))).toMatch(/more than 100 levels within each other/);
    expect(await refusalOfPickle(Buffer.alloc(500_000, 0x28))).toMatch(/more than 1000 levels/);
    expect(await valueOf(none, levels(99))).toHaveLength(1);
    // Deep by way of a value that is known already.
    expect(await refusalOfPickle(tuple(joined(none, levels(60), remember(0)), joined(recall(0), levels(60))))).toMatch(/more than 100 levels within each other/);
  });

  test('remembering without end', async () => {
    expect(await refusalOfPickle(none, Buffer.alloc(2_000_000, 0x94))).toBe(
      'FILE has more than 1500000 remembered values, more than weights need, so it was not read any further.',
    );
    expect(await refusalOfPickle(none, remember(0xffffffff), recall(7))).toMatch(/has not remembered/);
  });

  test('instructions, values and dictionaries without end', async () => {
    expect(await refusalOfPickle(none, Buffer.alloc(12_000_000, Buffer.from([0x71, 0])))).toMatch(/more than 5000000 instructions/);
    expect(await refusalOfPickle(Buffer.alloc(2_000_000, 0x4e))).toMatch(/more than 200000 values at once/);
    expect(await refusalOfPickle(Buffer.alloc(2_000_000, 0x7d))).toMatch(/more than 200000 values at once/);
  });

  test.each<readonly [string, readonly Part[], RegExp | undefined]>([
    ['integers of 255 bytes', [list(Buffer.concat(new Array(249_000).fill(Buffer.from([0x8a, 255, ...Buffer.alloc(255, 0x7f)]))))], /more than 16 bytes in one integer/],
    ['integers of 16 bytes', [list(Buffer.concat(new Array(199_000).fill(Buffer.from([0x8a, 16, ...Buffer.alloc(16, 0x7f)]))))], undefined],
    ['dictionaries', [list(...new Array<Part>(2).fill(list(Buffer.alloc(120_000, 0x7d))))], undefined],
    ['ordered dictionaries', [Buffer.concat(new Array(390_000).fill(joined(orderedDictionary, tupleOf1)))], /more than 200000 values at once/],
    ['keys', [emptyDictionary, Buffer.concat(Array.from({ length: 499_000 }, (_, i) => joined(integer(i), none, setItem)))], /more than 400000 keys/],
    ['lists', [list(...new Array<Part>(4).fill(list(Buffer.alloc(120_000, 0x5d))))], undefined],
    ['bytes of one long text', [tuple(joined(text('x'.repeat(10_000_000)), remember(1)), list(...new Array<Part>(20_000).fill(call('_codecs', 'encode', recall(1), text('latin1')))))], undefined],
    ['arrays of the same bytes', [tuple(joined(numpyState([2]), remember(1)), list(...new Array<Part>(20_000).fill(joined(numpyArray(), recall(1), build))))], undefined],
  ])('many %s, in a second', async (_, parts, sentence) => {
    const bytes = torchFile(pickle(...parts));
    const [began, before] = [process.cpuUsage(), process.memoryUsage.rss()];
    if (sentence) expect(await refusalOf(bytes)).toMatch(sentence);
    else await opened(bytes);
    // Of the processor, which other tests use meanwhile.
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000).toBeLessThan(2000); // half of it alone
    expect(process.memoryUsage.rss() - before).toBeLessThan(512 * 2 ** 20);
  });

  test('100,000 tensors', async () => {
    const small = joined(tensor({ shape: [integer(0)] }), remember(1));
    const again = Buffer.alloc(200_000, Buffer.from([0x68, 1])); // BINGET 1
    expect(await refusalOfPickle(list(small, again))).toBe('FILE has more than 65536 tensors, the most that are read.');
  });

  test('paths that are longer than any memory', async () => {
    const key = joined(text('k'.repeat(900_000)), remember(2));
    expect(await refusalOfPickle(dictionary([key, tensor()]))).toBe('FILE has names of tensors that are too long to be real.');
  });
});

test('names that mean something to objects are keys like others', async () => {
  const file = await opened(torchFile(pickle(dictionary([text('__proto__'), dictionary([text('polluted'), isTrue])], [text('constructor'), tensor()], [text('toString'), none]))));
  expect([...(file.root as ReadonlyMap<string, unknown>).keys()]).toEqual(['__proto__', 'constructor', 'toString']);
  expect([...file.tensors.keys()]).toEqual(['constructor']);
  expect('polluted' in {}).toBe(false);
  expect(Object.keys(Object.prototype)).toEqual([]);
});
