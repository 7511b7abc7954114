import { expect, test } from 'vitest';
import { placesIn } from '../../../../src/extension/experiments/textPlaces';

test('places are counted as VS Code counts them, after each kind of line end', () => {
  const place = placesIn('a\nbc\r\n\rd');
  expect([0, 1, 2, 4, 6, 7, 8].map(place)).toEqual([
    { line: 0, character: 0 }, { line: 0, character: 1 }, { line: 1, character: 0 }, { line: 1, character: 2 },
    { line: 2, character: 0 }, { line: 3, character: 0 }, { line: 3, character: 1 },
  ]);
  expect(placesIn('')(0)).toEqual({ line: 0, character: 0 });
});

test('many places of a long text take no longer than a few', () => {
  const lines = Array.from({ length: 100_000 }, (_, line) => line);
  const place = placesIn('line\n'.repeat(lines.length));
  const began = performance.now();
  expect(lines.map(line => place(5 * line + 2).line)).toEqual(lines);
  // Were they gone through one after another, it would take far longer.
  expect(performance.now() - began).toBeLessThan(5000);
});
