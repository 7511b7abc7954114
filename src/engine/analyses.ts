import { describeAnalysis, unmetNeed } from '../analysis/define';
import { codeOf } from '../analysis/pythonCode';
import { analyses, findAnalysis } from '../analysis/registry';
import { runAnalysis } from '../analysis/run';
import { UserError } from '../common/errors';
import { Random } from '../common/random';
import { missingInTransformerLens } from '../model/transformerLens';
import type { AnalysisInfo, AnalysisRequest, AnalysisResult } from '../protocol/analysis';
import type { Store } from '../store/store';
import { runCompared, type OneRun } from './comparedRun';
import type { OpenModels } from './openModels';
import { moduleReady } from './taskModules/taskModules';
import { WorkQueue } from './workQueue';

/** A quick one need not wait for a slow one. */
const atOnce = 2;
const mostWaiting = 64;

export interface AnalysisSteering {
  readonly signal: AbortSignal;
  progress(fraction: number, partial?: () => AnalysisResult): void;
}

/** Runs analyses on the models of a store, a few at a time. */
export class Analyses {
  private readonly queue = new WorkQueue('analyses', atOnce, mostWaiting);

  constructor(private readonly store: Store, private readonly models: OpenModels) {}

  async applicable(id: string): Promise<readonly AnalysisInfo[]> {
    const details = await this.store.details(id);
    // Without what its task's module makes, those that need no task are left.
    await moduleReady(this.store.folder, details.experiment.task).catch(() => undefined);
    return analyses.filter(analysis => unmetNeed(analysis, details) === undefined).map(describeAnalysis);
  }

  /**
   * Runs an analysis when its turn comes.
   * @throws UserError for a model, analysis, parameter or checkpoint that does not exist; CancelledError.
   */
  async run(request: AnalysisRequest, steering: AnalysisSteering): Promise<AnalysisResult> {
    return this.queue.run(steering.signal, () => this.runNow(request, steering));
  }

  /** As {@link run}, before all that waits: for what holds a training up. */
  async runFirst(request: AnalysisRequest, signal: AbortSignal): Promise<AnalysisResult> {
    return this.queue.runFirst(signal, () => this.runNow(request, { signal, progress: () => undefined }));
  }

  /** As {@link run}, when nobody waits for another. */
  async runWhenIdle(request: AnalysisRequest, signal: AbortSignal): Promise<AnalysisResult> {
    return this.queue.runWhenIdle(signal, () => this.runNow(request, { signal, progress: () => undefined }));
  }

  /**
   * Python that computes a figure with TransformerLens, when its turn comes: of the model alone where it is compared with another.
   * @throws UserError for whatever does not exist, and where a figure has no such code; CancelledError.
   */
  async code({ model: id, analysis, params, checkpoint, figure }: AnalysisRequest & { readonly figure: number }, signal: AbortSignal): Promise<string> {
    const definition = findAnalysis(analysis);
    return this.queue.run(signal, () => this.models.use(id, checkpoint, async opened => {
      const { summary, config } = opened.details;
      const missing = missingInTransformerLens(config);
      if (missing !== undefined) throw new UserError(`There is no TransformerLens code of ${summary.name}, because ${missing}.`);
      const metrics = await this.store.readMetrics(id);
      const random = () => randomOf(analysis, opened.details.experiment.seed);
      return codeOf(definition, { ...opened, metrics, random, signal, progress: () => undefined, ...(checkpoint === undefined ? {} : { checkpoint }) }, params, figure);
    }));
  }

  private async runNow(request: AnalysisRequest, steering: AnalysisSteering): Promise<AnalysisResult> {
    const { against, ...own } = request;
    if (!against) return (await this.runOn(own, steering)).result;
    return runCompared({ ...own, against }, steering, { store: this.store, run: (each, part, seed) => this.runOn(each, part, seed) });
  }

  /** Draws at random as a model with `seed` does, or the model itself. */
  private async runOn({ model: id, analysis, params, checkpoint }: AnalysisRequest, { signal, progress }: AnalysisSteering, seed?: number): Promise<OneRun> {
    const definition = findAnalysis(analysis);
    return this.models.use(id, checkpoint, async opened => {
      const metrics = await this.store.readMetrics(id);
      const drawnFrom = seed ?? opened.details.experiment.seed;
      const random = randomOf(analysis, drawnFrom);
      const result = await runAnalysis(definition, { ...opened, metrics, random, signal, progress }, params);
      return { result, seed: drawnFrom, readsWeights: definition.atCheckpoint ?? true };
    });
  }
}

/** What an analysis of a model with that seed draws from. */
function randomOf(analysis: string, seed: number): Random {
  return new Random(seed, `analysis ${analysis}`);
}
