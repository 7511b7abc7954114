import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../common/errors';
import { unknownName } from '../../common/nearest';
import { float32, int32, type HostTensor } from '../../common/tensor';
import type { Weights } from '../../model/layers';
import type { ModelConfig } from '../../protocol/config';
import type { Axis } from '../../protocol/figure';
import type { Parameters, ValuesOf } from '../../protocol/parameter';
import type { Task } from '../../tasks/task';
import { positionNames } from '../../tasks/words';
import { measuresOf } from '../answerMeasures';

// B batch · A answers an example · D d_model · U d_vocab_out

/** The parameters by which an analysis lets people choose which logits it explains. */
export const contrastParameters = {
  answer: { kind: 'integer', title: 'Answer', description: 'Which answer of an example, counted from 1; 0 for all of them.', default: 0, minimum: 0, maximum: 100_000 },
  against: {
    kind: 'choice', title: 'Compare with', options: ['nothing', 'mean output', 'largest wrong output', 'word'], default: 'nothing',
    description: 'What is subtracted from the logit of the right answer: nothing, the mean of all logits, that of the model\'s likeliest wrong output, or that of the word below.',
  },
  word: { kind: 'text', title: 'Word', description: 'The output that the right answer is compared with, where "Compare with" says so.', default: '' },
} as const satisfies Parameters;

type Contrast = Pick<ValuesOf<typeof contrastParameters>, 'against' | 'word'>;

/** A choice of what is compared, as inputs of a traced function: one graph serves all choices. */
export type ContrastInputs = readonly [answers: HostTensor<'int32'>, word: HostTensor<'int32'>, shares: HostTensor<'float32'>];

/**
 * The inputs of {@link contrastOver} for right answers `[B, A]`. Where answers are numbers there is one output, the number
 * itself, and nothing to compare it with.
 * @throws UserError for a word that is no output, or is itself the right one of a chosen answer, or none where one is wanted; and
 * for any comparison of numbers.
 */
export function contrastInputs(task: Task, answers: HostTensor<'int32'>, chosen: readonly number[], { against, word }: Contrast): ContrastInputs {
  if (task.answersAre === 'numbers') {
    if (against !== 'nothing') throw new UserError(`This model predicts a number, which has no other outputs to be compared with; choose "nothing" in place of "${against}".`);
    return [int32(answers.shape), int32([1]), float32([3])];
  }
  const output = against === 'word' ? outputOf(task, word.trim()) : undefined;
  const A = answers.shape[1] ?? 1;
  const itself = chosen.find(answer => answers.data.every((right, at) => at % A !== answer || right === output));
  if (itself !== undefined) throw new UserError(`"${word.trim()}" is the right answer ${itself + 1} itself, so that there is no difference to measure; choose another word or another answer.`);
  const shares = Float32Array.of(Number(against === 'word'), Number(against === 'mean output'), Number(against === 'largest wrong output'));
  return [answers, int32([1], Int32Array.of(output ?? 0)), float32([3], shares)];
}

function outputOf({ outputs }: Task, word: string): number {
  if (word === '') throw new UserError(`"word" is empty; give the output to compare with, such as "${outputs[0] ?? ''}", or compare with something else.`);
  const output = outputs.indexOf(word);
  if (output < 0) throw unknownName('output', word, outputs);
  return output;
}

/**
 * What is measured of the logits, as weights `[B, A, U]` on them: 1 on the right answer, less what it is compared with; and 1 on
 * a single output, which is a number. The largest wrong output is that of the whole model, also where the weights are used on another layer's logits.
 */
export function contrastOver(logits: Tensor, answers: Tensor, word: Tensor, shares: Tensor): Tensor {
  const U = logits.shape.at(-1) ?? 1;
  if (U === 1) return tf.onesLike(logits);
  const right = tf.oneHot(answers, U, 1, 0, 'float32'); // [B, A, U]
  // Lower than any other, but finite: -Infinity times 0 is NaN.
  const wrong = tf.argMax(tf.sub(tf.mul(logits, tf.sub(1, right)), tf.mul(right, 1e30)), -1); // [B, A]
  const [ofWord, ofMean, ofLargest] = tf.split(shares, 3) as [Tensor, Tensor, Tensor];
  const compared = tf.add(
    tf.add(tf.mul(tf.oneHot(word, U, 1, 0, 'float32'), ofWord), tf.mul(ofMean, 1 / U)), // [1, U]
    tf.mul(tf.oneHot(tf.cast(wrong, 'int32'), U, 1, 0, 'float32'), ofLargest),
  ); // [B, A, U]
  return tf.sub(right, compared);
}

/** The weighted sum `[...]` of logits `[..., U]`. */
export function weighted(contrast: Tensor, logits: Tensor): Tensor {
  return tf.sum(tf.mul(contrast, logits), -1);
}

/** Rows `[B, A, …]` at the answer positions of `value [B, T, …]`. */
export function atAnswers({ answerPositions }: Task, value: Tensor): Tensor {
  return tf.gather(value, tf.tensor1d(Int32Array.from(answerPositions), 'int32'), 1);
}

/**
 * A direction `[..., D]` behind a norm as one before it: what a vector of the residual stream is to be multiplied with, and
 * then divided by the norm's scale, to give its part of the product behind the norm. The norm's bias is left out.
 */
export function beforeNorm(config: ModelConfig, at: string, direction: Tensor, weights: Weights): Tensor {
  const kind = config.normalization_type;
  const scaled = kind === 'LN' || kind === 'RMS' ? tf.mul(direction, weights(`${at}.w`)) : direction;
  // (x − mean x) · d is x · (d − mean d).
  return kind === 'LN' || kind === 'LNPre' ? tf.sub(scaled, tf.mean(scaled, -1, true)) : scaled;
}

/** The chosen answers as an axis: figures call them by the positions where they are read. */
export function answerAxis(task: Task, chosen: readonly number[]): LabelledAxis {
  const [names, positions] = [positionNames(task), chosen.map(answer => task.answerPositions[answer] ?? 0)];
  return { title: 'Answer read at', labels: positions.map(position => names[position] ?? ''), subjects: positions.map(position => ({ position })) };
}

export type LabelledAxis = Axis & { readonly labels: readonly string[] };

/** How a caption names what is measured. */
export function contrastName(task: Task, { against, word }: Contrast): string {
  const { explained } = measuresOf(task);
  switch (against) {
    case 'nothing': return explained;
    case 'word': return `${explained} less that of "${word.trim()}"`;
    case 'mean output': return `${explained} less the mean of all logits`;
    default: return `${explained} less that of the model's likeliest wrong output`;
  }
}

/** For each chosen answer the mean over the examples of `values [B, A]`, which may be a part of a larger array. */
export function meansOverExamples(values: ArrayLike<number>, B: number, A: number, chosen: readonly number[], offset = 0): number[] {
  return chosen.map(answer => {
    let sum = 0;
    for (let row = 0; row < B; row++) sum += values[offset + row * A + answer] ?? 0;
    return sum / B;
  });
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
