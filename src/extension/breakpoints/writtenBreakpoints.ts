import { applyEdits, modify, type FormattingOptions } from 'jsonc-parser';
import * as v from 'valibot';
import { UserError } from '../../common/errors';
import { formatNumber } from '../../common/numbers';
import type { BreakpointHit } from '../../protocol/engine';
import { BreakpointSchema, type Breakpoint } from '../../protocol/experiment';
import { measuredText } from './breakpointText';
import { outlineOf, type Span } from '../experiments/experimentOutline';
import { isJson } from '../experiments/experimentProblems';
import { formatCount } from '../format';

/** A text over a place in an experiment file, with what it does when it is clicked. */
export interface PlacedLens {
  readonly span: Span;
  readonly title: string;
  readonly does: 'nothing' | 'add' | { readonly show: BreakpointHit };
}

/** What is known of the model that an experiment trains. */
export interface BreakpointFacts {
  readonly isRunning: boolean;
  hitOf(breakpoint: Breakpoint): BreakpointHit | undefined;
}

/** What stands over the breakpoints of an experiment: where one is added, and whether each was reached. */
export function breakpointLenses(text: string, facts: BreakpointFacts | undefined): readonly PlacedLens[] {
  const { fields, breakpoints } = outlineOf(text);
  // Where there are none yet they are added over what they belong to.
  const block = fields.get('breakpoints') ?? fields.get('training');
  const lenses: PlacedLens[] = block ? [{ span: block.whole, title: 'Add Breakpoint…', does: 'add' }] : [];
  for (const { span, value } of breakpoints) {
    const read = v.safeParse(BreakpointSchema, value);
    const hit = read.success ? facts?.hitOf(read.output) : undefined;
    if (hit) lenses.push({ span, title: reached(hit), does: 'nothing' }, { span, title: 'Show', does: { show: hit } });
    else if (read.success && facts?.isRunning === true) lenses.push({ span, title: 'not reached yet', does: 'nothing' });
  }
  return lenses;
}

function reached({ step, measured, breakpoint: { when } }: BreakpointHit): string {
  return `reached at step ${formatCount(step)}: ${when === undefined ? formatNumber(measured) : measuredText(measured, when)}`;
}

/**
 * The text of an experiment with one more breakpoint, and where that stands in it.
 * @throws UserError for a text that has no place for one.
 */
export function withBreakpoint(text: string, breakpoint: object, formattingOptions: FormattingOptions): { readonly text: string; readonly span: Span } {
  const changed = isJson(text) ? inserted(text, breakpoint, formattingOptions) : undefined;
  const last = changed === undefined ? undefined : outlineOf(changed).breakpoints.at(-1);
  if (changed === undefined || !last) {
    throw new UserError('A breakpoint can be added to an experiment only where its text is an object, and "breakpoints" in it a list; mend it first.');
  }
  return { text: changed, span: last.span };
}

function inserted(text: string, breakpoint: object, formattingOptions: FormattingOptions): string | undefined {
  try {
    return applyEdits(text, modify(text, ['breakpoints', -1], breakpoint, {
      formattingOptions,
      // Before the claims, which are about what comes of the training.
      getInsertionIndex: names => (names.includes('claims') ? names.indexOf('claims') : names.length),
    }));
  } catch {
    return undefined;
  }
}
