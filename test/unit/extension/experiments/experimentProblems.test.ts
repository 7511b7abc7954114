import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isJson, placeProblems } from '../../../../src/extension/experiments/experimentProblems';

const text = `{
  "task": "array-update", // a comment
  "model": { "n_layers": 2, "frozen": ["embed.W_E", "nonsense"] },
  "training": { "stepz": 1000 },
}`;
const marked = (...path: readonly (string | number)[]) =>
  placeProblems(text, [{ path, message: 'wrong' }]).map(({ start, end }) => text.slice(start, end));

test('a single value is marked with its name', () => {
  expect(marked('model', 'n_layers')).toEqual(['"n_layers": 2']);
  expect(marked('training', 'stepz')).toEqual(['"stepz": 1000']);
});

test('of a longer one only the name', () => {
  expect(marked('model')).toEqual(['"model"']);
  expect(marked('model', 'frozen')).toEqual(['"frozen"']);
});

test('in a list the item', () => {
  expect(marked('model', 'frozen', 1)).toEqual(['"nonsense"']);
});

test('what is missing is marked where it is missing from', () => {
  expect(marked('training', 'steps')).toEqual(['"training"']);
  expect(marked()).toEqual(['{']);
  expect(marked('seed')).toEqual(['{']);
});

test('marks stay within any text', () => {
  const paths = fc.array(fc.oneof(fc.constantFrom('task', 'model', 'frozen'), fc.nat(3)), { maxLength: 4 });
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), paths, (any, path) => {
    const [placed] = placeProblems(any, [{ path, message: 'wrong' }]);
    expect(placed && placed.start >= 0 && placed.start <= placed.end && placed.end <= any.length).toBe(true);
  }));
});

test('comments and trailing commas are allowed, half a file is not', () => {
  expect(isJson(text)).toBe(true);
  expect(isJson('{ "task": ')).toBe(false);
  expect(isJson('')).toBe(false);
});

test.each([
  ['brackets without end', '['.repeat(500_000)],
  ['brackets that end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  ['braces without end', '{"a":'.repeat(100_000)],
])('%s are left to the engine to name, at the beginning of the file', (_, deep) => {
  expect(isJson(deep)).toBe(true);
  expect(placeProblems(deep, [{ path: ['a', 0], message: 'too deep' }])).toEqual([{ start: 0, end: 0, message: 'too deep' }]);
});
