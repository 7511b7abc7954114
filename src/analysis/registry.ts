import { unknownName } from '../common/nearest';
import { ablation } from './ablation';
import { activationPatching } from './activationPatching';
import { attention } from './attention';
import { attentionLeak } from './attentionLeak';
import { attentionStatistics } from './attentionStatistics';
import { attributionPatching } from './attributionPatching';
import { composition } from './composition';
import type { AnalysisDefinition } from './define';
import { dataset } from './dataset';
import { directLogitAttribution } from './directLogitAttribution';
import { edgeAttribution } from './edgeAttribution';
import { embeddingSvd } from './embeddingSvd';
import { excludedLoss } from './excludedLoss';
import { fourierEmbedding } from './fourierEmbedding';
import { fourierAttention } from './fourierAttention';
import { fourierLogits } from './fourierLogits';
import { fourierNeurons } from './fourierNeurons';
import { generalization } from './generalization';
import { graphPlayground } from './graphPlayground';
import { headScores } from './headScores';
import { lossByGroup } from './lossByGroup';
import { hiddenBlocks } from './hiddenBlocks';
import { logitLens } from './logitLens';
import { logitPeriodicity } from './logitPeriodicity';
import { neuronFrequencies } from './neuronFrequencies';
import { ovCircuit } from './ovCircuit';
import { ovRobustness } from './ovRobustness';
import { parameters } from './parameters';
import { pathCircuit } from './pathCircuit';
import { pathPatching } from './pathPatching';
import { permutationInvariance } from './permutationInvariance';
import { perturbation } from './perturbation';
import { positionSimilarity } from './positionSimilarity';
import { predictionHistogram } from './predictionHistogram';
import { progressMeasures } from './progressMeasures';
import { qkByValue } from './qkByValue';
import { qkCircuit } from './qkCircuit';
import { qkLinearFit } from './qkLinearFit';
import { restrictedLoss } from './restrictedLoss';
import { trainingCurves } from './trainingCurves';
import { virtualAttention } from './virtualAttention';

/** Every analysis. A new one is a file of its own and a line here. */
export const analyses: readonly AnalysisDefinition[] = [trainingCurves, perturbation, dataset, predictionHistogram, lossByGroup, generalization, progressMeasures, attention, graphPlayground, attentionStatistics, attentionLeak, virtualAttention, headScores, permutationInvariance, logitLens, directLogitAttribution, activationPatching, attributionPatching, edgeAttribution, pathPatching, ablation, ovRobustness, ovCircuit, qkCircuit, qkByValue, qkLinearFit, pathCircuit, composition, hiddenBlocks, embeddingSvd, fourierEmbedding, fourierLogits, fourierAttention, fourierNeurons, neuronFrequencies, logitPeriodicity, restrictedLoss, excludedLoss, positionSimilarity, parameters];

/** @throws UserError for an analysis that does not exist, with the nearest names. */
export function findAnalysis(id: string): AnalysisDefinition {
  const analysis = analyses.find(candidate => candidate.id === id);
  if (!analysis) throw unknownName('analysis', id, analyses.map(candidate => candidate.id));
  return analysis;
}
