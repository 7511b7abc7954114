import { UserError } from '../common/errors';
import type { Runtime } from '../compile/runtime';
import type { ParameterValuesByName } from '../model/parameters';
import type { Device } from '../protocol/engine';
import type { Metrics, Progress, ResolvedExperiment } from '../protocol/model';
import type { FromTrainer, ToTrainer } from '../protocol/trainer';
import { Store } from '../store/store';
import type { PreparedExperiment } from '../training/experiment';
import type { RunHost, RunOutcome, TrainingState } from '../training/run';
import { failureOf } from './failure';
import { readOrigin } from './originWeights';
import { RunRecorder } from './runRecorder';
import type { RunSteering } from './runSteering';

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
    tell({ kind: 'ended', status: 'failed', ...failureOf(error) });
  }
}

/** One run while its model is locked. */
class ModelRun {
  private readonly id: string;
  private toldAt = -Infinity;
  /** How far it has come, whether or not it has been told. */
  private latest: { readonly progress?: Progress; readonly metrics?: Metrics } = {};

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
      await this.store.update(this.id, { ...this.latest, status: 'failed', problem: failureOf(error).problem }).catch(() => undefined);
      throw error;
    }
  }

  private async train(): Promise<RunOutcome> {
    const record = await this.store.read(this.id);
    this.tell({ kind: 'progress', progress: record.progress, metrics: record.metrics });
    const prepared = this.arithmetic.prepare(record.experiment);
    const { resumable } = await this.store.summary({ ...record, status: 'interrupted' });
    const resumeFrom = resumable ? await this.store.readCheckpoint(this.id) : undefined;
    const { from } = record.experiment;
    const origin = from && !resumeFrom ? (await readOrigin(this.store, from)).weights : undefined;
    const step = resumeFrom?.step ?? 0;
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
      ready: () => {
        const pause = this.steering.ready();
        return pause && this.pause(pause, recorder);
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
      checkpoint: state => recorder.checkpoint(state),
    };
  }

  private async pause(over: Promise<void>, recorder: RunRecorder): Promise<void> {
    await recorder.flush();
    await this.store.update(this.id, { status: 'paused' });
    this.tell({ kind: 'paused', paused: true });
    await over;
    if (this.steering.signal.aborted) return;
    await this.store.update(this.id, { status: 'training' });
    this.tell({ kind: 'paused', paused: false });
  }
}
