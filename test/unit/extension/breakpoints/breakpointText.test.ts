import { describe, expect, test } from 'vitest';
import { conditionOf, measuredText, reasonOf } from '../../../../src/extension/breakpoints/breakpointText';
import { breakpointHit, excludedLoss } from './breakpoints';

const { when: _, ...unbound } = excludedLoss;
const sudden = { ...unbound, changesBy: 0.5 };

describe('a breakpoint', () => {
  test('is told by what it looks for', () => {
    expect(conditionOf(excludedLoss)).toBe('excluded loss > 1');
    expect(conditionOf({ ...excludedLoss, when: '  >=0.8 ' })).toBe('excluded loss >= 0.8');
    expect(conditionOf(sudden)).toBe('excluded loss changes by 0.5');
  });

  test('once it was reached, by what was measured, and by its name where it has one', () => {
    expect(reasonOf(breakpointHit())).toBe('excluded loss 1.2 > 1');
    expect(reasonOf(breakpointHit({ breakpoint: { ...excludedLoss, breakpoint: 'Clean-up begins' } }))).toBe('Clean-up begins: excluded loss 1.2 > 1');
    expect(reasonOf(breakpointHit({ breakpoint: sudden }))).toBe('excluded loss 0.4 → 1.2');
  });

  test('never with a number that would not be within the bound as it is shown', () => {
    expect(measuredText(0.99961, '< 1')).toBe('0.9996');
    expect(measuredText(1.0004, '> 1')).toBe('1.0004');
    expect(measuredText(0.00012345, '< 0.001')).toBe('1.23e−4');
  });
});
