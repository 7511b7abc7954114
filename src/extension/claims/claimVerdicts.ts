import { textTable, type TextColumn } from '../../common/textTable';
import type { IndexedOutcome, Verification } from '../../protocol/engine';
import { measuredText } from '../breakpoints/breakpointText';
import type { KeptOutcome, MeasuredClaim } from './claimOutcomes';
import { formatCount } from '../format';

/** What became of a claim: it holds, it does not, or it could not be measured. */
export type Verdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly message: string; readonly expected: string; readonly actual: string }
  | { readonly kind: 'errored'; readonly message: string };

/** A claim measured once, of possibly several times. */
export interface MeasuredOnce {
  /** Which of several times this is: `seed 3`. */
  readonly label: string;
  /** The id of the model that the experiment trained. */
  readonly trained: string;
  readonly outcome: IndexedOutcome;
}

/** What each verification has to say of a claim; with more than one, each under a label of its own. */
export function measurementsOf(index: number, verifications: readonly Verification[], labelOf: (verification: Verification) => string): readonly MeasuredOnce[] {
  return verifications.flatMap(verification => verification.claims
    .filter(outcome => outcome.index === index)
    .map(outcome => ({ label: labelOf(verification), trained: verification.id, outcome })));
}

/** A claim holds when it does each time. */
export function verdictOf(all: readonly MeasuredOnce[]): Verdict {
  const [only] = all;
  if (!only) return { kind: 'errored', message: 'Nothing was measured.' };
  if (all.length === 1) return verdictOnce(only.outcome);
  const failing = all.filter(({ outcome }) => outcome.measured !== null && !outcome.ok);
  const unmeasured = all.filter(({ outcome }) => outcome.measured === null);
  const problems = unmeasured.map(({ label, outcome }) => `${label}: ${problemOf(outcome)}`);
  if (failing.length === 0) return problems.length === 0 ? { kind: 'passed' } : { kind: 'errored', message: problems.join('\n') };
  const found = failing.map(({ label, outcome }) => `${label}: ${measuredOf(outcome)}`);
  const summary = `fails for ${failing.length} of ${all.length}, expected ${only.outcome.expect.trim()}: ${found.join(', ')}`;
  return {
    kind: 'failed',
    message: [summary, ...problems].join('\n'),
    expected: failing.map(({ label, outcome }) => `${label}: ${outcome.expect.trim()}`).join('\n'),
    actual: found.join('\n'),
  };
}

function verdictOnce(outcome: IndexedOutcome): Verdict {
  const { measured, expect, ok, finding } = outcome;
  if (measured === null) return { kind: 'errored', message: problemOf(outcome) };
  if (ok) return { kind: 'passed' };
  const message = `measured ${measuredText(measured, expect)}, expected ${expect.trim()}${finding === undefined ? '' : ` (${finding})`}`;
  return { kind: 'failed', message, expected: expect.trim(), actual: measuredOf(outcome) };
}

function problemOf({ problem }: IndexedOutcome): string {
  return problem ?? 'It could not be measured.';
}

function measuredOf({ measured, expect }: IndexedOutcome): string {
  return measured === null ? '–' : measuredText(measured, expect);
}

/** What is kept of a claim: of the time that decided, the first that failed or else the first; nothing where one failed to be measured. */
export function keptOf(all: readonly MeasuredOnce[], isSweep: boolean, at: number): KeptOutcome | undefined {
  const decided = all.find(({ outcome }) => outcome.measured !== null && !outcome.ok) ?? all[0];
  if (!decided || (decided.outcome.ok && all.some(({ outcome }) => outcome.measured === null))) return undefined;
  const { trained, outcome: { model = trained, measured, expect, ok, finding } } = decided;
  if (measured === null) return undefined;
  return { ...(!isSweep && { trained }), model, measured, expect, ok, ...(finding !== undefined && { finding }), at };
}

/** `✓ 0.994`: how a claim stands, in a few words. */
export function standingText({ outcome, isStale }: Pick<MeasuredClaim, 'outcome' | 'isStale'>): string {
  if (!outcome) return '○ not measured';
  const { measured, expect, ok } = outcome;
  const words = ok ? `✓ ${measuredText(measured, expect)}` : `✗ ${measuredText(measured, expect)}, expected ${expect.trim()}`;
  return isStale ? `${words} · before the experiment changed` : words;
}

/** A line of a run's output. */
export function outcomeLine(claim: string, outcome: Pick<IndexedOutcome, 'measured' | 'expect' | 'ok' | 'finding' | 'problem'>): string {
  const { measured, expect, ok, finding, problem } = outcome;
  if (measured === null) return `✗ ${claim}: ${problem ?? 'could not be measured'}`;
  return `${ok ? '✓' : '✗'} ${claim}: ${measuredText(measured, expect)}, expected ${expect.trim()}${finding === undefined ? '' : ` (${finding})`}`;
}

/** What a claim was at each checkpoint, as lines, and from which one on it holds for good. */
export function checkpointLines(claim: string, rows: readonly CheckpointRow[]): readonly string[] {
  const [first, ...more] = rows.slice(0, -1);
  // Some analyses are about the training as a whole.
  if (first && [first, ...more].every(({ outcome }) => outcome.measured === null)) return [claim, `Measured at the end alone: ${problemOf(first.outcome)}`];
  return [claim, ...textTable(checkpointColumns, rows).split('\n'), summaryOf(rows)];
}

function summaryOf(rows: readonly CheckpointRow[]): string {
  const lastFailing = rows.findLastIndex(({ outcome }) => !outcome.ok);
  const first = rows[lastFailing + 1];
  if (!first) return 'It does not hold at the end.';
  return lastFailing === -1 ? 'It holds at every checkpoint.' : `It holds for good from step ${formatCount(first.step)} on.`;
}

interface CheckpointRow {
  readonly step: number;
  readonly outcome: IndexedOutcome;
}

const checkpointColumns: readonly TextColumn<CheckpointRow>[] = [
  { title: 'step', numeric: true, value: ({ step }) => formatCount(step) },
  { title: 'measured', numeric: true, value: ({ outcome }) => measuredOf(outcome) },
  { title: 'holds', value: ({ outcome }) => (outcome.ok ? '✓' : '✗') },
];
