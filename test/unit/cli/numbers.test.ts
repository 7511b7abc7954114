import { expect, test } from 'vitest';
import { formatNumber, formatPercent, formatSeconds } from '../../../src/cli/numbers';

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
