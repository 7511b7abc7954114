import { UserError } from '../common/errors';
import type { Runtime } from '../compile/runtime';
import type { ParameterValuesByName } from '../model/parameters';
import type { Device } from '../protocol/engine';
import type { Metrics, Progress, ResolvedExperiment } from '../protocol/model';
import type { Checkpoint, FromTrainer, ToTrainer } from '../protocol/trainer';
import { Store } from '../store/store';
import type { PreparedExperiment } from '../training/experiment';
import type { RunHost, RunOutcome, TrainingState } from '../training/run';
import { failureOf } from './failure';
import { readOrigin } from './originWeights';
import { RunRecorder } from './runRecorder';
import type { RunSteering } from './runSteering';
import { moduleReady } from './taskModules/taskModules';

/** Milliseconds between two messages about progress. */
const tellInterval = 100;

export type TrainerStart = Extract<ToTrainer, { kind: 'start' }> & { readonly device: Device };

/** The arithmetic of a run; tests put their own in its place. */
export interface Arithmetic {
  prepare(experiment: ResolvedExperiment): PreparedExperiment;
  openRuntime(start: TrainerStart, prepared: PreparedExperiment): Promise<Runtime>;
  run(prepared: PreparedExperiment, runtime: Runtime, host: RunHost, resumeFrom?: TrainingState, origin?: ParameterValuesByName): Promise<RunOutcome>;
}

/**
 * Trains one model of a store from where it stands to its end, as its only writer, and says how it ended. It never throws:
 * whatever goes wrong is the run's failure, and what was written until then stays.
 */
export async function trainModel(
  start: TrainerStart,
  steering: RunSteering,
  tell: (message: FromTrainer) => void,
  arithmetic: Arithmetic,
): Promise<void> {
  try {
    const store = await Store.open(start.store, message => tell({ kind: 'log', message }));
    const lock = await store.lock(start.model);
    try {
      lock.lost.addEventListener('abort', () => steering.end('interrupted'));
      const status = await new ModelRun(store, start, steering, tell, arithmetic).toEnd(lock.lost);
      // An interrupted run has nobody to say its last word to, or is another process' by now.
      if (status !== 'interrupted') tell({ kind: 'ended', status });
    } finally {
      lock.dispose();
    }
  } catch (error) {
    if (!(error instanceof UserError) && error instanceof Error) tell({ kind: 'log', message: error.stack ?? error.message });
    const { problem, userError } = failureOf(error);
    tell({ kind: 'ended', status: 'failed', problem, userError });
  }
}

/** One run while its model is locked. */
class ModelRun {
  private readonly id: string;
  private toldAt = -Infinity;
  /** How far it has come, whether or not it has been told. */
  private latest: { readonly progress: Progress; readonly metrics: Metrics } | undefined;
  /** The checkpoint that it stands at. */
  private checkpoint: Checkpoint | undefined;

  constructor(
    private readonly store: Store,
    private readonly start: TrainerStart,
    private readonly steering: RunSteering,
    private readonly tell: (message: FromTrainer) => void,
    private readonly arithmetic: Arithmetic,
  ) {
    this.id = start.model;
  }

  async toEnd(lost: AbortSignal): Promise<'finished' | 'stopped' | 'interrupted'> {
    try {
      const outcome = await this.train();
      const status = outcome.status === 'stopped' ? this.steering.endedAs : outcome.status;
      if (lost.aborted) return 'interrupted';
      if (status === 'finished') await this.store.writeWeights(this.id, outcome.state.parameters);
      const { steps } = (await this.store.read(this.id)).progress;
      const progress = { step: outcome.state.step, steps, secondsPerStep: outcome.secondsPerStep };
      await this.store.update(this.id, { status, progress, metrics: outcome.metrics, problem: undefined });
      this.tell({ kind: 'progress', progress, metrics: outcome.metrics });
      return status;
    } catch (error) {
      if (lost.aborted) return 'interrupted';
      // A full disk, or a folder that is gone, may take this no more than what failed before.
      const { problem, source } = failureOf(error);
      await this.store.update(this.id, { ...this.latest, status: 'failed', problem, ...(source && { problemSource: source }) }).catch(() => undefined);
      throw error;
    }
  }

  private async train(): Promise<RunOutcome> {
    const record = await this.store.read(this.id);
    this.tell({ kind: 'progress', progress: record.progress, metrics: record.metrics });
    await moduleReady(this.store.folder, record.experiment.task);
    const prepared = this.arithmetic.prepare(record.experiment);
    const { resumable } = await this.store.summary({ ...record, status: 'interrupted' });
    const resumeFrom = resumable ? await this.store.readCheckpoint(this.id) : undefined;
    const { from } = record.experiment;
    const origin = from && !resumeFrom ? (await readOrigin(this.store, from)).weights : undefined;
    const step = resumeFrom?.step ?? 0;
    if (resumeFrom) this.checkpoint = { step, isNew: false };
    await this.store.rewind(this.id, step);
    // The row of the step itself is measured when the run goes on from it.
    await this.store.truncateMetrics(this.id, step - 1);
    await this.store.update(this.id, { status: 'training', problem: undefined });

    const runtime = await this.arithmetic.openRuntime(this.start, prepared);
    const recorder = new RunRecorder({
      appendMetrics: rows => this.store.appendMetrics(this.id, rows),
      writeCheckpoint: state => this.store.writeCheckpoint(this.id, state),
      update: async changes => {
        await this.store.update(this.id, changes);
      },
    }, () => this.steering.end('stopped'));
    try {
      const outcome = await this.arithmetic.run(prepared, runtime, this.host(recorder), resumeFrom, origin);
      await recorder.flush();
      return outcome;
    } catch (error) {
      // Why nothing could be written says more than that the run was stopped because of it.
      await recorder.flush();
      throw error;
    } finally {
      recorder.dispose();
      runtime.dispose();
    }
  }

  private host(recorder: RunRecorder): RunHost {
    return {
      signal: this.steering.signal,
      // The last checkpoint of a run has no step after it: it is never held at.
      ready: () => {
        const { checkpoint } = this;
        this.checkpoint = undefined;
        const look = checkpoint && this.steering.arrive(checkpoint);
        return checkpoint && look ? this.hold(checkpoint, look, recorder) : this.pauseIfAsked(recorder);
      },
      progress: (progress, metrics) => {
        this.latest = { progress, metrics };
        recorder.progress(progress, metrics);
        const now = performance.now();
        if (now - this.toldAt < tellInterval) return;
        this.toldAt = now;
        this.tell({ kind: 'progress', progress, metrics });
      },
      metrics: row => recorder.metrics(row),
      checkpoint: async state => {
        await recorder.checkpoint(state);
        this.checkpoint = { step: state.step, isNew: true };
      },
    };
  }

  /** All that the run has measured up to the checkpoint is written by then. */
  private async hold(checkpoint: Checkpoint, look: Promise<void>, recorder: RunRecorder): Promise<void> {
    this.tellLatest();
    this.tell({ kind: 'checkpoint', ...checkpoint });
    await look;
    await this.pauseIfAsked(recorder);
  }

  private pauseIfAsked(recorder: RunRecorder): Promise<void> | undefined {
    const pause = this.steering.ready();
    return pause && this.pause(pause, recorder);
  }

  private tellLatest(): void {
    if (this.latest) this.tell({ kind: 'progress', ...this.latest });
  }

  private async pause(over: Promise<void>, recorder: RunRecorder): Promise<void> {
    await recorder.flush();
    await this.store.update(this.id, { ...this.latest, status: 'paused' });
    this.tellLatest();
    this.tell({ kind: 'paused', paused: true });
    await over;
    if (this.steering.signal.aborted) return;
    await this.store.update(this.id, { status: 'training' });
    this.tell({ kind: 'paused', paused: false });
  }
}
