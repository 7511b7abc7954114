import { CancelledError, throwIfCancelled, UserError } from '../common/errors';
import type { Disposable } from '../common/lifetime';
import type { Metrics, Progress } from '../protocol/model';
import type { SweepDetails, SweepRow, SweepSummary } from '../protocol/sweep';
import type { PreparedExperiment } from '../training/experiment';
import type { Engine } from './engine';
import { FailedError } from './failure';
import { UntrainedOriginError } from './originWeights';
import type { Run } from './run';
import type { TrainOrder } from './runs';
import type { SweepOrder } from './sweeps';

/** Who waits for trainings, and hears of them meanwhile. */
export interface TrainingWatch {
  /** Aborted, it stops what was started for it, which keeps what it has; what others have started goes on. */
  readonly signal: AbortSignal;
  /** What comes next, in a sentence. */
  say(sentence: string): void;
  /** A run is waited for: shows how it goes, until it is disposed. */
  follow(run: { readonly id: string; readonly name: string }): Disposable & { show(progress: Progress, metrics: Metrics): void };
  /** A sweep is waited for: shows how it stands, with what has changed of its runs, until it is disposed. */
  followSweep(sweep: { readonly name: string }): Disposable & { show(summary: SweepSummary, rows: readonly SweepRow[]): void };
}

type Trains = Pick<Engine, 'runs' | 'model'>;

/**
 * Trains until the end; breakpoints are passed by, unless the order says otherwise. What it starts from is trained before, where it is not yet; what was stopped goes on.
 * @param resume whether what was stopped may go on; otherwise that is refused
 * @returns the model; once cancelled, with what a run that was started here has kept
 * @throws CancelledError when it waited for another's run; FailedError for a run that failed; and as `Runs.train`
 */
export async function trainToEnd(engine: Trains, order: TrainOrder, watch: TrainingWatch, resume = true): Promise<{ readonly id: string; readonly cached: boolean }> {
  const { ignoreBreakpoints = true } = order;
  const { id, cached, run } = await afterOrigins(engine, order, watch, () => engine.runs.train({ ...order, ignoreBreakpoints }));
  if (run) {
    await runToEnd(engine, run, !cached, watch);
    return { id, cached };
  }
  const { name, status, progress, resumable } = await engine.model(id);
  if (status === 'finished') return { id, cached };
  if (status === 'training' || status === 'paused') throw new UserError(`"${name}" is being trained by another process.`);
  if (!resume || !resumable) {
    throw new UserError(`"${name}" (${id}) ended at step ${progress.step} of ${progress.steps}; add --resume to go on from there, or --retrain to start over.`);
  }
  watch.say(`"${name}" ended at step ${progress.step} of ${progress.steps}; it goes on from there.`);
  await resumeToEnd(engine, id, watch, ignoreBreakpoints);
  return { id, cached: false };
}

/** Brings the runs of a sweep to their end, as {@link trainToEnd} does one. */
export async function sweepToEnd(engine: Trains & Pick<Engine, 'sweeps'>, order: SweepOrder, watch: TrainingWatch): Promise<SweepDetails> {
  const { sweeps } = engine;
  const { started, isOwn } = await afterOrigins(engine, { force: order.options.force ?? false }, watch, () => sweeps.startOrJoin(order));
  const { id } = started;
  const shown = watch.followSweep(started);
  const listening = sweeps.onChange(({ summary, rows }) => summary.id === id && shown.show(summary, rows));
  try {
    shown.show(started, started.rows);
    await finished(sweeps.ended(id), isOwn, watch.signal, () => {
      // It may have ended just now, and then there is nothing to cancel.
      sweeps.control(id, 'cancel').catch(() => undefined);
    });
    const ended = await sweeps.get(id);
    shown.show(ended, ended.rows);
    return ended;
  } finally {
    listening.dispose();
    shown.dispose();
  }
}

/** Trains what experiments start from, where it is not trained yet and there is no model of theirs. */
export async function trainOrigins(engine: Trains, experiments: readonly PreparedExperiment[], order: Pick<TrainOrder, 'force'>, watch: TrainingWatch): Promise<void> {
  await afterOrigins(engine, order, watch, () => engine.runs.checkOrigins(experiments));
}

/** Does `work` once all that it starts from is trained; what was stopped of that goes on. */
async function afterOrigins<T>(engine: Trains, { force }: Pick<TrainOrder, 'force'>, watch: TrainingWatch, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UntrainedOriginError)) throw error;
      const { id, name, source } = error.origin;
      watch.say(`It starts from "${name}"${source ? ` (seed ${source.seed})` : ''}, which is trained first.`);
      if (source) await trainToEnd(engine, { ...source, ...(force && { force }) }, watch);
      else await resumeToEnd(engine, id, watch);
      throwIfCancelled(watch.signal);
      if ((await engine.model(id)).status !== 'finished') throw new FailedError(`"${name}" did not come to its end.`);
    }
  }
}

async function resumeToEnd(engine: Trains, id: string, watch: TrainingWatch, ignoreBreakpoints = true): Promise<void> {
  const there = engine.runs.get(id);
  await runToEnd(engine, there ?? await engine.runs.resume(id, { ignoreBreakpoints }), there === undefined, watch);
}

async function runToEnd(engine: Trains, run: Run, isOwn: boolean, watch: TrainingWatch): Promise<void> {
  const { id } = run;
  const shown = watch.follow({ id, name: (await engine.model(id)).name });
  const show = () => shown.show(run.progress, run.metrics);
  const listening = run.onChange(show);
  try {
    show();
    const { status, problem } = await finished(run.ended, isOwn, watch.signal, () => void run.stop());
    show();
    if (status === 'failed' || status === 'interrupted') throw new FailedError(problem ?? 'The training failed.');
  } finally {
    listening.dispose();
    shown.dispose();
  }
}

/** The end of what goes on. Aborted, what is one's own is stopped first, and what is another's is waited for no more. */
async function finished<T>(ended: Promise<T>, isOwn: boolean, signal: AbortSignal, stop: () => void): Promise<T> {
  let onAbort: () => void = () => undefined;
  const left = new Promise<never>((_, reject) => {
    onAbort = isOwn ? stop : () => reject(new CancelledError());
  });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([ended, left]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
