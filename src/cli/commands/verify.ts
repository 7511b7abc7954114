import { CancelledError, messageOf, throwIfCancelled, UserError } from '../../common/errors';
import { claimProblems, unmeasured, verifyClaims } from '../../engine/claims';
import type { Engine } from '../../engine/engine';
import { sweepClaimProblems } from '../../engine/experimentProblems';
import { experimentOf, type TrainOrder } from '../../engine/runs';
import { sweepOf, type SweepOrder } from '../../engine/sweeps';
import { holds, parseBound, type ClaimOutcome } from '../../protocol/claim';
import type { Device } from '../../protocol/engine';
import type { ExperimentProblem } from '../../protocol/experiment';
import { idOf } from '../../store/modelRecord';
import type { NamedModels, PreparedExperiment } from '../../training/experiment';
import { hasSweep } from '../../training/sweep';
import { formatDecisively } from '../numbers';
import { answer, explain, FailedAnswer, FailedError } from '../output';
import { printable } from '../printable';
import { withEngine, type CommonOptions, type Session } from '../session';
import { sweepToEnd } from '../sweeping';
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
 * claim; of an experiment with a sweep, those of each of its runs. Whatever is wrong with an experiment or its claims is
 * said before anything is trained.
 */
export async function verify(session: Session, references: readonly string[], options: VerifyOptions): Promise<void> {
  await withEngine(session, options, async engine => {
    const experiments = await readAll(engine, references, options);
    const verifications: Verification[] = [];
    for (const experiment of experiments) verifications.push(...(await verifyOne(session, engine, experiment)));
    answer(session.output, { experiments: verifications }, () => verificationText(verifications));
    if (!verifications.every(hasHeld)) throw new FailedAnswer();
  }, options.device === undefined ? {} : { device: options.device });
}

/** Claims are to be checked of every run, however many there are. */
type ClaimedOrder = TrainOrder & Required<Pick<SweepOrder, 'confirmed'>>;

/** An experiment whose claims are to be checked, read and found right. */
interface Ordered {
  readonly order: ClaimedOrder;
  /** The experiment itself, or, where it has a sweep, each of its runs. */
  readonly experiments: readonly PreparedExperiment[];
  readonly isSweep: boolean;
  /** The other experiments that its claims are about. */
  readonly named: NamedModels;
}

/** @throws UserError a sentence for each thing that is wrong, in any of them. */
async function readAll(engine: Engine, references: readonly string[], changes: ExperimentChanges): Promise<readonly Ordered[]> {
  const read: Ordered[] = [];
  const problems: string[] = [];
  for (const reference of references) {
    try {
      read.push(await readOne(engine, { ...(await orderOf(engine, reference, changes)), confirmed: true }));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.message.split('\n').map(line => (references.length > 1 ? `${reference}: ${line}` : line)));
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return read;
}

async function readOne(engine: Engine, order: ClaimedOrder): Promise<Ordered> {
  const named = await engine.runs.origins.lookUp(order);
  if (hasSweep(order.text)) {
    const sweep = sweepOf(order, named);
    throwProblems(sweepClaimProblems(sweep, named));
    const experiments = sweep.runs.map(({ experiment }) => experiment);
    checkChanges(order, experiments);
    return { order, named, experiments, isSweep: true };
  }
  const experiment = experimentOf(order, named);
  throwProblems(claimProblems(experiment, named));
  checkChanges(order, [experiment]);
  return { order, named, experiments: [experiment], isSweep: false };
}

/** @throws UserError where a change of the experiment would leave the others that its claims are about as they are. */
function checkChanges({ steps, set = [] }: TrainOrder, experiments: readonly PreparedExperiment[]): void {
  const isOfModel = (pair: string) => !/^claims[.=]/.test(pair);
  const changes = [...(steps === undefined ? [] : ['--steps']), ...(set.some(isOfModel) ? ['--set'] : [])];
  const others = new Set(experiments.flatMap(({ claims }) => claims.flatMap(({ of }) => of ?? [])));
  if (changes.length === 0 || others.size === 0) return;
  const [what, change] = [changes.join(' and '), changes.length > 1 ? 'change' : 'changes'];
  const named = [...others].map(other => `"${other}"`).join(' and ');
  throw new UserError(`${what} ${change} this experiment alone, and not ${named}, which some of its claims are about; make the change in a copy of the file without those claims.`);
}

function throwProblems(problems: readonly ExperimentProblem[]): void {
  if (problems.length > 0) throw new UserError(problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
}

/** One verification, or one for each run of a sweep. */
async function verifyOne(session: Session, engine: Engine, { order, named, experiments, isSweep }: Ordered): Promise<readonly Verification[]> {
  if (experiments.every(({ claims }) => claims.length === 0)) return experiments.map(experiment => ({ ...about(experiment), claims: [] }));
  const others = (experiment: PreparedExperiment) => trainOthers(session, engine, order, experiment, named);
  if (!isSweep) return Promise.all(experiments.map(experiment => checkClaims(session, engine, experiment, () => trainToEnd(session, engine, order, true), others)));
  const { rows, problem } = await sweepToEnd(session, engine, { ...order, options: { executor: 'local', parallel: 0, ...(order.force && { force: true }) } });
  const verifications: Verification[] = [];
  for (const experiment of experiments) {
    const { id } = about(experiment);
    verifications.push(await checkClaims(session, engine, experiment, () => {
      throwIfCancelled(session.interrupted);
      const row = rows.find(({ model }) => model === id);
      if (row?.status !== 'finished') throw new FailedError(row?.problem ?? problem ?? 'The run did not come to its end.');
    }, others));
  }
  return verifications;
}

/** Trains the other experiments that claims are about; what keeps one from being trained stands in its place. */
async function trainOthers(
  session: Session, engine: Engine, { force }: TrainOrder, { claims, resolved: { seed } }: PreparedExperiment, named: NamedModels,
): Promise<ReadonlyMap<string, string | UserError>> {
  const others = new Map<string, string | UserError>();
  for (const of of new Set(claims.flatMap(claim => claim.of ?? []))) {
    try {
      const { id } = await trainToEnd(session, engine, { ...named.other(of, seed).source, ...(force && { force }) }, true);
      throwIfCancelled(session.interrupted);
      others.set(of, id);
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      explain(session.output, error);
      others.set(of, new UserError(messageOf(error)));
    }
  }
  return others;
}

/** Checks the claims of an experiment once `trained` has seen to its model, and `others` to those of other experiments. */
async function checkClaims(
  session: Session,
  engine: Engine,
  experiment: PreparedExperiment,
  trained: () => unknown,
  others: (experiment: PreparedExperiment) => Promise<ReadonlyMap<string, string | UserError>>,
): Promise<Verification> {
  const { resolved: { name }, claims } = experiment;
  const { id } = about(experiment);
  try {
    await trained();
    throwIfCancelled(session.interrupted);
    const onRun = ({ title }: { readonly title: string }) => void session.output.err.write(printable(`${name}: ${title}…`) + '\n');
    return { ...about(experiment), claims: await verifyClaims(engine.analyses, id, claims, { signal: session.interrupted, others: await others(experiment), onRun }) };
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    // What keeps one experiment from being verified keeps no other from it.
    explain(session.output, error);
    const problem = messageOf(error);
    return { ...about(experiment), problem, claims: claims.map(claim => unmeasured(claim, claim, problem)) };
  }
}

function about({ resolved }: PreparedExperiment): Pick<Verification, 'name' | 'id' | 'seed'> {
  return { name: resolved.name, id: idOf(resolved), seed: resolved.seed };
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

function measuredText({ measured, expect }: ClaimOutcome): string {
  const bound = parseBound(expect);
  return measured === null ? '–' : formatDecisively(measured, value => holds(bound, value));
}
