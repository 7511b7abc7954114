import type { AnalysisInfo } from '../../protocol/analysis';
import { applicableAnalyses, getWords } from '../../protocol/engine';
import type { ModelSummary, ModelWords } from '../../protocol/model';
import { analysisNamed } from '../analysisChoices';
import type { Engine } from '../engine';

/** What the engine knows of a panel's model and of analyses. */
export class PanelSubject {
  /** The task that `known` is about. */
  private taskKey: string | undefined;
  private known: Promise<readonly [ModelWords, readonly AnalysisInfo[]]> | undefined;

  constructor(private readonly engine: Pick<Engine, 'start' | 'request'>, private readonly model: string) {}

  async describe(id: string): Promise<AnalysisInfo> {
    const { analyses } = await this.engine.start();
    return analysisNamed(analyses, id);
  }

  /** Whether the model still has the task that was last asked about. */
  hasTaskOf({ taskKey }: ModelSummary): boolean {
    return this.taskKey === taskKey;
  }

  /** The words of the model's task and the analyses that fit it: the same for as long as it has the task. */
  about(summary: ModelSummary): Promise<readonly [ModelWords, readonly AnalysisInfo[]]> {
    const { engine, model } = this;
    if (!this.hasTaskOf(summary)) this.known = undefined;
    this.taskKey = summary.taskKey;
    this.known ??= Promise.all([engine.request(getWords, { model }), engine.request(applicableAnalyses, { model })]);
    const asked = this.known;
    asked.catch(() => {
      if (this.known === asked) this.known = undefined;
    });
    return asked;
  }
}
