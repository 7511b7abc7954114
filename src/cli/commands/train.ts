import { CancelledError, UserError } from '../../common/errors';
import type { Engine } from '../../engine/engine';
import type { Run } from '../../engine/run';
import type { TrainOrder } from '../../engine/runs';
import { countParameters } from '../../model/parameters';
import type { Device } from '../../protocol/engine';
import type { ModelDetails } from '../../protocol/model';
import { formatNumber, formatPercent, formatSeconds } from '../numbers';
import { answer, FailedError } from '../output';
import { showRunProgress } from '../progress';
import { experimentText, withEngine, type CommonOptions, type Session } from '../session';

export interface TrainOptions extends CommonOptions {
  readonly seed?: number;
  readonly steps?: number;
  readonly device?: Device;
  readonly set: readonly string[];
  readonly retrain?: boolean;
  readonly resume?: boolean;
}

/** `circuits train EXPERIMENT`: trains it, or opens what was trained before. */
export async function train(session: Session, experiment: string, options: TrainOptions): Promise<void> {
  await withEngine(session, options, async engine => {
    const { seed, steps, set, retrain } = options;
    const text = await experimentText(engine, experiment);
    const { id, cached } = await trainToEnd(session, engine, {
      text, set, ...(seed !== undefined && { seed }), ...(steps !== undefined && { steps }), ...(retrain && { retrain }),
    }, options.resume ?? false);
    const document = await trainDocument(engine, id, cached);
    answer(session.output, document, () => trainText(document));
    if (session.interrupted.aborted) throw new CancelledError();
  }, options.device === undefined ? {} : { device: options.device });
}

/** Trains, with progress on standard error; Ctrl-C stops the run, which keeps what it has. */
async function trainToEnd(session: Session, engine: Engine, order: TrainOrder, resume: boolean): Promise<{ id: string; cached: boolean }> {
  const { id, cached, run } = await engine.runs.train(order);
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
  await follow(session, engine, await engine.runs.resume(id));
  return { id, cached: false };
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

async function trainDocument(engine: Engine, id: string, cached: boolean) {
  const { summary, parameters }: ModelDetails = await engine.details(id);
  const rows = await engine.store.readMetrics(id);
  const { step, secondsPerStep } = summary.progress;
  return {
    id,
    name: summary.name,
    path: summary.path,
    steps: step,
    seconds: rows.at(-1)?.seconds ?? 0,
    secondsPerStep: secondsPerStep ?? null,
    cached,
    parameters: countParameters(parameters),
    metrics: summary.metrics,
  };
}

function trainText({ id, name, path, steps, seconds, secondsPerStep, cached, parameters, metrics }: Awaited<ReturnType<typeof trainDocument>>): string {
  const lines = [
    `${name} (${id})${cached ? ', trained before' : ''}`,
    `  ${formatNumber(steps)} steps in ${formatSeconds(seconds)}${secondsPerStep === null ? '' : `, ${formatSeconds(secondsPerStep)} each`}`,
    `  ${formatNumber(parameters.total)} parameters, ${formatNumber(parameters.trainable)} of them trained`,
  ];
  if (metrics.trainLoss !== undefined) lines.push(`  train loss ${formatNumber(metrics.trainLoss)}`);
  if (metrics.testLoss !== undefined) lines.push(`  test loss ${formatNumber(metrics.testLoss)}`);
  if (metrics.testAccuracy !== undefined) lines.push(`  test accuracy ${formatPercent(metrics.testAccuracy)}`);
  if (metrics.testExactMatch !== undefined) lines.push(`  examples right whole ${formatPercent(metrics.testExactMatch)}`);
  return [...lines, `  ${path}`].join('\n');
}
