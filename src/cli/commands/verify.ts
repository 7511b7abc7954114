import { CancelledError, messageOf, throwIfCancelled, UserError } from '../../common/errors';
import { claimProblems, unmeasured, verifyClaims } from '../../engine/claims';
import type { Engine } from '../../engine/engine';
import { experimentOf, type TrainOrder } from '../../engine/runs';
import { holds, parseBound, type ClaimOutcome } from '../../protocol/claim';
import type { Device } from '../../protocol/engine';
import { idOf } from '../../store/modelRecord';
import type { PreparedExperiment } from '../../training/experiment';
import { formatDecisively } from '../numbers';
import { answer, explain, FailedAnswer } from '../output';
import { printable } from '../printable';
import { withEngine, type CommonOptions, type Session } from '../session';
import { textTable } from '../table';
import { orderOf, trainToEnd, type ExperimentChanges } from '../training';

export interface VerifyOptions extends CommonOptions, ExperimentChanges {
  readonly device?: Device;
}

interface Verification {
  readonly name: string;
  readonly id: string;
  readonly seed: number;
  readonly claims: readonly ClaimOutcome[];
  /** Why there is no trained model to measure on. */
  readonly problem?: string;
}

/**
 * `circuits verify EXPERIMENT…`: trains what is not trained to its end, going on with what was stopped, and checks every
 * claim. Whatever is wrong with an experiment or its claims is said before anything is trained.
 */
export async function verify(session: Session, references: readonly string[], options: VerifyOptions): Promise<void> {
  await withEngine(session, options, async engine => {
    const experiments = await readAll(engine, references, options);
    const verifications: Verification[] = [];
    for (const experiment of experiments) verifications.push(await verifyOne(session, engine, experiment));
    answer(session.output, { experiments: verifications }, () => verificationText(verifications));
    if (!verifications.every(hasHeld)) throw new FailedAnswer();
  }, options.device === undefined ? {} : { device: options.device });
}

interface Ordered {
  readonly order: TrainOrder;
  readonly experiment: PreparedExperiment;
}

/** @throws UserError a sentence for each thing that is wrong, in any of them. */
async function readAll(engine: Engine, references: readonly string[], changes: ExperimentChanges): Promise<readonly Ordered[]> {
  const read: Ordered[] = [];
  const problems: string[] = [];
  for (const reference of references) {
    try {
      read.push(await readOne(engine, reference, changes));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.message.split('\n').map(line => (references.length > 1 ? `${reference}: ${line}` : line)));
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return read;
}

async function readOne(engine: Engine, reference: string, changes: ExperimentChanges): Promise<Ordered> {
  const order = await orderOf(engine, reference, changes);
  const experiment = experimentOf(order);
  const problems = claimProblems(experiment);
  if (problems.length > 0) throw new UserError(problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  return { order, experiment };
}

async function verifyOne(session: Session, engine: Engine, { order, experiment: { resolved, claims } }: Ordered): Promise<Verification> {
  const { name, seed } = resolved;
  const about = { name, id: idOf(resolved), seed };
  if (claims.length === 0) return { ...about, claims: [] };
  try {
    const { id } = await trainToEnd(session, engine, order, true);
    throwIfCancelled(session.interrupted);
    const onRun = ({ title }: { readonly title: string }) => void session.output.err.write(printable(`${name}: ${title}…`) + '\n');
    return { ...about, claims: await verifyClaims(engine.analyses, id, claims, { signal: session.interrupted, onRun }) };
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    // What keeps one experiment from being verified keeps no other from it.
    explain(session.output, error);
    const problem = messageOf(error);
    return { ...about, problem, claims: claims.map(claim => unmeasured(claim.claim, claim, problem)) };
  }
}

function hasHeld({ claims, problem }: Verification): boolean {
  return problem === undefined && claims.every(claim => claim.ok);
}

function verificationText(verifications: readonly Verification[]): string {
  const claims = verifications.flatMap(verification => verification.claims);
  const held = claims.filter(claim => claim.ok).length;
  return [
    ...verifications.map(experimentText),
    ...(claims.length === 0 ? [] : [`${held} of ${claims.length} ${claims.length === 1 ? 'claim holds' : 'claims hold'}.`]),
  ].join('\n\n');
}

function experimentText({ name, id, seed, claims, problem }: Verification): string {
  const title = `${name} (${id}), seed ${seed}`;
  if (problem !== undefined) return `${title}\n✗ ${problem}`;
  if (claims.length === 0) return `${title}\nThis experiment makes no claims, so there is nothing to verify.`;
  return `${title}\n${textTable(columns, claims)}`;
}

const columns = [
  { title: '', value: ({ ok }: ClaimOutcome) => (ok ? '✓' : '✗') },
  { title: 'claim', value: ({ claim }: ClaimOutcome) => claim },
  { title: 'measured', numeric: true, value: measuredText },
  { title: 'expected', value: ({ expect }: ClaimOutcome) => expect.trim() },
  { title: 'found', value: ({ finding, problem }: ClaimOutcome) => problem ?? finding ?? '' },
];

function measuredText({ measured, expect }: ClaimOutcome): string {
  const bound = parseBound(expect);
  return measured === null ? '–' : formatDecisively(measured, value => holds(bound, value));
}
