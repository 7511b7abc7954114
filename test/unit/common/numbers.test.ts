import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDecisively, formatNumber, formatPercent, formatSeconds } from '../../../src/common/numbers';

test.each([
  [0, '0'], [-0, '0'], [12, '12'], [-7, '−7'], [1234, '1234'], [226_816, '226\u202f816'], [0.998_66, '0.9987'], [0.999_967, '0.999967'], [123.999_99, '124'], [12_345.678, '12\u202f350'],
  [1e-8, '1e−8'], [0.000_912_3, '9.12e−4'], [-2.5e7 - 0.5, '−2.5e7'], [3e20, '3e20'],
])('the number %d is written %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test.each([[1, '100 %'], [0.999_96, '99.99 %'], [0.5, '50 %'], [0, '0 %'], [0.29, '29 %']])('the fraction %d is written %s', (value, text) => {
  expect(formatPercent(value)).toBe(text);
});

test.each([[0.000_32, '0.32 ms'], [0.0241, '24 ms'], [8.14, '8.14 s'], [59.99, '1 min 0 s'], [200, '3 min 20 s'], [7500, '2 h 5 min']])(
  '%d seconds are written %s', (value, text) => {
    expect(formatSeconds(value)).toBe(text);
  });

test.each([
  [0.989_97, 0.99, '0.98997'], [0.991_234, 0.99, '0.9912'], [0.99, 0.99, '0.99'], [-0.500_04, -0.5, '−0.50004'], [19_999.7, 20_000, '19\u202f999.7'], [12, 10, '12'],
])('%d is written so that one sees whether it is at least %d', (value, least, text) => {
  expect(formatDecisively(value, shown => shown >= least)).toBe(text);
});

test('whatever its bound, a number is written on the side of it on which it is', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 });
  fc.assert(fc.property(number, number.map(value => value * 1e-6), (value, difference) => {
    const text = formatDecisively(value, shown => shown > value + difference);
    expect(Number(text.replaceAll('−', '-').replaceAll('\u202f', '')) > value + difference).toBe(value > value + difference);
  }));
});
