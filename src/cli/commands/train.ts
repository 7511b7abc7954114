import { CancelledError } from '../../common/errors';
import { formatNumber, formatSeconds } from '../../common/numbers';
import type { Engine } from '../../engine/engine';
import { trainToEnd } from '../../engine/trainToEnd';
import { metricTexts } from '../../engine/words/model';
import { countParameters } from '../../model/parameters';
import type { BreakpointHit, Device } from '../../protocol/engine';
import type { ModelDetails } from '../../protocol/model';
import { followBreakpoints } from '../breakpoints';
import { answer } from '../output';
import { withEngine, type CommonOptions, type Session } from '../session';
import { orderOf, watchOf, type ExperimentChanges } from '../training';

export interface TrainOptions extends CommonOptions, ExperimentChanges {
  readonly device?: Device;
  readonly retrain?: boolean;
  readonly resume?: boolean;
  readonly ignoreBreakpoints?: boolean;
}

/** `circuits train EXPERIMENT`: trains it, as far as a breakpoint that pauses it, or opens what was trained before. */
export async function train(session: Session, experiment: string, options: TrainOptions): Promise<void> {
  await withEngine(session, options, async engine => {
    const order = await orderOf(engine, experiment, options);
    const { retrain = false, resume = false, ignoreBreakpoints = false } = options;
    const watch = watchOf(session);
    const reached = followBreakpoints(engine, watch);
    const { id, cached } = await trainToEnd(engine, { ...order, ...(retrain && { retrain }), ignoreBreakpoints }, watch, resume);
    await reached.copiesEnded();
    reached.dispose();
    const { paused, copies } = reached;
    const document = await trainDocument(engine, id, cached);
    answer(session.output, { ...document, ...(paused && { breakpoint: breakpointDocument(paused) }), ...(copies.length > 0 && { copies }) }, () => trainText(document));
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

function breakpointDocument({ breakpoint, step, measured, before }: BreakpointHit) {
  return { ...breakpoint, step, measured, ...(before !== undefined && { before }) };
}

function trainText({ id, name, path, steps, seconds, secondsPerStep, cached, parameters, metrics }: Awaited<ReturnType<typeof trainDocument>>): string {
  const lines = [
    `${name} (${id})${cached ? ', trained before' : ''}`,
    `  ${formatNumber(steps)} steps in ${formatSeconds(seconds)}${secondsPerStep === null ? '' : `, ${formatSeconds(secondsPerStep)} each`}`,
    `  ${formatNumber(parameters.total)} parameters, ${formatNumber(parameters.trainable)} of them trained`,
  ];
  return [...lines, ...metricTexts(metrics).map(text => `  ${text}`), `  ${path}`].join('\n');
}
