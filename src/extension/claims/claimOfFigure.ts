import type { AnalysisInfo, AnalysisResult } from '../../protocol/analysis';
import type { Claim } from '../../protocol/experiment';
import type { PanelState } from '../../protocol/panel';
import type { ParameterValues } from '../../protocol/parameter';

/**
 * The claim that a figure makes when it is looked at: that the scalar which it names, or the first of the result, is at
 * least as large as it was measured, or at most as large where less is better. Nothing where nothing was measured.
 */
export function claimOfFigure(analysis: AnalysisInfo, params: PanelState['params'], { figures, scalars }: AnalysisResult, at: number): Claim | undefined {
  const figure = figures[at];
  const named = scalarOfFigure({ figures, scalars }, at);
  const value = named === undefined ? undefined : scalars[named];
  if (!figure || named === undefined || value === undefined) return undefined;
  const meaning = analysis.scalars[named] ?? named;
  return {
    claim: `${figure.title}: ${meaning}`,
    analysis: analysis.id,
    params: chosenParams(analysis, params),
    scalar: named,
    expect: isLessBetter(named, meaning) ? `<= ${rounded(value, 'up')}` : `>= ${rounded(value, 'down')}`,
  };
}

/** The scalar that a figure shows, or the first of the result. */
export function scalarOfFigure({ figures, scalars }: Pick<AnalysisResult, 'figures' | 'scalars'>, at: number): string | undefined {
  const scalar = figures[at]?.scalar;
  return scalar !== undefined && Object.hasOwn(scalars, scalar) ? scalar : Object.keys(scalars)[0];
}

/** The parameters that are not at their defaults. */
export function chosenParams({ params: parameters }: Pick<AnalysisInfo, 'params'>, params: PanelState['params']): ParameterValues {
  return Object.fromEntries(Object.entries(params).flatMap(([name, value]) =>
    (value === undefined || value === parameters[name]?.default ? [] : [[name, value] as const])));
}

/** Whether training makes a scalar smaller, by its name and what it measures. */
export function isLessBetter(name: string, meaning = ''): boolean {
  return /loss|error|entropy/i.test(`${name} ${meaning}`);
}

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
