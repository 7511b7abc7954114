import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { thinnedPlaces } from '../../../src/common/thinning';

describe('places that show a line with fewer points', () => {
  test('are all of them where there are few', () => {
    expect(thinnedPlaces([3, 1, undefined], 3)).toEqual([0, 1, 2]);
    expect(thinnedPlaces([], 3)).toEqual([]);
  });

  test('keep a spike between many equal neighbours, and where the line breaks', () => {
    const values: (number | undefined)[] = Array.from({ length: 1000 }, (_, i) => i % 2);
    values[333] = 9;
    values[500] = undefined;
    values[777] = -9;
    const places = thinnedPlaces(values, 50);
    expect(places).toEqual(expect.arrayContaining([0, 333, 500, 777, 999]));
    expect(places.length).toBeLessThanOrEqual(53);
  });

  test('ascend, begin and end with the line, and reach as low and as high', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1, maxLength: 400 }), fc.integer({ min: 2, max: 60 }), (values, most) => {
      const places = thinnedPlaces(values, most);
      const kept = places.map(place => values[place] ?? NaN);
      expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
      expect([places[0], places.at(-1)]).toEqual([0, values.length - 1]);
      expect([Math.min(...kept), Math.max(...kept)]).toEqual([Math.min(...values), Math.max(...values)]);
      expect(places.length).toBeLessThanOrEqual(most + 2);
    }), { examples: [[[0, 0, 0, -1, 0, 1, 0, -1, 0], 3]] });
  });
});
