import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { extremes, formatNumber, formatShare, shortestFloat32 } from '../../webview/numbers';
import { logarithmicTicks, niceStep, shorten } from '../../webview/plotly/ticks';
import { fileName } from '../../webview/export/file';

test.each([
  [0, '0'], [-0, '0'], [25_000, '25,000'], [-3, '−3'], [0.95238, '0.9524'], [123.456, '123.5'], [1234.56, '1,235'], [0.001, '0.001'],
  [1.0213e-8, '1.021e−8'], [-4.7e-5, '−4.7e−5'], [1_234_567, '1.235e6'], [0.1 + 0.2, '0.3'],
])('%d is written %s', (value, text) => expect(formatNumber(value)).toBe(text));

test('a share in percent is never rounded up', () => {
  expect([0, 0.29, 0.5, 0.98765, 0.99999, 1].map(formatShare)).toEqual(['0 %', '29 %', '50 %', '98.76 %', '99.99 %', '100 %']);
});

describe('the shortest decimal of a float32', () => {
  test('is short where it can be', () => {
    expect([0.1, 0.01, 0.93, -0.11, 1e-8, 0, 16_777_216].map(Math.fround).map(shortestFloat32)).toEqual([0.1, 0.01, 0.93, -0.11, 1e-8, 0, 16_777_216]);
  });
  test('is always the same float32', () => {
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), value => Math.fround(shortestFloat32(value)) === value));
  });
});

test('extremes are found with their places, and skipped cells do not count', () => {
  expect(extremes([3, -1, 7, 9], index => index === 3)).toEqual({ smallest: { value: -1, index: 1 }, largest: { value: 7, index: 2 } });
  expect(extremes([], () => false)).toBeUndefined();
});

describe('ticks', () => {
  test('of long logarithmic axes are powers, a few of them', () => {
    expect(logarithmicTicks([1e-8, 5])['ticktext']).toEqual(['10<sup>−8</sup>', '10<sup>−6</sup>', '10<sup>−4</sup>', '10<sup>−2</sup>', '1']);
    expect(logarithmicTicks([1, 25_000])['ticktext']).toEqual(['1', '10', '100', '1,000', '10,000']);
  });
  test('of short ones are 1, 2 and 5', () => {
    expect(logarithmicTicks([0.15, 12])['ticktext']).toEqual(['0.2', '0.5', '1', '2', '5', '10']);
  });
  test('between neighbours are left to Plotly', () => expect(logarithmicTicks([3, 4])).toEqual({}));
  test('step by 1, 2 or 5 times a power of ten', () => {
    expect([0, 0.3, 1, 1.1, 2.5, 5, 7, 11, 120].map(niceStep)).toEqual([1, 1, 1, 2, 5, 5, 10, 20, 200]);
  });
});

test('labels are cut between characters, not within them', () => {
  expect(shorten('short')).toBe('short');
  expect(shorten('😀'.repeat(30))).toBe(`${'😀'.repeat(23)}…`);
});

test.each([
  [['array-update', 'Attention patterns'], 'array-update-Attention-patterns'],
  [['', 'Loss'], 'Loss'],
  [['../../etc', 'passwd'], 'etc-passwd'],
  [['a:b*c?"<d>|', 'größe ½'], 'a-b-c-d-größe-1-2'],
  [['', ' .. '], 'figure'],
])('%j is saved as %s', (parts, name) => expect(fileName(...parts)).toBe(name));
