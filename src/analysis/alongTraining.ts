import { throwIfCancelled, UserError } from '../common/errors';
import type { RunnableModel } from '../model/runnable';
import type { AnalysisResult } from '../protocol/analysis';
import { coarseToFine } from './coarseToFine';
import type { AnalysisContext } from './define';

type Trained = Pick<AnalysisContext, 'details' | 'atCheckpoint' | 'signal' | 'progress'>;

/** What was measured at the checkpoints so far, ascending in steps. */
export interface Measurements<M> {
  readonly measures: readonly M[];
  /** Says which checkpoints could not be read, in a sentence; none where all could. */
  readonly leftOut: readonly string[];
}

/** The checkpoints of a model, of which there is one at least. @throws UserError where there is none. */
export function checkpointsOf({ details: { checkpoints, summary } }: Pick<AnalysisContext, 'details'>): readonly number[] {
  if (checkpoints.length === 0) throw new UserError(`${summary.name} has no checkpoints, so nothing can be measured along its training.`);
  return checkpoints;
}

/**
 * Measures a model at each of its checkpoints, coarse to fine, and shows what can be `drawn` so far; of a checkpoint that
 * cannot be read it only says so.
 * @throws UserError where none can be read, with why.
 */
export async function alongTraining<M>(
  context: Trained, measure: (model: RunnableModel, step: number) => Promise<M>, drawn: (measurements: Measurements<M>) => AnalysisResult,
): Promise<Measurements<M> & { readonly last: M }> {
  const { details, signal, progress } = context;
  const steps = checkpointsOf(context);
  const measured = new Map<number, M>();
  const problems = new Map<number, UserError>();
  const measuredAt = (step: number) => {
    const measure = measured.get(step);
    return measure === undefined ? [] : [measure];
  };
  const soFar = (): Measurements<M> => ({ measures: steps.flatMap(measuredAt), leftOut: leftOut([...problems.keys()]) });
  const order = coarseToFine(steps.length).flatMap(index => steps[index] ?? []);
  for await (const { step, opened } of readAhead(context, order)) {
    try {
      measured.set(step, await measure(await opened, step));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.set(step, error);
    }
    const fraction = (measured.size + problems.size) / steps.length;
    // A single point makes no curve.
    if (measured.size > 1) progress(fraction, () => drawn(soFar()));
    else progress(fraction);
    throwIfCancelled(signal);
  }
  const all = soFar();
  const last = all.measures.at(-1);
  if (last === undefined) throw noneReadable(details.summary.name, [...problems.values()][0]);
  return { ...all, last };
}

/** That no checkpoint can be measured, and why the first of them cannot. */
export function noneReadable(name: string, problem: UserError | undefined): UserError {
  return new UserError(`No checkpoint of ${name} can be measured. ${problem?.message ?? ''}`);
}

/** The model at each of its checkpoints, in the order given, or why there is none; the next is read meanwhile. */
async function* readAhead({ atCheckpoint }: Trained, order: readonly number[]): AsyncGenerator<{ readonly step: number; readonly opened: Promise<RunnableModel> }> {
  const open = (step: number | undefined) => {
    const opened = step === undefined ? undefined : atCheckpoint(step);
    // It may fail before anyone waits for it.
    opened?.catch(() => undefined);
    return opened;
  };
  let next = open(order[0]);
  for (const [index, step] of order.entries()) {
    const opened = next;
    next = open(order[index + 1]);
    if (opened) yield { step, opened };
  }
}

function leftOut(unordered: readonly number[]): readonly string[] {
  const steps = [...unordered].sort((a, b) => a - b);
  if (steps.length === 0) return [];
  if (steps.length === 1) return [`The checkpoint at step ${steps.join()} could not be read and is left out.`];
  const named = `${steps.slice(0, 3).join(', ')}${steps.length > 3 ? ', …' : ''}`;
  return [`${steps.length} checkpoints, at steps ${named}, could not be read and are left out.`];
}
