import { unknownName } from '../common/nearest';
import type { AnalysisInfo } from '../protocol/analysis';
import { applicableAnalyses, getWords } from '../protocol/engine';
import type { ModelWords } from '../protocol/model';
import type { Engine } from './engine';

/** What the engine knows of a panel's model and of analyses. */
export class PanelSubject {
  private known: Promise<readonly [ModelWords, readonly AnalysisInfo[]]> | undefined;

  constructor(private readonly engine: Pick<Engine, 'start' | 'request'>, private readonly model: string) {}

  async describe(id: string): Promise<AnalysisInfo> {
    const { analyses } = await this.engine.start();
    const analysis = analyses.find(candidate => candidate.id === id);
    if (!analysis) throw unknownName('analysis', id, analyses.map(candidate => candidate.id));
    return analysis;
  }

  /** The words of the model's task and the analyses that fit it: the same for as long as there is the model. */
  about(): Promise<readonly [ModelWords, readonly AnalysisInfo[]]> {
    const { engine, model } = this;
    this.known ??= Promise.all([engine.request(getWords, { model }), engine.request(applicableAnalyses, { model })]);
    this.known.catch(() => (this.known = undefined));
    return this.known;
  }
}
