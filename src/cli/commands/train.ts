import { CancelledError } from '../../common/errors';
import type { Engine } from '../../engine/engine';
import { countParameters } from '../../model/parameters';
import type { Device } from '../../protocol/engine';
import type { ModelDetails } from '../../protocol/model';
import { formatNumber, formatPercent, formatSeconds } from '../numbers';
import { answer } from '../output';
import { withEngine, type CommonOptions, type Session } from '../session';
import { orderOf, trainToEnd, type ExperimentChanges } from '../training';

export interface TrainOptions extends CommonOptions, ExperimentChanges {
  readonly device?: Device;
  readonly retrain?: boolean;
  readonly resume?: boolean;
}

/** `circuits train EXPERIMENT`: trains it, or opens what was trained before. */
export async function train(session: Session, experiment: string, options: TrainOptions): Promise<void> {
  await withEngine(session, options, async engine => {
    const order = await orderOf(engine, experiment, options);
    const { id, cached } = await trainToEnd(session, engine, { ...order, ...(options.retrain && { retrain: true }) }, options.resume ?? false);
    const document = await trainDocument(engine, id, cached);
    answer(session.output, document, () => trainText(document));
    if (session.interrupted.aborted) throw new CancelledError();
  }, options.device === undefined ? {} : { device: options.device });
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
