import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundPattern, holds, parseBound } from '../../../src/protocol/claim';

const comparison = fc.constantFrom('>=', '<=', '>', '<', '==');
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const blank = fc.constantFrom('', ' ', '\t  ');

describe('a bound', () => {
  test('means what it says, however it is spaced', () => {
    fc.assert(fc.property(comparison, number, number, blank, blank, (sign, value, measured, before, between) => {
      const bound = parseBound(`${before}${sign}${between}${value}${before}`);
      // == and the like of JavaScript itself.
      const meant = { '>=': measured >= value, '<=': measured <= value, '>': measured > value, '<': measured < value, '==': measured === value };
      expect(holds(bound, measured)).toBe(meant[sign]);
      expect(holds(bound, value)).toBe(sign.includes('='));
    }));
  });

  test('and its opposite never hold together', () => {
    fc.assert(fc.property(number, number, (value, measured) => {
      expect(holds(parseBound(`>= ${value}`), measured)).not.toBe(holds(parseBound(`< ${value}`), measured));
      expect(holds(parseBound(`<= ${value}`), measured)).not.toBe(holds(parseBound(`> ${value}`), measured));
    }));
  });

  test.each(['>=', '<=', '>', '<', '=='])('%s a number is not satisfied by what is not a number', sign => {
    expect(holds(parseBound(`${sign} 0`), Number.NaN)).toBe(false);
  });

  test.each(['0.99', '=> 1', '>= ', '>= many', '>= 1 or 2', '>= .5', '>= 1e999', '= 1', ''])('is not "%s"', text => {
    expect(() => parseBound(text)).toThrow(`"${text}" is not a bound; one is written like ">= 0.99".`);
  });

  test('is all that an experiment file takes for one, unless its number is beyond all bounds', () => {
    fc.assert(fc.property(fc.stringMatching(boundPattern), text => {
      const digits = text.replace(/[\s<>=]/g, '');
      if (Number.isFinite(Number(digits))) expect(parseBound(text).value).toBe(Number(digits));
      else expect(() => parseBound(text)).toThrow();
    }));
  });
});
