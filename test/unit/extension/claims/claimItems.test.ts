import { describe, expect, test } from 'vitest';
import { claimItems } from '../../../../src/extension/claims/claimItems';
import { placesIn } from '../../../../src/extension/experiments/textPlaces';

const text = `{
  "task": "array-update",
  // What should come of it.
  "claims": [
    { "claim": "Head 1.0 copies $(bug)", "analysis": "ov-circuit", "params": { "head": "1.0" }, "scalar": "copying", "expect": ">= 0.99" },
    {
      "claim": "It learns",
      "analysis": "training-curves", "scalar": "testAccuracy",
      "expect": "== 1",
      "of": "array-update",
    },
  ],
}
`;

describe('the claims of a text', () => {
  test('are listed by their words, where they stand', () => {
    const items = claimItems(text);
    expect(items.map(({ label }) => label)).toEqual(['Head 1.0 copies $ (bug)', 'It learns']);
    expect(items.map(({ span: { start, end } }) => [text.slice(start, start + 12), text.slice(end - 3, end)])).toEqual([
      ['{ "claim": "', '" }'], ['{\n      "cla', '  }'],
    ]);
    expect(items.map(({ bound: { start, end } }) => text.slice(start, end))).toEqual(['"expect": ">= 0.99"', '"expect": "== 1"']);
  });

  test('keep their ids while other claims come and go, and while their own bound changes', () => {
    const [copies, learns] = claimItems(text).map(({ id }) => id);
    expect(claimItems(text.replace('== 1', '>= 0.9').replace(/ *\{ "claim": "Head.*\n/, '')).map(({ id }) => id)).toEqual([learns]);
    expect(claimItems(text.replace('"claims": [', '"claims": [ { "claim": "First" },')).map(({ id }) => id).slice(1)).toEqual([copies, learns]);
  });

  test('have ids of their own where they have the same words, or words that look like those', () => {
    const named = (...claims: readonly string[]) => claimItems(JSON.stringify({ claims: claims.map(claim => ({ claim })) })).map(({ id }) => id);
    expect(new Set(named('A', 'A', 'A (2)', 'A', '["A",2]')).size).toBe(5);
  });

  test('are found while the text is half typed', () => {
    expect(claimItems('{ "claims": [ { "claim": "It learns", "expect": ">= 0.9" }, { "analysis": "ov-').map(({ label }) => label))
      .toEqual(['It learns', 'Claim 2']);
    const [open] = claimItems('{ "claims": [ { "claim": "It');
    expect(open?.bound).toMatchObject({ start: 14, end: 15 });
    for (const none of ['', '[', '{ "claims": 3 }', '{ "claims": ["words"] }', '['.repeat(5000)]) expect(claimItems(none)).toEqual([]);
  });
});

test('places are counted as VS Code does, whatever ends a line', () => {
  const placeOf = placesIn('ab\ncd\r\nef\rg');
  expect([0, 2, 3, 5, 7, 9, 10, 11].map(offset => Object.values(placeOf(offset)))).toEqual([[0, 0], [0, 2], [1, 0], [1, 2], [2, 0], [2, 2], [3, 0], [3, 1]]);
});
