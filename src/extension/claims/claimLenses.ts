import type { ClaimItem } from './claimItems';
import type { MeasuredClaim } from './claimOutcomes';
import { standingText } from './claimVerdicts';
import type { ClaimTarget } from '../contributions';
import { withoutIcons } from '../format';

/** What stands over a claim: words, and what a click on them does where it does anything. */
export interface ClaimLens {
  /** Where the claim begins in the text. */
  readonly at: number;
  readonly title: string;
  readonly tooltip?: string;
  readonly click?: { readonly command: 'circuits.runClaim' | 'circuits.openClaimFigure'; readonly target: ClaimTarget };
}

/** Over each claim: what measures it, what was measured last, and the figure that it is about. */
export function claimLensesOf(file: string, claims: readonly ClaimItem[], measured: readonly MeasuredClaim[], canRun: boolean): readonly ClaimLens[] {
  const byIndex = new Map(measured.map(claim => [claim.index, claim]));
  return claims.flatMap(({ index, id, span: { start: at } }): readonly ClaimLens[] => {
    const target = { file, claim: id };
    const standing = byIndex.get(index) ?? { isStale: false };
    const tooltip = tooltipOf(standing);
    return [
      ...(canRun ? [{ at, title: '$(play) Run', tooltip: 'Measure this claim; what is not trained is trained first', click: { command: 'circuits.runClaim', target } } as const] : []),
      { at, title: withoutIcons(standingText(standing)), ...(tooltip !== undefined && { tooltip }) },
      { at, title: 'Open the Figure', tooltip: 'Open what measures this claim', click: { command: 'circuits.openClaimFigure', target } },
    ];
  });
}

function tooltipOf({ outcome, isStale }: Pick<MeasuredClaim, 'outcome' | 'isStale'>): string | undefined {
  if (!outcome) return undefined;
  const when = `Measured ${new Date(outcome.at).toLocaleString()}`;
  const found = outcome.finding === undefined ? '' : `: ${outcome.finding}`;
  return `${when}${found}${isStale ? '. The experiment would train another model now.' : ''}`;
}
