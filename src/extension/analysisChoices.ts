import { unknownName } from '../common/nearest';
import type { AnalysisInfo } from '../protocol/analysis';
import type { PanelState } from '../protocol/panel';
import type { ModelTarget } from './contributions';
import { panelState } from './panels/panelMessages';

/**
 * What a panel shows when an analysis is opened on a row: with the head as its first parameter of that kind, where it has
 * one, and at the checkpoint, where it shows models at one. All else is as it was last.
 */
export function stateOn(analysis: AnalysisInfo, { model, layer, head, checkpoint }: ModelTarget): PanelState {
  const [name] = Object.entries(analysis.params).find(([, { kind }]) => kind === 'head') ?? [];
  const params = name === undefined || layer === undefined || head === undefined ? {} : { [name]: `${layer}.${head}` };
  return panelState(model, analysis.id, params, analysis.atCheckpoint ? checkpoint : undefined);
}

/** @throws UserError with the nearest ids for one that does not exist. */
export function analysisNamed(analyses: readonly AnalysisInfo[], id: string): AnalysisInfo {
  const analysis = analyses.find(candidate => candidate.id === id);
  if (!analysis) throw unknownName('analysis', id, analyses.map(candidate => candidate.id));
  return analysis;
}
