import type { AnalysisInfo, AnalysisResult } from '../protocol/analysis';
import type { Claim } from '../protocol/experiment';
import type { PanelState } from '../protocol/panel';

/**
 * The claim that a figure makes when it is looked at: that the scalar which it names, or the first of the result, is at
 * least as large as it was measured, or at most as large where less is better. Nothing where nothing was measured.
 */
export function claimOfFigure(analysis: AnalysisInfo, params: PanelState['params'], { figures, scalars }: AnalysisResult, at: number): Claim | undefined {
  const figure = figures[at];
  const named = figure?.scalar !== undefined && Object.hasOwn(scalars, figure.scalar) ? figure.scalar : Object.keys(scalars)[0];
  const value = named === undefined ? undefined : scalars[named];
  if (!figure || named === undefined || value === undefined) return undefined;
  const meaning = analysis.scalars[named] ?? named;
  const chosen = Object.entries(params).flatMap(([name, param]) => (param === undefined || param === analysis.params[name]?.default ? [] : [[name, param] as const]));
  return {
    claim: `${figure.title}: ${meaning}`,
    analysis: analysis.id,
    params: Object.fromEntries(chosen),
    scalar: named,
    expect: lessIsBetter.test(`${named} ${meaning}`) ? `<= ${rounded(value, 'up')}` : `>= ${rounded(value, 'down')}`,
  };
}

const lessIsBetter = /loss|error|entropy/i;

/**
 * The value to two significant digits, towards plus or minus infinity. Its decimal digits are cut rather than divided, so
 * that what is written, read again, is never on the other side of the value.
 */
function rounded(value: number, direction: 'up' | 'down'): string {
  const [, sign = '', first = '0', rest = '', exponent = '0'] = /^(-?)(\d)(?:\.(\d+))?e([-+]\d+)$/.exec(value.toExponential()) ?? [];
  const isCut = rest.length > 1;
  const awayFromZero = isCut && (sign === '-') === (direction === 'down');
  const digits = Number(`${first}${rest.charAt(0) || '0'}`) + (awayFromZero ? 1 : 0);
  const bound = Number(`${sign}${digits}e${Number(exponent) - 1}`);
  return String(Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, bound)));
}
