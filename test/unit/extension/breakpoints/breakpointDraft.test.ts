import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import {
  breakpointOf, changesFromText, problemOfChange, problemOfChanges, remarkOnBound, scalarItems, suggestedBound, writtenBreakpoint,
} from '../../../../src/extension/breakpoints/breakpointDraft';
import type { AnalysisInfo } from '../../../../src/protocol/analysis';
import { BreakpointSchema } from '../../../../src/protocol/experiment';

const analysis: AnalysisInfo = {
  id: 'training-curves', title: 'Training curves', description: '', group: 'Training', badges: false, live: true, atCheckpoint: false, params: {},
  scalars: { testLoss: 'last test loss', testAccuracy: 'last fraction of answers that are right' },
};

describe('the scalars to choose from', () => {
  test('have beside them what they are now, where that was measured', () => {
    expect(scalarItems(analysis).map(({ label, description }) => [label, description])).toEqual([['testLoss', ''], ['testAccuracy', '']]);
    expect(scalarItems(analysis, { testAccuracy: 0.12345 }).at(1)?.description).toBe('now 0.1235');
  });
});

describe('a bound', () => {
  test('begins with what is measured now, from the side that training comes from', () => {
    expect(suggestedBound(analysis, 'testAccuracy', 0.123456)).toBe('> 0.123');
    expect(suggestedBound(analysis, 'testLoss', 1.23e-7)).toBe('< 1.23e-7');
    expect(remarkOnBound(suggestedBound(analysis, 'testLoss', 1.23e-7), undefined)).toBeUndefined();
  });

  test('is refused where it is none, and remarked on where it holds already', () => {
    for (const text of ['', '0.8', '> ', '> x', '=> 1']) expect(remarkOnBound(text, 0.5)).toMatchObject({ isProblem: true });
    expect(remarkOnBound('> 0.8', 0.5)).toBeUndefined();
    expect(remarkOnBound('> 0.8', 0.9)).toMatchObject({ isProblem: false, message: expect.stringContaining('Now it is 0.9') });
  });
});

test('a change is a number above 0', () => {
  expect(['0.5', '1e-3'].map(problemOfChange)).toEqual([undefined, undefined]);
  for (const text of ['', ' ', '0', '-1', 'x', 'Infinity']) expect(problemOfChange(text)).toBeDefined();
});

test('what is changed in a fork is written path=value, separated by semicolons, so that a value may hold commas', () => {
  expect(changesFromText(' training.betas=[0.9, 0.98]; seed=3; ')).toEqual(['training.betas=[0.9, 0.98]', 'seed=3']);
  expect(problemOfChanges('')).toBeUndefined();
  expect(problemOfChanges('training.learningRate=1e-4; seed=1')).toBeUndefined();
  expect(problemOfChanges('seed=1; faster')).toContain('"faster"');
  expect(problemOfChanges('seed=')).toBeDefined();
});

describe('the breakpoint', () => {
  const measured = { analysis: 'training-curves', params: {}, scalar: 'testAccuracy' };

  test('is one that the engine takes, and is written without what goes without saying', () => {
    const pause = breakpointOf(measured, { when: '> 0.9' }, { action: 'pause' });
    expect(v.parse(BreakpointSchema, pause)).toEqual(pause);
    expect(writtenBreakpoint(pause)).toEqual({ analysis: 'training-curves', scalar: 'testAccuracy', when: '> 0.9' });
    expect(v.parse(BreakpointSchema, writtenBreakpoint(pause))).toEqual(pause);
  });

  test('keeps its parameters and what is changed in a fork', () => {
    const fork = breakpointOf({ ...measured, params: { head: '1.0' } }, { changesBy: 0.5 }, { action: 'fork', set: ['seed=1'] });
    expect(writtenBreakpoint(fork)).toEqual({
      analysis: 'training-curves', params: { head: '1.0' }, scalar: 'testAccuracy', changesBy: 0.5, action: 'fork', set: ['seed=1'],
    });
    expect(v.parse(BreakpointSchema, writtenBreakpoint(fork))).toEqual(fork);
  });
});
