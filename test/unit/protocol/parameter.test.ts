import { describe, expect, test } from 'vitest';
import { FieldError, UserError } from '../../../src/common/errors';
import { parameterValuesFromText, resolveParameters, type Parameters } from '../../../src/protocol/parameter';

const described = { title: 't', description: 'd' };
const parameters = {
  count: { kind: 'integer', default: 3, minimum: 1, maximum: 10, ...described },
  fraction: { kind: 'number', default: 0.5, minimum: 0, ...described },
  log: { kind: 'boolean', default: true, ...described },
  which: { kind: 'choice', default: 'a', options: ['a', 'b'], ...described },
  note: { kind: 'text', default: '', ...described },
  prompt: { kind: 'prompt', default: '', ...described },
  head: { kind: 'head', default: '', ...described },
} satisfies Parameters;

const resolve = (given: Readonly<Record<string, unknown>>) => resolveParameters('analysis "x"', parameters, given);

describe('resolving', () => {
  test('fills in what is not given', () => {
    expect(resolve({ count: 7, log: false, which: 'b', head: '1.0' })).toEqual({
      count: 7,
      fraction: 0.5,
      log: false,
      which: 'b',
      note: '',
      prompt: '',
      head: '1.0',
    });
  });

  test.each([
    [{ cuont: 1 }, 'There is no parameter of analysis "x" called "cuont"; the nearest is "count".'],
    [
      { toString: 1 },
      'There is no parameter of analysis "x" called "toString"; there are "count", "fraction", "log", "which", "note", "prompt", "head".',
    ],
    [{ count: 0 }, '"count" of analysis "x": Invalid value: Expected >=1 but received 0.'],
    [{ count: 11 }, '"count" of analysis "x": Invalid value: Expected <=10 but received 11.'],
    [{ count: 2.5 }, '"count" of analysis "x": Invalid integer: Received 2.5.'],
    [{ count: '2' }, '"count" of analysis "x": Invalid type: Expected number but received "2".'],
    [{ fraction: Number.NaN }, '"fraction" of analysis "x": Invalid type: Expected number but received NaN.'],
    [{ fraction: Infinity }, '"fraction" of analysis "x": Invalid finite: Received Infinity.'],
    [{ log: 'yes' }, '"log" of analysis "x": Invalid type: Expected boolean but received "yes".'],
    [{ which: 'c' }, '"which" of analysis "x": Invalid type: Expected ("a" | "b") but received "c".'],
    [{ head: '1' }, '"head" of analysis "x": a head is written layer.head, as in 1.0.'],
  ])('%j is refused in one sentence, with the field it is about', (given, message) => {
    expect(() => resolve(given)).toThrow(expect.objectContaining({ constructor: FieldError, field: Object.keys(given)[0], message }));
  });

  test.each(['', '0.0', '1.12', 'L1H0'])('"%s" is a head, or all of them', head => {
    expect(resolve({ head }).head).toBe(head);
  });
});

test('a graph is a text, on the command line too', () => {
  const graph = { graph: { kind: 'graph', default: '', ...described } } as const satisfies Parameters;
  expect(resolveParameters('analysis "x"', graph, parameterValuesFromText(graph, ['graph=1-3 3-4']))).toEqual({ graph: '1-3 3-4' });
  expect(() => resolveParameters('analysis "x"', graph, { graph: 13 })).toThrow('Expected string but received 13');
});

describe('texts of the command line', () => {
  const read = (...texts: string[]) => parameterValuesFromText(parameters, texts);

  test('are read by the kind of their parameter', () => {
    expect(read('count=7', 'fraction=1e-3', 'log=false', 'which=b', 'prompt=1 2 =', 'note=a=b')).toEqual({
      count: 7,
      fraction: 1e-3,
      log: false,
      which: 'b',
      prompt: '1 2 =',
      note: 'a=b',
    });
  });

  test('that are of no kind are refused when they are resolved', () => {
    expect(() => resolve(read('count=many'))).toThrow(new FieldError('count', '"count" of analysis "x": Invalid type: Expected number but received "many".'));
    expect(() => resolve(read('count= '))).toThrow(new FieldError('count', '"count" of analysis "x": Invalid type: Expected number but received " ".'));
    expect(() => resolve(read('log=maybe'))).toThrow(UserError);
    expect(() => resolve(read('other=1'))).toThrow('There is no parameter of analysis "x" called "other"');
  });

  test.each(['count', '=3', ''])('"%s" has no name or no value', text => {
    expect(() => read(text)).toThrow(new UserError(`"${text}" is not of the form name=value.`));
  });
});
