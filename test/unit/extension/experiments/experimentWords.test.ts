import { describe, expect, test } from 'vitest';
import { wordAt, wordsAt, type KnownWords } from '../../../../src/extension/experiments/experimentWords';
import { experimentJsonSchema } from '../../../../src/extension/experiments/experimentSchema';

const parameter = { title: 'T', description: 'What it is.' };
const known: KnownWords = {
  tasks: [
    { id: 'modular-arithmetic', title: 'Modular arithmetic', description: 'Adds.', params: {
      modulus: { ...parameter, kind: 'integer', default: 113, minimum: 2, maximum: 500 },
      operation: { ...parameter, kind: 'choice', default: 'add', options: ['add', 'subtract'] },
    } },
    { id: 'array-update', title: 'Array update', description: 'Writes.', params: {} },
  ],
  analyses: [
    {
      id: 'attention', title: 'Attention', description: 'Where heads look.', group: 'Attention', badges: false, live: false, atCheckpoint: true,
      params: { head: { ...parameter, kind: 'head', default: '' }, mode: { ...parameter, kind: 'choice', default: 'mean', options: ['mean', 'one'] } },
      scalars: { entropy: 'mean entropy of the rows, in nats', sharpest: 'the largest weight' },
    },
  ],
  experiments: ['array-update'],
  files: ['./base.circuit.json'],
  models: ['clock', 'array-update', 'clock'],
  measured: (analysis, scalar, params) => (analysis === 'attention' && scalar === 'entropy' && params === undefined ? 1.23456 : undefined),
};

/** The words at the `|` of a text, and the text that one would take the place of. */
function at(marked: string) {
  const offset = marked.indexOf('|');
  const text = marked.replace('|', '');
  const here = wordsAt(text, offset, known);
  return { words: here?.words.map(({ word }) => word) ?? [], replaced: here && text.slice(here.span.start, here.span.end), here };
}

describe('offered are', () => {
  test.each([
    ['tasks', '{ "task": "|" }', ['modular-arithmetic', 'array-update'], '""'],
    ['tasks by their name', '{ "task": { "name": "mod|ular" } }', ['modular-arithmetic', 'array-update'], '"modular"'],
    ['tasks where nothing is typed', '{ "task": | }', ['modular-arithmetic', 'array-update'], ''],
    ['a task\'s parameters that it has not yet', '{ "task": { "name": "modular-arithmetic", "modulus": 59, "|" } }', ['operation'], '""'],
    ['the values of a choice', '{ "task": { "name": "modular-arithmetic", "operation": "|" } }', ['add', 'subtract'], '""'],
    ['analyses', '{ "claims": [{ "analysis": "|" }] }', ['attention'], '""'],
    ['an analysis\'s parameters', '{ "claims": [{ "analysis": "attention", "params": { "|" } }] }', ['head', 'mode'], '""'],
    ['the values of its choices', '{ "breakpoints": [{ "analysis": "attention", "params": { "mode": "|" } }] }', ['mean', 'one'], '""'],
    ['its scalars', '{ "claims": [{}, { "analysis": "attention", "scalar": "|" }] }', ['entropy', 'sharpest'], '""'],
    ['those of an alternative', '{ "claims": [{ "analysis": "none", "or": [{ "analysis": "attention", "scalar": "|" }] }] }', ['entropy', 'sharpest'], '""'],
    ['bounds at what was measured last', '{ "claims": [{ "analysis": "attention", "scalar": "entropy", "expect": "|" }] }', ['>= 1.23', '<= 1.23', '>= 0.99', '> 0.5', '<= 0.01', '== 1'], '""'],
    ['bounds to cross', '{ "breakpoints": [{ "analysis": "attention", "scalar": "sharpest", "when": "|" }] }', ['>= 0.99', '> 0.5', '<= 0.01', '== 1'], '""'],
    ['what it may start from', '{ "from": "|" }', ['./base.circuit.json', 'array-update', 'clock'], '""'],
    ['the same in an object', '{ "from": { "model": "|" } }', ['./base.circuit.json', 'array-update', 'clock'], '""'],
    ['experiments that a claim may be about', '{ "claims": [{ "of": "|" }] }', ['./base.circuit.json', 'array-update'], '""'],
    ['the task\'s parameters for a sweep', '{ "task": "modular-arithmetic", "sweep": { "|" } }', ['task.modulus', 'task.operation'], '""'],
    ['the same in a list of grids', '{ "task": "modular-arithmetic", "sweep": [{ "seed": [0] }, { "task|" }] }', ['task.modulus', 'task.operation'], '"task"'],
    ['words in a text that ends in the middle', '{ "task": "array-update", "claims": [{ "analysis": "attention", "scalar": "|', ['entropy', 'sharpest'], '"'],
  ])('%s', (_, marked, words, replaced) => {
    expect(at(marked)).toMatchObject({ words, replaced });
  });

  test.each([
    ['fields, which the schema knows', '{ "|" }'],
    ['fields of a claim', '{ "claims": [{ "|" }] }'],
    ['anything of an analysis that does not exist', '{ "claims": [{ "analysis": "atention", "scalar": "|" }] }'],
    ['numbers', '{ "training": { "steps": | } }'],
    ['values of swept fields', '{ "task": "modular-arithmetic", "sweep": { "task.modulus": [|] } }'],
    ['anything in nothing', '|'],
  ])('not %s', (_, marked) => {
    expect(at(marked).words).toEqual([]);
  });

  test('with a comma before a field that is there already, which is not offered again', () => {
    const { words, here } = at('{ "task": { "name": "modular-arithmetic", "|" "modulus": 59 } }');
    expect(words).toEqual(['operation']);
    expect(here?.needsComma).toBe(true);
    expect(at('{ "task": { "name": "modular-arithmetic", "|" } }').here?.needsComma).toBe(false);
  });

  test('nothing that the schema offers there too', () => {
    const { properties = {} } = experimentJsonSchema();
    const schema = Object.keys(properties['sweep']?.properties ?? {});
    expect(at('{ "task": "modular-arithmetic", "sweep": { "|" } }').words.filter(word => schema.includes(word))).toEqual([]);
    const ofTask = properties['task']?.anyOf?.flatMap(branch => Object.keys(branch.properties ?? {})) ?? [];
    expect(at('{ "task": { "name": "modular-arithmetic", "|" } }').words.filter(word => ofTask.includes(word))).toEqual([]);
  });
});

test('a field comes with its default, unless it has its colon already', () => {
  const bare = at('{ "task": { "name": "modular-arithmetic", "|" } }').here;
  expect(bare).toMatchObject({ hasValue: false, words: [{ word: 'modulus', value: 113, detail: 'integer from 2 to 500, default 113' }, { word: 'operation', value: 'add' }] });
  expect(at('{ "task": { "name": "modular-arithmetic", "mod|": 59 } }').here?.hasValue).toBe(true);
});

test('a word means what its task or analysis says, with what was measured last', () => {
  const hover = (marked: string) => wordAt(marked.replace('|', ''), marked.indexOf('|'), known)?.word;
  expect(hover('{ "task": "modular-ari|thmetic" }')).toMatchObject({ detail: 'Modular arithmetic', documentation: 'Adds.' });
  expect(hover('{ "task": { "name": "modular-arithmetic", "mod|ulus": 59 } }')).toMatchObject({ documentation: expect.stringContaining('integer from 2 to 500') });
  expect(hover('{ "claims": [{ "analysis": "attention", "scalar": "ent|ropy" }] }')).toMatchObject({ detail: 'last 1.23', documentation: expect.stringContaining('in nats') });
  expect(hover('{ "claims": [{ "analysis": "attention", "params": { "head": "1.0" }, "scalar": "ent|ropy" }] }')).toMatchObject({ detail: '' });
  expect(hover('{ "claims": [{ "analysis": "atten|tio" }] }')).toBeUndefined();
  expect(hover('{ "na|me": "x" }')).toBeUndefined();
});
