import type { RunnableModel } from '../../model/runnable';
import type { ParameterSummary } from '../../protocol/model';
import { allFrequencies } from './basis';
import { gini } from './gini';
import { embeddingPower } from './keyFrequencies';
import { logitCosines, residualFraction } from './logitCosines';
import { measurePairs, restrictedLoss, restrictedRatio, type PairSet } from './pairMeasures';
import { weightNorms, type WeightNorms } from './weightNorms';

// F frequencies, ⌊p/2⌋ of them

/** The progress measures of a model at one checkpoint (Nanda et al. 2023, section 5.1). */
export interface CheckpointMeasures {
  readonly step: number;
  readonly trainLoss: number;
  readonly testLoss: number;
  /** Loss on the test pairs with the key frequencies alone; absent without key frequencies, as is the excluded loss. */
  readonly restrictedLoss?: number;
  /** Loss on the training pairs without the key frequencies. */
  readonly excludedLoss?: number;
  /** Restricted over test loss. */
  readonly restrictedRatio?: number;
  /** `[F]`: what the logits have of each frequency's cosine, as a cube of norm 1, and its share of their norm. */
  readonly coefficients: Float64Array;
  readonly similarities: Float64Array;
  /** The share of the logits' norm that no frequency's cosine explains. */
  readonly residual: number;
  readonly weightNorms: WeightNorms;
  /** Gini coefficient of the norms of the embedding at each frequency. */
  readonly gini: number;
}

/** What stays the same from one checkpoint to the next. */
export interface Measuring {
  readonly pairs: PairSet;
  readonly keys: readonly number[];
  readonly parameters: readonly ParameterSummary[];
}

export async function measureCheckpoint(model: RunnableModel, step: number, { pairs, keys, parameters }: Measuring): Promise<CheckpointMeasures> {
  const measured = await measurePairs(model, pairs, keys.length > 0 ? [keys] : []);
  const [excludedLoss] = measured.excludedLosses;
  const restricted = excludedLoss === undefined ? undefined : restrictedLoss(measured, pairs, keys);
  const cosines = logitCosines(measured, pairs.basis);
  return {
    step,
    trainLoss: measured.trainLoss,
    testLoss: measured.testLoss,
    ...(excludedLoss !== undefined && restricted !== undefined && { excludedLoss, restrictedLoss: restricted, restrictedRatio: restrictedRatio(restricted, measured.testLoss) }),
    coefficients: cosines.coefficients,
    similarities: cosines.similarities,
    residual: residualFraction(measured, cosines, pairs.basis, allFrequencies(pairs.basis.modulus)),
    weightNorms: weightNorms(model, parameters),
    gini: gini(embeddingPower(model, pairs.basis).map(Math.sqrt)),
  };
}
