import { analysisGroups, type AnalysisGroup, type AnalysisInfo } from '../protocol/analysis';
import type { PanelState } from '../protocol/panel';
import type { ModelTarget } from './contributions';
import { panelState } from './panelMessages';

/** The analyses under their headings, in the headings' order, without those that have none. */
export function analysesByGroup(analyses: readonly AnalysisInfo[]): readonly { readonly group: AnalysisGroup; readonly analyses: readonly AnalysisInfo[] }[] {
  return analysisGroups
    .map(group => ({ group, analyses: analyses.filter(analysis => analysis.group === group) }))
    .filter(heading => heading.analyses.length > 0);
}

/**
 * What a panel shows when an analysis is opened on a row: with the head as its first parameter of that kind, where it has
 * one, and at the checkpoint, where it shows models at one. All else is as it was last.
 */
export function stateOn(analysis: AnalysisInfo, { model, layer, head, checkpoint }: ModelTarget): PanelState {
  const [name] = Object.entries(analysis.params).find(([, { kind }]) => kind === 'head') ?? [];
  const params = name === undefined || layer === undefined || head === undefined ? {} : { [name]: `${layer}.${head}` };
  return panelState(model, analysis.id, params, analysis.atCheckpoint ? checkpoint : undefined);
}
