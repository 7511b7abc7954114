import * as tf from '@tensorflow/tfjs-core';
import { float32, int32, rowsOf, type HostTensor } from '../common/tensor';
import { forward } from '../model/transformer';
import type { Task } from '../tasks/task';
import { testExamples } from '../training/evaluate';
import { answerScores } from './attribution/answerScores';
import type { AnalysisContext } from './define';
import { computeInStretches } from './inStretches';
import type { QueryAndKeys } from './queriesAndKeys';
import { scoreOf, type HeadFit } from './scoreFit';

// B examples · T positions · H heads

/** Fractions of the test examples whose answer at the query position is right. */
export interface FitAccuracy {
  readonly real: number;
  /** With the scores of all heads of the first layer, from the query to the keys, replaced by their fits. */
  readonly fitted: number;
}

/** @returns undefined where no answer is read at the query position. */
export async function accuracyWithFit(
  context: Pick<AnalysisContext, 'details' | 'model' | 'task' | 'signal'>, fits: readonly HeadFit[], { query, keys }: QueryAndKeys, most: number,
): Promise<FitAccuracy | undefined> {
  const { details, model: { config }, task } = context;
  const answer = task.answerPositions.indexOf(query);
  if (answer < 0) return undefined;
  const all = testExamples(details.experiment, task);
  const [total = 0, A = 0] = all.labels.shape;
  const count = Math.min(total, most);
  const tokens = rowsOf(all.tokens, 0, count);
  const answers = int32([count, 1], Int32Array.from({ length: count }, (_, row) => all.labels.data[row * A + answer] ?? -1));
  const last = `blocks.${config.n_layers - 1}.hook_resid_post`;
  const T = tokens.shape[1] ?? 0;
  const accuracy = async (scores: HostTensor<'float32'> | undefined) => {
    const [logits] = await computeInStretches(context, `answer at ${query}${scores ? ` with fitted scores to ${keys.join()}` : ''}`, (weights, given, fitted) => [forward(config, weights, given, {
      hook: (name, value) => {
        if (name === last) return tf.slice(value, [0, query, 0], [-1, 1, -1]);
        if (name !== 'blocks.0.attn.hook_attn_scores' || !fitted) return value;
        const isFitted = Uint8Array.from({ length: T * T }, (_, at) => Number(Math.floor(at / T) === query && keys.includes(at % T)));
        return tf.where(tf.tensor(isFitted, [1, 1, T, T], 'bool'), fitted, value);
      },
    })], tokens, scores ? [scores] : []);
    if (!logits) throw new Error('there are no logits');
    return answerScores(logits, answers, task).accuracy;
  };
  return { real: await accuracy(undefined), fitted: await accuracy(fittedScores(task, fits, { query, keys }, tokens)) };
}

/** The fitted scores from the query `[B, H, 1, T]`, and 0 where none are fitted. */
function fittedScores({ vocabulary }: Task, fits: readonly HeadFit[], { query, keys }: QueryAndKeys, { shape, data }: HostTensor<'int32'>): HostTensor<'float32'> {
  const [B = 0, T = 0] = shape;
  const H = fits.length;
  const numberAt = (row: number, position: number) => Number(vocabulary[data[row * T + position] ?? -1]);
  const scores = float32([B, H, 1, T]);
  for (let row = 0; row < B; row++) {
    const y = numberAt(row, query);
    for (const key of keys) {
      const x = numberAt(row, key);
      fits.forEach(({ head, terms }) => (scores.data[(row * H + head) * T + key] = scoreOf(terms, x, Number.isNaN(y) ? 0 : y)));
    }
  }
  return scores;
}
