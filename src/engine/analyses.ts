import { describeAnalysis } from '../analysis/define';
import { analyses, findAnalysis } from '../analysis/registry';
import { runAnalysis } from '../analysis/run';
import { Random } from '../common/random';
import type { AnalysisInfo, AnalysisRequest, AnalysisResult } from '../protocol/analysis';
import type { Store } from '../store/store';
import { runCompared, type OneRun } from './comparedRun';
import type { OpenModels } from './openModels';
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
    return analyses.filter(analysis => analysis.appliesTo(details)).map(describeAnalysis);
  }

  /**
   * Runs an analysis when its turn comes.
   * @throws UserError for a model, analysis, parameter or checkpoint that does not exist; CancelledError.
   */
  async run(request: AnalysisRequest, steering: AnalysisSteering): Promise<AnalysisResult> {
    return this.queue.run(steering.signal, () => this.runNow(request, steering));
  }

  /** As {@link run}, when nobody waits for another. */
  async runWhenIdle(request: AnalysisRequest, signal: AbortSignal): Promise<AnalysisResult> {
    return this.queue.runWhenIdle(signal, () => this.runNow(request, { signal, progress: () => undefined }));
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
      const random = new Random(drawnFrom, `analysis ${analysis}`);
      const result = await runAnalysis(definition, { ...opened, metrics, random, signal, progress }, params);
      return { result, seed: drawnFrom, readsWeights: definition.atCheckpoint ?? true };
    });
  }
}
