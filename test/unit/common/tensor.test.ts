import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allFinite, float32, formatShape, int32, joinedRows, nested, rowsOf, sameShape, sizeOf, stretchesOf, type Nested } from '../../../src/common/tensor';

const shapes = fc.array(fc.nat(4), { maxLength: 4 });

describe('shapes', () => {
  test('have as many elements as their dimensions multiply to, a scalar one', () => {
    expect([sizeOf([]), sizeOf([3]), sizeOf([2, 3, 4]), sizeOf([2, 0])]).toEqual([1, 3, 24, 0]);
  });

  test('are the same only in rank and every dimension', () => {
    expect(sameShape([2, 3], [2, 3])).toBe(true);
    expect([sameShape([2, 3], [3, 2]), sameShape([2], [2, 1]), sameShape([], [1])]).toEqual([false, false, false]);
  });

  test('are written as people write them', () => {
    expect([formatShape([]), formatShape([2, 3])]).toEqual(['[]', '[2, 3]']);
  });
});

describe('tensors', () => {
  test('are of zeros without data', () => {
    expect(float32([2, 2])).toEqual({ dtype: 'float32', shape: [2, 2], data: new Float32Array(4) });
    expect(int32([])).toEqual({ dtype: 'int32', shape: [], data: new Int32Array(1) });
  });

  test('are refused when their data does not fill their shape', () => {
    expect(() => float32([2, 2], new Float32Array(3))).toThrow(new RangeError('3 values do not fill the shape [2, 2]'));
    expect(() => int32([0], new Int32Array(1))).toThrow(RangeError);
  });

  test('are finite when every number is', () => {
    const largest = 3.4e38;
    expect(allFinite(Float32Array.of(0, -0, -largest, largest, 1e-45))).toBe(true);
    expect(allFinite(new Float32Array())).toBe(true);
    for (const odd of [NaN, Infinity, -Infinity]) expect(allFinite(Float32Array.of(1, odd, 2))).toBe(false);
  });

  test('give some of their rows without copying them', () => {
    const whole = int32([3, 2], Int32Array.of(1, 2, 3, 4, 5, 6));
    const rows = rowsOf(whole, 1, 3);
    expect(rows).toEqual(int32([2, 2], Int32Array.of(3, 4, 5, 6)));
    expect(rows.data.buffer).toBe(whole.data.buffer);
    expect(rowsOf(int32([3]), 3, 3)).toEqual(int32([0]));
  });

  test('join again, row after row', () => {
    const whole = float32([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(joinedRows([rowsOf(whole, 0, 1), rowsOf(whole, 1, 1), rowsOf(whole, 1, 3)])).toEqual(whole);
    expect(joinedRows([whole])).toBe(whole);
    expect(joinedRows([])).toEqual(float32([0]));
  });

  test('are cut into stretches of at most so many rows, which differ little in length', () => {
    expect(stretchesOf(5, 2)).toEqual([{ from: 0, to: 2 }, { from: 2, to: 4 }, { from: 4, to: 5 }]);
    expect(stretchesOf(2049, 2048)).toEqual([{ from: 0, to: 1025 }, { from: 1025, to: 2049 }]);
    expect(stretchesOf(0, 8)).toEqual([]);
    fc.assert(fc.property(fc.nat(500), fc.integer({ min: 1, max: 600 }), (count, most) => {
      const stretches = stretchesOf(count, most);
      expect(stretches.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at))).toEqual(Array.from({ length: count }, (_, at) => at));
      expect(stretches.every(({ from, to }) => to > from && to - from <= most)).toBe(true);
      expect(stretches).toHaveLength(Math.ceil(count / most));
    }));
  });

  test('nest by their shape, in row-major order', () => {
    expect(nested(int32([], Int32Array.of(7)))).toBe(7);
    expect(nested(int32([2, 2, 1], Int32Array.of(1, 2, 3, 4)))).toEqual([
      [[1], [2]],
      [[3], [4]],
    ]);
    expect(nested(int32([2, 0, 3]))).toEqual([[], []]);
  });

  test('flatten back to what was nested', () => {
    const flat = (value: Nested): number[] => (typeof value === 'number' ? [value] : value.flatMap(flat));
    fc.assert(
      fc.property(shapes, shape => {
        const data = Int32Array.from({ length: sizeOf(shape) }, (_, index) => index);
        expect(flat(nested(int32(shape, data)))).toEqual([...data]);
      }),
    );
  });
});
