import { UserError } from '../common/errors';

type Comparison = '>=' | '<=' | '>' | '<' | '==';

/** What a measured number must satisfy. */
export interface Bound {
  readonly comparison: Comparison;
  readonly value: number;
}

/** How a bound is written: a comparison and a number, as in `>= 0.99`. */
export const boundPattern = /^\s*(>=|<=|>|<|==)\s*(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*$/;

/** @throws UserError for a text that is not a bound. */
export function parseBound(text: string): Bound {
  const [, comparison, number] = boundPattern.exec(text) ?? [];
  const value = Number(number);
  if (!isComparison(comparison) || !Number.isFinite(value)) throw new UserError(`"${text}" is not a bound; one is written like ">= 0.99".`);
  return { comparison, value };
}

/** `==` is meant exactly: for counts, and for fractions of them. */
const comparisons: Readonly<Record<Comparison, (measured: number, value: number) => boolean>> = {
  '>=': (measured, value) => measured >= value,
  '<=': (measured, value) => measured <= value,
  '>': (measured, value) => measured > value,
  '<': (measured, value) => measured < value,
  '==': (measured, value) => measured === value,
};

function isComparison(text: string | undefined): text is Comparison {
  return text !== undefined && Object.hasOwn(comparisons, text);
}

/** Whether a measured number is within the bound; one that is not a number is within none. */
export function holds({ comparison, value }: Bound, measured: number): boolean {
  return comparisons[comparison](measured, value);
}

/** A claim, measured on a trained model. */
export interface ClaimOutcome {
  readonly claim: string;
  /** The other experiment whose model it is about. */
  readonly of?: string;
  /** The id of that model; absent where there is none. */
  readonly model?: string;
  /** null where it could not be measured. */
  readonly measured: number | null;
  readonly expect: string;
  readonly ok: boolean;
  /** Which of several things the analysis found, in a few words. */
  readonly finding?: string;
  /** Why it could not be measured, in a sentence. */
  readonly problem?: string;
}
