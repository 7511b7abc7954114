import { isDeepStrictEqual } from 'node:util';
import { messageOf, UserError } from '../common/errors';
import { Emitter } from '../common/event';
import type { Disposable } from '../common/lifetime';
import type { Device, ExperimentText, ModelControl } from '../protocol/engine';
import type { ModelSummary } from '../protocol/model';
import type { Checkpoint } from '../protocol/trainer';
import { idOf, type ModelRecord } from '../store/modelRecord';
import type { Store } from '../store/store';
import { removeUnusedSnapshots } from '../store/taskSnapshots';
import { applyOverrides, readExperiment, type NamedModels, type PreparedExperiment } from '../training/experiment';
import { checkBreakpoints } from './breakpointProblems';
import { checkDuration } from './duration';
import { Origins } from './origins';
import { checkOrigin } from './originWeights';
import { Run } from './run';
import { TrainerProcess, type TrainerEnd } from './trainerProcess';
import { Turns } from './turns';
import { checkTrainedHere } from './untrainedModels';
import { versions } from './versions';

export interface RunSettings {
  /** The trainer's bundle. */
  readonly trainer: string;
  readonly device: Device;
  readonly threads: number;
  /** Whether runs give way to the other processes of the machine. */
  readonly background: boolean;
  readonly log: (message: string) => void;
}

export interface TrainOrder extends ExperimentText {
  readonly seed?: number;
  readonly steps?: number;
  readonly set?: readonly string[];
  /** Replaces what was trained before. */
  readonly retrain?: boolean;
  /** In place of the one in the settings. */
  readonly device?: Device;
  /** In place of those in the settings. */
  readonly threads?: number;
  /** Whether it is trained even where that takes days. */
  readonly force?: boolean;
  /** Whether it passes its breakpoints by; for those that wait for its end, with nobody there to let it go on. */
  readonly ignoreBreakpoints?: boolean;
}

/** How a run goes, where it is not as the settings say. */
type Manner = Pick<TrainOrder, 'device' | 'threads' | 'ignoreBreakpoints'>;

/** Looks at the checkpoints of runs, which hold there meanwhile. */
export interface CheckpointWatch {
  /** A run is about to start; whether it holds at its checkpoints. */
  starts(record: ModelRecord): boolean;
  /** A run holds at a checkpoint until it is let go on from there, or paused there. Never rejects. */
  look(run: Run, checkpoint: Checkpoint): Promise<void>;
  /** A run has ended. */
  ended(run: Run): void;
}

export interface TrainOutcome {
  readonly id: string;
  /** Whether it had been trained before, whole or in part, and was only opened. */
  readonly cached: boolean;
  /** The run that was started, or that goes on here already. */
  readonly run?: Run;
}

/** The training runs of this process: one trainer process each. */
export class Runs implements Disposable {
  private readonly running = new Map<string, Run>();
  /** Models that are being made, removed or started just now: one of these at a time. */
  private readonly turns = new Turns();
  private readonly changes = new Emitter<string>();
  private disposed = false;
  private watch: CheckpointWatch | undefined;
  private readonly ends = new Emitter<{ readonly name: string; readonly end: TrainerEnd }>();
  /** Tells the id of a model whose run has changed, often. */
  readonly onChange = this.changes.event;
  /** Tells how a run ended. */
  readonly onEnd = this.ends.event;

  constructor(private readonly store: Store, private readonly settings: RunSettings, readonly origins = new Origins(store)) {}

  /** From now on the checkpoints of runs that start are looked at. */
  watchCheckpoints(watch: CheckpointWatch): void {
    this.watch = watch;
  }

  get(id: string): Run | undefined {
    return this.running.get(id);
  }

  /** A stored summary, with what a run that goes on here has told since. */
  overlaid(summary: ModelSummary): ModelSummary {
    return this.running.get(summary.id)?.overlay(summary) ?? summary;
  }

  /** What to show of a model. */
  async summary(record: ModelRecord): Promise<ModelSummary> {
    return this.overlaid(await this.store.summary(record));
  }

  /** What to show of every model, newest first. */
  async summaries(): Promise<readonly ModelSummary[]> {
    return (await this.store.summaries()).map(summary => this.overlaid(summary));
  }

  /**
   * Trains an experiment, unless there is a model of it already that can be opened or resumed.
   * @throws UserError one sentence for each thing that is wrong with the experiment; or when the training cannot start.
   * UntrainedOriginError when it starts from a model that is not trained yet; TooLongError when it would take too long here.
   */
  async train(order: TrainOrder): Promise<TrainOutcome> {
    const experiment = experimentOf(order, await this.origins.lookUp(order));
    const id = idOf(experiment.resolved);
    return this.turns.alone(id, async () => {
      const there = await this.existing(id);
      if (there && !order.retrain) {
        const run = this.running.get(id);
        const { status, resumable } = await this.summary(there);
        if (run || status === 'finished' || status === 'training' || status === 'paused') return { id, cached: true, ...(run && { run }) };
        if (resumable) {
          if (!order.ignoreBreakpoints) await this.takeBreakpoints(there, experiment);
          return { id, cached: true };
        }
        // What failed, or was interrupted, before its first checkpoint has nothing that a new start could lose.
      }
      if (!order.ignoreBreakpoints) checkBreakpoints(experiment);
      if (!order.force) await checkDuration(experiment, this.placeOf(order));
      return { id, cached: false, run: await this.startAfresh(experiment, there, order) };
    });
  }

  /**
   * Sees to it that all that experiments start from is there, before any of those that have no model yet is started.
   * @throws UntrainedOriginError for the first that is not.
   */
  async checkOrigins(experiments: readonly PreparedExperiment[]): Promise<void> {
    for (const task of new Map(experiments.map(({ resolved: { task } }) => [task.module, task])).values()) await this.origins.modules?.keep(task);
    const checked = new Set<string>();
    for (const { resolved: { name }, origin, resolved } of experiments) {
      if (!origin || (await this.store.has(idOf(resolved)))) continue;
      const key = JSON.stringify([origin.id, origin.checkpoint]);
      if (!checked.has(key)) await checkOrigin(this.store, name, origin);
      checked.add(key);
    }
  }

  async control(id: string, action: ModelControl): Promise<void> {
    switch (action) {
      case 'stop': return this.here(id, await this.store.read(id)).stop();
      case 'pause': return this.here(id, await this.store.read(id)).setPaused(true);
      case 'resume': await this.resume(id); return;
      case 'step': return this.here(id, await this.store.read(id)).step();
      case 'retrain': await this.retrain(id); return;
      case 'delete': return this.remove(id);
      default: action satisfies never;
    }
  }

  /** Lets a paused run go on, or starts a process that goes on from the newest checkpoint. */
  async resume(id: string, manner: Manner = {}): Promise<Run> {
    return this.turns.alone(id, async () => {
      const run = this.running.get(id);
      if (run) {
        await run.setPaused(false);
        return run;
      }
      const record = await this.store.read(id);
      checkTrainedHere(record, 'training to resume');
      const { status, resumable } = await this.store.summary(record);
      if (status === 'finished') throw new UserError(`"${record.name}" is trained to its end; there is nothing to resume.`);
      if (status === 'training' || status === 'paused') throw elsewhere(record);
      if (!resumable) throw new UserError(`"${record.name}" has no checkpoint to resume from; train it again.`);
      return this.start(record, manner);
    });
  }

  /** What can be resumed stops where its experiment says now; where that says nothing, where it was told to before. */
  private async takeBreakpoints({ id, experiment }: ModelRecord, now: PreparedExperiment): Promise<void> {
    const { breakpoints } = now.resolved;
    if (!breakpoints || isDeepStrictEqual(breakpoints, experiment.breakpoints)) return;
    checkBreakpoints(now);
    await this.store.update(id, { experiment: { ...experiment, breakpoints } });
  }

  private async retrain(id: string): Promise<void> {
    await this.turns.alone(id, async () => {
      const record = await this.store.read(id);
      checkTrainedHere(record, 'training to do again');
      await this.startAfresh({ resolved: record.experiment, config: record.config }, record);
    });
  }

  private async remove(id: string): Promise<void> {
    await this.running.get(id)?.stop();
    await this.turns.alone(id, () => this.store.remove(id));
    await removeUnusedSnapshots(this.store.folder);
  }

  /** Stops every run and waits until each has kept what it has. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.running.values()].map(run => run.stop()));
  }

  /** Lets go of the trainer processes; they end by themselves and leave their models resumable. */
  dispose(): void {
    this.disposed = true;
    for (const run of this.running.values()) run.dispose();
    this.changes.dispose();
    this.ends.dispose();
  }

  private async existing(id: string): Promise<ModelRecord | undefined> {
    return (await this.store.has(id)) ? this.store.read(id) : undefined;
  }

  private async startAfresh(
    { resolved, config, origin }: Pick<PreparedExperiment, 'resolved' | 'config' | 'origin'>,
    before: ModelRecord | undefined,
    manner?: Manner,
  ): Promise<Run> {
    if (before && this.running.has(before.id)) throw new UserError(`"${before.name}" is being trained; stop it before it is trained again.`);
    const from = origin ?? resolved.from;
    if (from) await checkOrigin(this.store, resolved.name, from);
    await this.origins.modules?.checkRunnable(resolved.task);
    await this.origins.modules?.keep(resolved.task);
    const record: ModelRecord = {
      format: 1,
      id: before?.id ?? idOf(resolved),
      name: before?.name ?? resolved.name,
      experiment: resolved,
      config,
      status: 'training',
      progress: { step: 0, steps: resolved.training.steps },
      metrics: {},
      createdAt: Date.now(),
      versions,
    };
    await this.store.create(record, { replace: before !== undefined });
    return this.start(record, manner);
  }

  private placeOf({ device = this.settings.device, threads = this.settings.threads }: Manner): Required<Pick<Manner, 'device' | 'threads'>> {
    return { device, threads };
  }

  private async start(record: ModelRecord, manner: Manner = {}): Promise<Run> {
    if (this.disposed) throw new UserError('The engine is ending.');
    await this.origins.modules?.checkRunnable(record.experiment.task);
    const { device, threads } = this.placeOf(manner);
    const { id, name, progress, metrics } = record;
    const { trainer: file, background } = this.settings;
    const log = (message: string) => this.settings.log(`${name}: ${message}`);
    const watched = !manner.ignoreBreakpoints && (this.watch?.starts(record) ?? false);
    const trainer = new TrainerProcess(file, {
      kind: 'start', store: this.store.folder, model: id, device, threads, background, parent: process.pid, watched,
    }, log);
    trainer.onMessage(message => message.kind === 'log' && log(message.message));
    const run: Run = new Run(id, trainer, { progress, metrics }, trainer.ended.then(end => this.settle(run, name, end)));
    this.running.set(id, run);
    run.onChange(() => this.changes.fire(id));
    run.onCheckpoint(checkpoint => void this.watch?.look(run, checkpoint));
    await run.started();
    return run;
  }

  /** Puts right what a trainer that ended without a word left in the store. */
  private async settle(run: Run, name: string, end: TrainerEnd): Promise<TrainerEnd> {
    const { id, hasBegun } = run;
    this.running.delete(id);
    this.watch?.ended(run);
    if (this.disposed) return end;
    this.ends.fire({ name, end });
    try {
      if (end.silent && hasBegun) await this.store.removeLock(id);
      // Still locked, it is another process' model: that is why the run did not begin.
      if (await this.store.isLocked(id)) return end;
      const { status } = await this.store.read(id);
      if (end.silent || status !== end.status) await this.store.update(id, { status: end.status, problem: end.problem });
    } catch (error) {
      this.settings.log(`${name}: how it ended could not be kept: ${messageOf(error)}`);
    }
    return end;
  }

  private here(id: string, record: ModelRecord): Run {
    const run = this.running.get(id);
    if (run) return run;
    throw record.status === 'training' || record.status === 'paused' ? elsewhere(record) : new UserError(`"${record.name}" is not being trained.`);
  }
}

/** The experiment of an order. @throws UserError with one sentence, on a line of its own, for each problem. */
export function experimentOf({ text, seed, steps, set }: TrainOrder, named?: NamedModels): PreparedExperiment {
  const changed = applyOverrides(text, { ...(seed !== undefined && { seed }), ...(steps !== undefined && { steps }), ...(set && { set }) });
  const reading = readExperiment(changed, named);
  if (!reading.ok) throw new UserError(reading.problems.map(({ message }) => message).join('\n'));
  return reading.experiment;
}

function elsewhere({ name }: ModelRecord): UserError {
  return new UserError(`"${name}" is being trained by another process; stop it there.`);
}
