import { unknownName } from '../common/nearest';
import { activationPatching } from './activationPatching';
import { attention } from './attention';
import type { AnalysisDefinition } from './define';
import { directLogitAttribution } from './directLogitAttribution';
import { logitLens } from './logitLens';
import { ovCircuit } from './ovCircuit';
import { pathCircuit } from './pathCircuit';
import { qkCircuit } from './qkCircuit';
import { trainingCurves } from './trainingCurves';

/** Every analysis. A new one is a file of its own and a line here. */
export const analyses: readonly AnalysisDefinition[] = [trainingCurves, attention, logitLens, directLogitAttribution, activationPatching, ovCircuit, qkCircuit, pathCircuit];

/** @throws UserError for an analysis that does not exist, with the nearest names. */
export function findAnalysis(id: string): AnalysisDefinition {
  const analysis = analyses.find(candidate => candidate.id === id);
  if (!analysis) throw unknownName('analysis', id, analyses.map(candidate => candidate.id));
  return analysis;
}
