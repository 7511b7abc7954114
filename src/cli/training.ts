import { throwIfCancelled, UserError } from '../common/errors';
import type { Engine } from '../engine/engine';
import { UntrainedOriginError } from '../engine/originWeights';
import type { Run } from '../engine/run';
import type { TrainOrder } from '../engine/runs';
import { FailedError } from './output';
import { printable } from './printable';
import { showRunProgress } from './progress';
import { experimentText, type Session } from './session';

/** What a command line changes in an experiment. */
export interface ExperimentChanges {
  readonly seed?: number;
  readonly steps?: number;
  readonly set: readonly string[];
  /** Whether it is trained even where that takes days. */
  readonly force?: boolean;
}

/** The order to train an experiment, a file or a bundled one, with changes. */
export async function orderOf(engine: Engine, experiment: string, { seed, steps, set, force }: ExperimentChanges): Promise<TrainOrder> {
  return { ...(await experimentText(engine, experiment)), set, ...(seed !== undefined && { seed }), ...(steps !== undefined && { steps }), ...(force && { force }) };
}

/**
 * Trains, with progress on standard error; Ctrl-C stops the run, which keeps what it has. What it starts from is trained
 * before, where it is not yet.
 */
export async function trainToEnd(session: Session, engine: Engine, order: TrainOrder, resume: boolean): Promise<{ id: string; cached: boolean }> {
  const { id, cached, run } = await afterOrigins(session, engine, order, () => engine.runs.train(order));
  if (run) {
    await follow(session, engine, run);
    return { id, cached };
  }
  const { name, status, progress, resumable } = await engine.model(id);
  if (status === 'finished') return { id, cached };
  if (status === 'training' || status === 'paused') throw new UserError(`"${name}" is being trained by another process.`);
  if (!resume || !resumable) {
    throw new UserError(`"${name}" (${id}) ended at step ${progress.step} of ${progress.steps}; add --resume to go on from there, or --retrain to start over.`);
  }
  session.output.err.write(printable(`"${name}" ended at step ${progress.step} of ${progress.steps}; it goes on from there.`) + '\n');
  await follow(session, engine, await engine.runs.resume(id));
  return { id, cached: false };
}

/** Does `work` once all that it starts from is trained; what was stopped of that goes on. */
export async function afterOrigins<T>(session: Session, engine: Engine, { force }: Pick<TrainOrder, 'force'>, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UntrainedOriginError)) throw error;
      const { id, name, source } = error.origin;
      session.output.err.write(printable(`It starts from "${name}"${source ? ` (seed ${source.seed})` : ''}, which is trained first.`) + '\n');
      if (source) await trainToEnd(session, engine, { ...source, ...(force && { force }) }, true);
      else await follow(session, engine, await engine.runs.resume(id));
      throwIfCancelled(session.interrupted);
      if ((await engine.model(id)).status !== 'finished') throw new FailedError(`"${name}" did not come to its end.`);
    }
  }
}

async function follow(session: Session, engine: Engine, run: Run): Promise<void> {
  const { name } = await engine.model(run.id);
  const shown = showRunProgress(name, session.output.err);
  const watching = run.onChange(() => shown.show(run.progress, run.metrics));
  const stop = () => {
    if (!session.output.err.isTTY) session.output.err.write('Stopping; the model keeps what it has learned.\n');
    void run.stop();
  };
  session.interrupted.addEventListener('abort', stop, { once: true });
  if (session.interrupted.aborted) stop();
  try {
    shown.show(run.progress, run.metrics);
    const { status, problem } = await run.ended;
    shown.show(run.progress, run.metrics);
    if (status === 'failed' || status === 'interrupted') throw new FailedError(problem ?? 'The training failed.');
  } finally {
    session.interrupted.removeEventListener('abort', stop);
    watching.dispose();
    shown.dispose();
  }
}
