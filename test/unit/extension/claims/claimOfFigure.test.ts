import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { claimOfFigure } from '../../../../src/extension/claims/claimOfFigure';
import type { AnalysisInfo } from '../../../../src/protocol/analysis';
import { ClaimSchema } from '../../../../src/protocol/experiment';
import type { TableFigure } from '../../../../src/protocol/figure';

const analysis: AnalysisInfo = {
  id: 'ov-circuit', title: 'OV circuit', description: '', group: 'Weights', badges: false, live: false, atCheckpoint: true,
  params: {
    head: { kind: 'head', title: 'Head', description: '', default: '' },
    rank: { kind: 'integer', title: 'Rank', description: '', default: 4 },
  },
  scalars: {
    copying: 'fraction of rows whose largest logit is the diagonal',
    entropy: 'mean entropy of the rows, in nats',
    after: 'loss without the head, in nats',
  },
};
const figure = (changes: Partial<TableFigure> = {}): TableFigure => ({ kind: 'table', title: 'OV of L1H0', columns: [], rows: [], ...changes });
const claim = (scalars: Readonly<Record<string, number>>, scalar?: string) =>
  claimOfFigure(analysis, {}, { figures: [figure(scalar === undefined ? {} : { scalar })], scalars }, 0);

describe('the claim of a figure', () => {
  test('says what is measured of what, with the parameters that are not the usual ones', () => {
    const made = claimOfFigure(analysis, { head: '1.0', rank: 4 }, { figures: [figure({ scalar: 'copying' })], scalars: { entropy: 1, copying: 0.9949 } }, 0);
    expect(made).toEqual({
      claim: 'OV of L1H0: fraction of rows whose largest logit is the diagonal',
      analysis: 'ov-circuit',
      params: { head: '1.0' },
      scalar: 'copying',
      expect: '>= 0.99',
    });
  });

  test('is about the first scalar where the figure names none that was measured', () => {
    expect(claim({ entropy: 0.5, copying: 1 })?.scalar).toBe('entropy');
    expect(claim({ copying: 1 }, 'gone')?.scalar).toBe('copying');
    expect(claim({ copying: 1 }, 'toString')?.scalar).toBe('copying');
  });

  test.each([
    ['copying', 0.9996, '>= 0.99'],
    ['copying', 1, '>= 1'],
    ['copying', 0.98, '>= 0.98'],
    ['copying', -0.4561, '>= -0.46'],
    ['copying', 12_345, '>= 12000'],
    ['copying', 0, '>= 0'],
    ['entropy', 0.4561, '<= 0.46'],
    ['entropy', 0.9961, '<= 1'],
    ['entropy', -0.4561, '<= -0.45'],
    ['after', 3.214e-8, '<= 3.3e-8'],
  ])('bounds %s of %d by %s', (scalar, value, bound) => {
    expect(claim({ [scalar]: value }, scalar)?.expect).toBe(bound);
  });

  test('is one that an experiment takes, and that holds, for any number', () => {
    const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ min: -1, max: 1, noNaN: true }), fc.integer());
    fc.assert(fc.property(fc.constantFrom('copying', 'entropy'), value, (scalar, measured) => {
      const made = v.parse(ClaimSchema, claim({ [scalar]: measured }, scalar));
      const [, comparison, bound] = /^(>=|<=) (\S+)$/.exec(made.expect) ?? [];
      expect(comparison).toBe(scalar === 'copying' ? '>=' : '<=');
      expect(scalar === 'copying' ? measured >= Number(bound) : measured <= Number(bound)).toBe(true);
      // Two digits are nowhere further off than a tenth.
      expect(Math.abs(Number(bound) - measured)).toBeLessThanOrEqual(Math.max(Math.abs(measured) / 10, Number.MIN_VALUE));
    }), { numRuns: 2000 });
  });

  test('is not made where there is nothing to assert', () => {
    expect(claim({})).toBeUndefined();
    expect(claimOfFigure(analysis, {}, { figures: [], scalars: { copying: 1 } }, 0)).toBeUndefined();
  });
});
