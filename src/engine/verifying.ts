import { CancelledError, messageOf, throwIfCancelled, UserError } from '../common/errors';
import type { ClaimOutcome } from '../protocol/claim';
import type { IndexedOutcome, Verification, VerifyRequest } from '../protocol/engine';
import type { Claim, ExperimentProblem } from '../protocol/experiment';
import type { ResolvedExperiment } from '../protocol/model';
import type { SweepDetails } from '../protocol/sweep';
import { idOf } from '../store/modelRecord';
import type { NamedModels, PreparedExperiment } from '../training/experiment';
import { hasSweep } from '../training/sweep';
import { claimProblems, unmeasured, verifyClaims } from './claims';
import type { Engine } from './engine';
import { sweepClaimProblems } from './experimentProblems';
import { FailedError } from './failure';
import { experimentOf, type TrainOrder } from './runs';
import { sweepOf } from './sweeps';
import { sweepToEnd, trainOrigins, trainToEnd, type TrainingWatch } from './trainToEnd';

/** One model, and the claims about it. */
interface Claimed {
  readonly experiment: PreparedExperiment;
  /** Of each of its claims, the place among those of the file. */
  readonly claimsAt: readonly number[];
  /** What trains it. */
  readonly order: TrainOrder;
}

/** An experiment whose claims are to be measured, read. */
export interface ClaimedExperiment {
  readonly order: TrainOrder;
  /** The experiment's own model, or those of the runs of its sweep. */
  readonly models: readonly Claimed[];
  readonly isSweep: boolean;
  /** The other experiments that its claims are about. */
  readonly named: NamedModels;
  /** What is wrong with its claims. */
  readonly problems: readonly ExperimentProblem[];
}

export interface VerifyWatch extends TrainingWatch {
  /** An analysis of the model is run, by its title. */
  measuring(model: Pick<Verification, 'name' | 'id'>, analysis: string): void;
  measured(model: Pick<Verification, 'name' | 'id'>, outcome: IndexedOutcome): void;
  /** What keeps claims from being measured, which becomes their problem; thrown again, it ends the verification. */
  failed(error: unknown): void;
}

/** Reads an experiment with its claims; of one with a sweep each of its runs, however many. @throws UserError a sentence for each thing that is wrong with the experiment. */
export async function readClaimed(engine: Pick<Engine, 'runs'>, order: TrainOrder): Promise<ClaimedExperiment> {
  const named = await engine.runs.origins.lookUp(order);
  if (!hasSweep(order.text)) {
    const experiment = experimentOf(order, named);
    const models = [{ experiment, claimsAt: [...experiment.claims.keys()], order }];
    return { order, named, models, isSweep: false, problems: claimProblems(experiment, named) };
  }
  const sweep = sweepOf({ ...order, confirmed: true }, named);
  // Its changes are in the runs' own texts.
  const { seed: _seed, steps: _steps, set: _set, ...rest } = order;
  const models = sweep.runs.map(({ experiment, claimsAt, text }) => ({ experiment, claimsAt, order: { ...rest, text } }));
  return { order, named, models, isSweep: true, problems: sweepClaimProblems(sweep, named) };
}

/**
 * Measures claims, each on the model that it is about: one verification, or one for each run of a sweep. Where `train` says
 * so, what is not trained is trained to its end, and what was stopped goes on. What keeps one claim from being measured is
 * its problem, and no other's.
 * @throws UserError for a claim that there is not; CancelledError; what `failed` throws; and what keeps a sweep from starting
 */
export async function verifyClaimed(engine: Engine, claimed: ClaimedExperiment, asked: Asked, watch: VerifyWatch): Promise<readonly Verification[]> {
  const models = chosen(claimed, asked.claims);
  // Where nothing is claimed, nothing needs to be trained.
  if (models.every(({ claimsAt }) => claimsAt.length === 0)) return models.map(({ experiment }) => ({ ...about(experiment), claims: [] }));
  const verifying = { engine, claimed, asked, watch, trained: asked.train ? trainingOf(engine, claimed, models, asked, watch) : checkTrained };
  const verifications: Verification[] = [];
  for (const model of models) verifications.push(await verifyModel(verifying, model));
  return verifications;

  function checkTrained({ experiment }: Claimed): Promise<void> {
    return checkIsTrained(engine, experiment.resolved, asked.checkpoint);
  }
}

/** What is asked of an experiment's claims. */
type Asked = Pick<VerifyRequest, 'claims' | 'checkpoint' | 'train'>;

interface Verifying {
  readonly engine: Engine;
  readonly claimed: ClaimedExperiment;
  readonly asked: Asked;
  readonly watch: VerifyWatch;
  /** Sees to it that a model is there to be measured. @throws what keeps it from that */
  readonly trained: (model: Claimed) => Promise<void>;
}

/** The models with the claims that are asked for: those that are asked something, or all where nothing is chosen. */
function chosen({ models }: ClaimedExperiment, claims: readonly number[] | undefined): readonly Claimed[] {
  if (!claims) return models;
  const there = new Set(models.flatMap(({ claimsAt }) => claimsAt));
  const missing = claims.find(index => !there.has(index));
  if (missing !== undefined) throw new UserError(`This experiment has no claim ${missing}, counted from 0.`);
  return models.map(({ experiment, claimsAt, order }) => {
    const places = [...experiment.claims.keys()].filter(at => claims.includes(claimsAt[at] ?? at));
    return { order, claimsAt: places.map(at => claimsAt[at] ?? at), experiment: { ...experiment, claims: places.flatMap(at => experiment.claims[at] ?? []) } };
  }).filter(({ claimsAt }) => claimsAt.length > 0);
}

/** Trains the models when the first of them is needed: all runs of a sweep together, and of some runs each in its turn. */
function trainingOf(engine: Engine, { order, models: all, isSweep }: ClaimedExperiment, models: readonly Claimed[], { checkpoint }: Asked, watch: VerifyWatch): Verifying['trained'] {
  const { force } = order;
  if (!isSweep || models.length < all.length) {
    return async ({ experiment, order }) => {
      if (checkpoint !== undefined && (await hasCheckpoint(engine, idOf(experiment.resolved), checkpoint))) return;
      // A run of a sweep names what it starts from by its id alone, which says nothing before that is trained.
      if (isSweep) await trainOrigins(engine, [experiment], order, watch);
      await trainedToEnd(engine, order, watch);
    };
  }
  let sweep: Promise<SweepDetails> | undefined;
  return async ({ experiment }) => {
    sweep ??= sweepToEnd(engine, { ...order, confirmed: true, options: { executor: 'local', parallel: 0, ...(force && { force }) } }, watch);
    const { rows, problem } = await sweep;
    throwIfCancelled(watch.signal);
    const row = rows.find(({ model }) => model === idOf(experiment.resolved));
    if (row?.status !== 'finished') throw new FailedError(row?.problem ?? problem ?? 'The run did not come to its end.');
  };
}

async function trainedToEnd(engine: Engine, order: TrainOrder, watch: TrainingWatch): Promise<string> {
  throwIfCancelled(watch.signal);
  const { id } = await trainToEnd(engine, order, watch);
  throwIfCancelled(watch.signal);
  const { name, status, progress: { step, steps } } = await engine.model(id);
  if (status !== 'finished') throw new FailedError(`"${name}" was stopped at step ${step} of ${steps}.`);
  return id;
}

/** @throws UserError for a model that is not trained to its end, or as far as the checkpoint. */
async function checkIsTrained(engine: Engine, resolved: ResolvedExperiment, checkpoint?: number): Promise<void> {
  const id = idOf(resolved);
  if (!(await engine.store.has(id))) throw new UserError(`"${resolved.name}"${resolved.seed === 0 ? '' : ` (seed ${resolved.seed})`} is not trained yet.`);
  if (checkpoint !== undefined && (await hasCheckpoint(engine, id, checkpoint))) return;
  const { name, status, progress: { step, steps } } = await engine.model(id);
  if (status !== 'finished') throw new UserError(`"${name}" is not trained to its end yet: it is at step ${step} of ${steps}.`);
}

async function hasCheckpoint({ store }: Engine, id: string, step: number): Promise<boolean> {
  return (await store.has(id)) && (await store.checkpoints(id)).includes(step);
}

function about({ resolved }: PreparedExperiment): Pick<Verification, 'name' | 'id' | 'seed'> {
  return { name: resolved.name, id: idOf(resolved), seed: resolved.seed };
}

/** Measures what can be measured of a model's claims. */
async function verifyModel(verifying: Verifying, { experiment, claimsAt, order }: Claimed): Promise<Verification> {
  const { engine, claimed: { named, problems }, asked: { checkpoint }, watch, trained } = verifying;
  const model = about(experiment);
  const outcomes: IndexedOutcome[] = [];
  const settle = (at: number, outcome: ClaimOutcome) => {
    const indexed = { index: claimsAt[at] ?? at, ...outcome };
    outcomes.push(indexed);
    watch.measured(model, indexed);
  };
  const wrong = problems.length === 0 ? [] : claimProblems(experiment, named);
  const places = [...experiment.claims.entries()].map(([at, claim]) => ({ at, claim, wrong: wrong.filter(({ path }) => path[1] === at) }));
  for (const { at, claim, wrong } of places) {
    if (wrong.length > 0) settle(at, unmeasured(claim, claim, wrong.map(({ message }) => message).join(' ')));
  }
  const sound = places.filter(({ wrong }) => wrong.length === 0);
  const inOrder = () => [...outcomes].sort((a, b) => a.index - b.index);
  if (sound.length === 0 && places.length > 0) return { ...model, claims: inOrder() };
  try {
    await trained({ experiment, claimsAt, order });
    throwIfCancelled(watch.signal);
    const others = await othersOf(verifying, sound.map(({ claim }) => claim), model.seed);
    await verifyClaims(engine.analyses, model.id, sound.map(({ claim }) => claim), {
      signal: watch.signal,
      others,
      ...(checkpoint !== undefined && { checkpoint }),
      onRun: ({ title }) => watch.measuring(model, title),
      onOutcome: (outcome, place) => settle(sound[place]?.at ?? place, outcome),
    });
    return { ...model, claims: inOrder() };
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    watch.failed(error);
    const problem = messageOf(error);
    const known = new Set(outcomes.map(({ index }) => index));
    for (const { at, claim } of sound) if (!known.has(claimsAt[at] ?? at)) settle(at, unmeasured(claim, claim, problem));
    return { ...model, problem, claims: inOrder() };
  }
}

/** The models of the other experiments that claims are about, or what keeps one from being there. */
async function othersOf({ engine, claimed: { named, order: { force } }, asked: { train }, watch }: Verifying, claims: readonly Claim[], seed: number): Promise<ReadonlyMap<string, string | UserError>> {
  const others = new Map<string, string | UserError>();
  for (const of of new Set(claims.flatMap(claim => claim.of ?? []))) {
    try {
      const { experiment: { resolved }, source } = named.other(of, seed);
      if (train) await trainedToEnd(engine, { ...source, ...(force && { force }) }, watch);
      else await checkIsTrained(engine, resolved);
      others.set(of, idOf(resolved));
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      watch.failed(error);
      others.set(of, new UserError(messageOf(error)));
    }
  }
  return others;
}
