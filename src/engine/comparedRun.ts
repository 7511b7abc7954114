import { compare } from '../analysis/compare';
import type { Names } from '../analysis/difference';
import { UserError } from '../common/errors';
import type { AnalysisRequest, AnalysisResult, ModelPoint } from '../protocol/analysis';
import type { Store } from '../store/store';
import type { AnalysisSteering } from './analyses';

/** One analysis that ran. */
export interface OneRun {
  readonly result: AnalysisResult;
  /** Where its random numbers came from. */
  readonly seed: number;
  /** Whether it shows the weights, of a checkpoint or the newest. */
  readonly readsWeights: boolean;
}

export interface Running {
  readonly store: Pick<Store, 'details'>;
  run(request: AnalysisRequest, steering: AnalysisSteering, seed?: number): Promise<OneRun>;
}

/**
 * Runs an analysis twice, with the same parameters and the same draws, so that both see the same examples. What is wrong
 * with the other, in a sentence for people, stands in its place: the first is shown all the same. Nothing is shown before
 * both are done, so that a view of two does not turn into one at every step.
 * @throws UserError as the first run does; CancelledError.
 */
export async function runCompared(
  { against, ...request }: AnalysisRequest & { readonly against: ModelPoint }, { signal, progress }: AnalysisSteering, { store, run }: Running,
): Promise<AnalysisResult> {
  const one = await run(request, { signal, progress: fraction => progress(fraction / 2) });
  const names = await namesOf(store, request, against, one.readsWeights);
  try {
    const { model, checkpoint } = against;
    const other = await run(
      { model, analysis: request.analysis, params: request.params, ...(checkpoint !== undefined && { checkpoint }) },
      { signal, progress: fraction => progress((1 + fraction) / 2) },
      one.seed,
    );
    return compare(one.result, other.result, names);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...one.result, comparison: { names, problem: error.message } };
  }
}

/** What to call the two, in as few words as tell them apart. */
async function namesOf(store: Running['store'], one: ModelPoint, other: ModelPoint, readsWeights: boolean): Promise<Names> {
  if (one.model === other.model) return [pointName(one), pointName(other)];
  const [first, second] = await Promise.all([one, other].map(point => modelName(store, point.model)));
  const whole = (point: ModelPoint, name = point.model) =>
    [first === second ? `${name} (${point.model.slice(0, 8)})` : name, ...(readsWeights ? [pointName(point)] : [])].join(', ');
  return [whole(one, first), whole(other, second)];
}

function pointName({ checkpoint }: ModelPoint): string {
  return checkpoint === undefined ? 'newest weights' : `step ${checkpoint.toLocaleString('en-US')}`;
}

/** The model's name, or its id where it is gone. */
async function modelName(store: Running['store'], id: string): Promise<string> {
  try {
    return (await store.details(id)).summary.name;
  } catch (error) {
    if (error instanceof UserError) return id;
    throw error;
  }
}
