import { setImmediate } from 'node:timers/promises';
import { throwIfCancelled, UserError } from '../common/errors';
import { scoreScale } from '../model/layers';
import type { ModelConfig } from '../protocol/config';
import type { AnalysisContext } from './define';
import { explainedShare, ExplainedVariance, fittedLine, onLine, type Line } from './linearFit';
import { headsOfFirstLayer, scoresBetween, type QueriesAndKeys, type TokenVectors } from './queriesAndKeys';

// n values of the query, or 1 where its token is always the same · m values of a key · K d_head

/** A dimension of a head's queries or keys as a line of the number; the share of its variance that the line explains. */
export interface FittedDimension extends Line {
  readonly explained: number;
}

/** A score as a function of the number x at the key and y at the query: `both·x·y + key·x + query·y + constant`. */
export interface ScoreTerms {
  readonly both: number;
  readonly key: number;
  readonly query: number;
  readonly constant: number;
}

/** One head of the first layer with every dimension of its keys, and of its queries where they vary, replaced by a line. */
export interface HeadFit {
  readonly head: number;
  /** `[K]` */
  readonly keys: readonly FittedDimension[];
  /** `[K]`; of a query that is always the same, lines of slope 0. */
  readonly queries: readonly FittedDimension[];
  readonly terms: ScoreTerms;
  /** The share of the variance of the real scores, of all numbers that were fitted, that the fit explains. */
  readonly r2: number;
}

/**
 * Least squares of each dimension against the number, over numbers from `from` on and all the key positions together; the scores
 * that follow are the products of those lines.
 * @throws UserError where fewer than three numbers are left to fit a line to; CancelledError between heads.
 */
export async function fittedHeads(
  { model: { config }, signal }: Pick<AnalysisContext, 'model' | 'signal'>, { query, keys }: QueriesAndKeys, from: number,
): Promise<readonly HeadFit[]> {
  const [asking, asked] = [fittedPart(query, from), keys.map(key => fittedPart(key, from))];
  const x = asked.flatMap(part => part.values);
  const fits: HeadFit[] = [];
  for (const { head } of headsOfFirstLayer(config)) {
    // Of a thousand numbers a head has millions of scores, and that it is cancelled is only heard between them.
    await setImmediate();
    throwIfCancelled(signal);
    const keyLines = dimensionsOf(x, asked.map(part => part.rowsOf(head)).flat());
    const queryLines = dimensionsOf(asking.values, asking.rowsOf(head));
    const terms = termsOf(config, queryLines, keyLines);
    const explained = new ExplainedVariance();
    for (const part of asked) {
      const real = scoresBetween(config, asking.matrixOf(head), part.matrixOf(head)); // [n, m]
      asking.values.forEach((y, row) => part.values.forEach((number, column) => explained.add(real.get(row, column), scoreOf(terms, number, y))));
    }
    fits.push({ head, keys: keyLines, queries: queryLines, terms, r2: explained.share });
  }
  return fits;
}

/** A line takes two points, and is put to the test by a third. */
const fewest = 3;

/** The tokens that are fitted. */
function fittedPart({ tokens, values, vectors }: TokenVectors, from: number) {
  const kept = tokens.flatMap((_, at) => ((values?.[at] ?? from) >= from ? [at] : []));
  if (values && kept.length < fewest) throw new UserError(`${fewOf(kept.length)} ${from} or larger, and a line is fitted to ${fewest} at least; choose a smaller "from".`);
  const matrixOf = (head: number) => {
    const all = vectors[head];
    if (!all) throw new Error(`there is no head ${head}`);
    return all.selection(kept, Array.from({ length: all.columns }, (_, dimension) => dimension));
  };
  // A token that is always the same counts as the number 0.
  return { values: kept.map(at => values?.[at] ?? 0), matrixOf, rowsOf: (head: number) => matrixOf(head).to2DArray() };
}

function fewOf(count: number): string {
  return count === 0 ? 'None of the numbers is' : `Only ${count} of the numbers ${count === 1 ? 'is' : 'are'}`;
}

function dimensionsOf(x: readonly number[], rows: readonly (readonly number[])[]): readonly FittedDimension[] {
  return (rows[0] ?? []).map((_, dimension) => {
    const y = rows.map(row => row[dimension] ?? 0);
    const line = fittedLine(x, y);
    return { ...line, explained: explainedShare(y, x.map(value => onLine(line, value))) };
  });
}

function termsOf(config: ModelConfig, queries: readonly Line[], keys: readonly Line[]): ScoreTerms {
  const sum = (term: (query: Line, key: Line) => number) =>
    scoreScale(config) * queries.reduce((total, query, dimension) => total + term(query, keys[dimension] ?? { slope: 0, intercept: 0 }), 0);
  return {
    both: sum((query, key) => query.slope * key.slope),
    key: sum((query, key) => query.intercept * key.slope),
    query: sum((query, key) => query.slope * key.intercept),
    constant: sum((query, key) => query.intercept * key.intercept),
  };
}

/** The score of the number x at the key and y at the query; y is 0 where the query is always the same. */
export function scoreOf({ both, key, query, constant }: ScoreTerms, x: number, y: number): number {
  return both * x * y + key * x + query * y + constant;
}
