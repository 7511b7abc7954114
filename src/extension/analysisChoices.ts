import { analysisGroups, type AnalysisGroup, type AnalysisInfo } from '../protocol/analysis';
import type { PanelState } from '../protocol/panel';
import type { Parameters } from '../protocol/parameter';

/** The analyses under their headings, in the headings' order, without those that have none. */
export function analysesByGroup(analyses: readonly AnalysisInfo[]): readonly { readonly group: AnalysisGroup; readonly analyses: readonly AnalysisInfo[] }[] {
  return analysisGroups
    .map(group => ({ group, analyses: analyses.filter(analysis => analysis.group === group) }))
    .filter(heading => heading.analyses.length > 0);
}

/** The parameters with which an analysis is about a head: its first of that kind, where it has one. */
export function paramsOfHead(parameters: Parameters, { layer, head }: { readonly layer: number; readonly head: number }): PanelState['params'] {
  const [name] = Object.entries(parameters).find(([, { kind }]) => kind === 'head') ?? [];
  return name === undefined ? {} : { [name]: `${layer}.${head}` };
}
