import { formatDecisively } from '../../common/numbers';
import { textTable } from '../../common/textTable';
import { holds, parseBound, type ClaimOutcome } from '../../protocol/claim';
import type { Verification } from '../../protocol/engine';

/** What became of claims, as a terminal shows it. */
export function verificationText(verifications: readonly Verification[]): string {
  const claims = verifications.flatMap(verification => verification.claims);
  const held = claims.filter(claim => claim.ok).length;
  return [
    ...verifications.map(experimentText),
    ...(claims.length === 0 ? [] : [`${held} of ${claims.length} ${claims.length === 1 ? 'claim holds' : 'claims hold'}.`]),
  ].join('\n\n');
}

function experimentText({ name, id, seed, claims, problem }: Verification): string {
  const title = `${name} (${id}), seed ${seed}`;
  // Where it has kept some claims alone from being measured, it stands beside them.
  if (problem !== undefined && claims.every(claim => claim.problem === problem)) return `${title}\n✗ ${problem}`;
  if (claims.length === 0) return `${title}\nThis experiment makes no claims, so there is nothing to verify.`;
  const isOfOthers = claims.some(({ of }) => of !== undefined);
  return `${title}\n${textTable(columns.filter(column => column !== ofColumn || isOfOthers), claims)}`;
}

const ofColumn = { title: 'of', value: ({ of = '', model }: ClaimOutcome) => (model === undefined ? of : `${of} (${model})`) };
const columns = [
  { title: '', value: ({ ok }: ClaimOutcome) => (ok ? '✓' : '✗') },
  { title: 'claim', value: ({ claim }: ClaimOutcome) => claim },
  ofColumn,
  { title: 'measured', numeric: true, value: measuredText },
  { title: 'expected', value: ({ expect }: ClaimOutcome) => expect.trim() },
  { title: 'found', value: ({ finding, problem }: ClaimOutcome) => problem ?? finding ?? '' },
];

/** A measured number with as many digits as it takes to see whether the claim holds. */
export function measuredText({ measured, expect }: Pick<ClaimOutcome, 'measured' | 'expect'>): string {
  const bound = parseBound(expect);
  return measured === null ? '–' : formatDecisively(measured, value => holds(bound, value));
}
