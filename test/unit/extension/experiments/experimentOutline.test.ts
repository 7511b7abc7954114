import { describe, expect, test } from 'vitest';
import { outlineOf } from '../../../../src/extension/experiments/experimentOutline';

const text = `{
  // A comment.
  "task": { "name": "max" },
  "claims": [
    { "claim": "It learns", "scalar": "testAccuracy" },
    3,
    { "claim": "Twice" },
  ],
}`;

describe('the outline of an experiment', () => {
  test('knows where each field stands, and what it holds', () => {
    const task = outlineOf(text).fields.get('task');
    expect(text.slice(task?.name.start, task?.name.end)).toBe('"task"');
    expect(text.slice(task?.whole.start, task?.whole.end)).toBe('"task": { "name": "max" }');
    expect(task?.value).toEqual({ name: 'max' });
  });

  test('knows every claim by its index, whatever else stands among them', () => {
    const { claims } = outlineOf(text);
    expect(claims.map(({ index, value }) => [index, value['claim']])).toEqual([[0, 'It learns'], [2, 'Twice']]);
    expect(text.slice(claims[1]?.span.start, claims[1]?.span.end)).toBe('{ "claim": "Twice" }');
  });

  test('finds what can be read of a text that is half typed', () => {
    const half = text.slice(0, text.indexOf('"scalar"'));
    expect(outlineOf(half).claims).toMatchObject([{ index: 0, value: { claim: 'It learns' } }]);
    for (const other of ['', '[]', '"a"', '{ "claims": 3 }', '{ "claims": [', `${'['.repeat(100_000)}`]) expect(outlineOf(other).claims).toEqual([]);
  });
});
