import { formatNumber } from '../../common/numbers';
import { boundPattern, holds, parseBound } from '../../protocol/claim';
import type { AnalysisInfo } from '../../protocol/analysis';
import type { Breakpoint } from '../../protocol/experiment';
import type { ParameterValues } from '../../protocol/parameter';
import { isLessBetter } from '../claims/claimOfFigure';
import { measuredText } from './breakpointText';

/** What the scalars of an analysis came to, by their names. */
export type Values = Readonly<Record<string, number>>;

export interface ScalarItem {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
}

/** What an analysis measures, for a quick pick, with what it is now where that is known. */
export function scalarItems({ scalars }: AnalysisInfo, values: Values = {}): readonly ScalarItem[] {
  return Object.entries(scalars).map(([label, detail]) => {
    const value = values[label];
    return { label, detail, description: value === undefined ? '' : `now ${formatNumber(value)}` };
  });
}

/** A bound to begin from: what is measured now, from the side that training comes from. */
export function suggestedBound({ scalars }: AnalysisInfo, scalar: string, value: number): string {
  const comparison = isLessBetter(scalar, scalars[scalar]) ? '<' : '>';
  return `${comparison} ${Number(value.toPrecision(3))}`;
}

/** What to say of a bound as it is typed: why it is none, or that it need not be waited for. */
export function remarkOnBound(text: string, value: number | undefined): { readonly message: string; readonly isProblem: boolean } | undefined {
  if (!boundPattern.test(text)) return { message: 'A bound is a comparison (>, <, >=, <=, ==) and a number, as in > 0.8.', isProblem: true };
  if (value === undefined || !holds(parseBound(text), value)) return undefined;
  return { message: `Now it is ${measuredText(value, text)}, within the bound: that counts as crossed at the next checkpoint.`, isProblem: false };
}

/** Why this is not how far a scalar can move. */
export function problemOfChange(text: string): string | undefined {
  const change = Number(text);
  return text.trim() !== '' && Number.isFinite(change) && change > 0 ? undefined : 'A change is a number above 0, as in 0.5.';
}

/** `training.learningRate=1e-4; seed=3`: what is changed in a fork. */
export function changesFromText(text: string): readonly string[] {
  return text.split(';').map(change => change.trim()).filter(change => change !== '');
}

export function problemOfChanges(text: string): string | undefined {
  const wrong = changesFromText(text).find(change => !/^[^=\s]+=\S/.test(change));
  return wrong === undefined ? undefined : `"${wrong}" is not written path=value, as in training.learningRate=1e-4.`;
}

/** What counts, and when. */
export type Condition = { readonly when: string } | { readonly changesBy: number };
/** What is done then. */
export type Reaction = Pick<Breakpoint, 'action' | 'set'>;

/** What a breakpoint looks at, without what is not yet known. */
export interface Measured {
  readonly analysis: string;
  /** Those that are not at their defaults. */
  readonly params: ParameterValues;
  readonly scalar: string;
}

export function breakpointOf({ analysis, params, scalar }: Measured, condition: Condition, reaction: Reaction): Breakpoint {
  return { analysis, params, scalar, ...condition, ...reaction };
}

/** The breakpoint as a file would have it: without what goes without saying. */
export function writtenBreakpoint({ params, action, ...breakpoint }: Breakpoint): object {
  const { analysis, ...rest } = breakpoint;
  return { analysis, ...(Object.keys(params).length > 0 && { params }), ...rest, ...(action !== 'pause' && { action }) };
}
