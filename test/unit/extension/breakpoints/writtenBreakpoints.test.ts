import { describe, expect, test } from 'vitest';
import { UserError } from '../../../../src/common/errors';
import { outlineOf } from '../../../../src/extension/experiments/experimentOutline';
import { isJson } from '../../../../src/extension/experiments/experimentProblems';
import { breakpointLenses, withBreakpoint } from '../../../../src/extension/breakpoints/writtenBreakpoints';
import type { BreakpointHit } from '../../../../src/protocol/engine';
import { breakpointHit } from './breakpoints';

const text = `{
  "task": "max",
  // A comment that stays.
  "training": { "steps": 100 },
  "breakpoints": [
    { "analysis": "progress-measures", "params": { "prime": 7 }, "scalar": "excludedLoss", "when": "> 1" },
    { "analysis": "progress-measures", "scalar": "gini", "changesBy": 0.1 },
  ],
  "claims": [],
}
`;

describe('what stands over the breakpoints of a file', () => {
  const shown = (text: string, hit?: BreakpointHit, isRunning = false) =>
    breakpointLenses(text, { isRunning, hitOf: ({ scalar }) => (scalar === hit?.breakpoint.scalar ? hit : undefined) })
      .map(({ span, title }) => [text.slice(span.start, span.start + 14), title]);

  test('offers one more over the list, or over the training where there is none', () => {
    expect(shown(text)).toEqual([['"breakpoints":', 'Add Breakpoint…']]);
    expect(shown('{ "training": {} }')).toEqual([['"training": {}', 'Add Breakpoint…']]);
    expect(shown('{ "task": "max" }')).toEqual([]);
  });

  test('tells of each where it was reached, and shows it', () => {
    expect(shown(text, breakpointHit({ step: 1300 }), true)).toEqual([
      ['"breakpoints":', 'Add Breakpoint…'],
      ['{ "analysis": ', 'reached at step 1,300: 1.2'], ['{ "analysis": ', 'Show'],
      ['{ "analysis": ', 'not reached yet'],
    ]);
  });

  test('says nothing of one that is half typed, nor where nothing is known', () => {
    const half = text.slice(0, text.indexOf('"scalar"'));
    expect(shown(half, breakpointHit(), true)).toEqual([['"breakpoints":', 'Add Breakpoint…']]);
    expect(breakpointLenses(text, undefined)).toHaveLength(1);
  });
});

describe('a breakpoint that is added', () => {
  const options = { tabSize: 2, insertSpaces: true, eol: '\n' };
  const added = { analysis: 'training-curves', scalar: 'testAccuracy', when: '> 0.9' };

  test('stands last in the list, with all else as it was', () => {
    const changed = withBreakpoint(text, added, options);
    expect(isJson(changed.text)).toBe(true);
    expect(changed.text).toContain('// A comment that stays.');
    expect(outlineOf(changed.text).breakpoints.map(({ value }) => value['scalar'])).toEqual(['excludedLoss', 'gini', 'testAccuracy']);
    expect(JSON.parse(changed.text.slice(changed.span.start, changed.span.end))).toEqual(added);
  });

  test('begins the list before the claims', () => {
    for (const bare of ['{\n  "task": "max",\n  "training": { "steps": 1 },\n  "claims": []\n}\n', '{}', '{ "task": "max", }']) {
      const changed = withBreakpoint(bare, added, options);
      expect(isJson(changed.text), changed.text).toBe(true);
      const { fields, breakpoints } = outlineOf(changed.text);
      expect(breakpoints.map(({ value }) => value)).toEqual([added]);
      const names = [...fields.keys()];
      if (names.includes('claims')) expect(names.indexOf('breakpoints')).toBe(names.indexOf('claims') - 1);
    }
  });

  test('is refused where there is no place for it', () => {
    for (const wrong of ['', '[]', '3', '{ "task": ', '{ "breakpoints": 3 }', '['.repeat(100_000)]) {
      expect(() => withBreakpoint(wrong, added, options), wrong.slice(0, 20)).toThrow(UserError);
    }
  });
});
