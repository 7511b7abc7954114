import { contentOf } from './claimOutcomes';
import { outlineOf, type Span } from '../experiments/experimentOutline';
import { placeProblems } from '../experiments/experimentProblems';
import { withoutIcons } from '../format';

/** A claim of a file, as lists show it. */
export interface ClaimItem {
  /** The place among the claims of the experiment. */
  readonly index: number;
  /** Of the claim's words, and how many have the same before it: it stays while anything else of the file changes. */
  readonly id: string;
  readonly label: string;
  /** The whole claim in the text. */
  readonly span: Span;
  /** The field that is at fault when it does not hold. */
  readonly bound: Span;
  /** Differs once the claim says something else. */
  readonly content: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** The claims in the text of an experiment, which may be half typed, in their order. */
export function claimItems(text: string): readonly ClaimItem[] {
  const { claims } = outlineOf(text);
  const bounds = placeProblems(text, claims.map(({ index }) => ({ path: ['claims', index, 'expect'], message: '' })));
  const count = new Map<string, number>();
  return claims.map((claim, at) => {
    const { index, span, value } = claim;
    const words = typeof value.claim === 'string' && value.claim.trim() !== '' ? value.claim.trim() : `Claim ${index + 1}`;
    const seen = (count.get(words) ?? 0) + 1;
    count.set(words, seen);
    return {
      index, span, value, id: JSON.stringify([words, seen]), label: withoutIcons(words),
      bound: bounds[at] ?? span, content: contentOf(claim),
    };
  });
}
