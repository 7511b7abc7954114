import { formatDecisively, formatNumber } from '../../common/numbers';
import type { BreakpointHit } from '../../protocol/engine';
import type { Breakpoint } from '../../protocol/experiment';
import { boundPattern, holds, parseBound } from '../../protocol/claim';

/** `excluded loss > 1`, or `excluded loss changes by 0.5`: what a breakpoint looks for. */
export function conditionOf({ scalar, when, changesBy }: Pick<Breakpoint, 'scalar' | 'when' | 'changesBy'>): string {
  const words = scalarWords(scalar);
  return when === undefined ? `${words} changes by ${changesBy ?? 0}` : `${words} ${boundText(when)}`;
}

/** `excluded loss 1.2 > 1`, or `excluded loss 0.5 → 1.2`: why a run came to a breakpoint. */
export function reasonOf({ breakpoint, measured, before }: Pick<BreakpointHit, 'breakpoint' | 'measured' | 'before'>): string {
  const { breakpoint: name, scalar, when } = breakpoint;
  const value = when === undefined && before !== undefined ? `${formatNumber(before)} → ${formatNumber(measured)}`
    : when === undefined ? formatNumber(measured)
    : `${measuredText(measured, when)} ${boundText(when)}`;
  return `${name === undefined ? '' : `${name}: `}${scalarWords(scalar)} ${value}`;
}

/** `excluded loss` of `excludedLoss`. */
export function scalarWords(scalar: string): string {
  return scalar.replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, ' ').toLowerCase();
}

/** What was measured, with as many digits as it takes to see that it is within the bound. */
export function measuredText(measured: number, when: string): string {
  const bound = boundPattern.test(when) ? parseBound(when) : undefined;
  return formatDecisively(measured, value => bound === undefined || holds(bound, value));
}

function boundText(when: string): string {
  const [, comparison, value] = boundPattern.exec(when) ?? [];
  return comparison === undefined || value === undefined ? when.trim() : `${comparison} ${value}`;
}
