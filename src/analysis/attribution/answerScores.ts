import type { HostTensor } from '../../common/tensor';
import type { Task } from '../../tasks/task';

// B batch · A answers an example · U d_vocab_out

export interface AnswerScores {
  /** Mean cross-entropy in nats; of numbers, mean squared error. */
  readonly loss: number;
  /** Fraction of the answers that are right; of numbers, that round to the right one. */
  readonly accuracy: number;
  /** Fraction of the examples whose answers are all right. */
  readonly exactMatch: number;
  /** Loss and accuracy of each of the `A` answers. */
  readonly losses: readonly number[];
  readonly accuracies: readonly number[];
}

/** Loss and accuracy of logits `[B, A, U]` against the right outputs `[B, A]`, or of numbers against the right ones, in float64. */
export function answerScores(
  { shape, data }: HostTensor<'float32'>, answers: HostTensor<'int32'>, { answersAre }: Pick<Task, 'answersAre'> = {},
): AnswerScores {
  const [B = 0, A = 0, U = 0] = shape;
  const scoreOf = answersAre === 'numbers' ? scoreOfNumber : scoreOfLogits;
  const lossSums = new Array<number>(A).fill(0);
  const right = new Array<number>(A).fill(0); // whole numbers, so that 19 of 20 are 0.95
  let [wholes, rightInRow] = [0, 0];
  answers.data.forEach((answer, at) => {
    const score = scoreOf(data.subarray(at * U, (at + 1) * U), answer);
    rightInRow = (at % A === 0 ? 0 : rightInRow) + Number(score.isRight);
    if (at % A === A - 1 && rightInRow === A) wholes++;
    lossSums[at % A] = (lossSums[at % A] ?? 0) + score.loss;
    right[at % A] = (right[at % A] ?? 0) + Number(score.isRight);
  });
  const mean = (sums: readonly number[]) => sums.reduce((sum, value) => sum + value, 0) / (A * B);
  const each = (sums: readonly number[]) => sums.map(sum => sum / B);
  return { loss: mean(lossSums), accuracy: mean(right), exactMatch: wholes / B, losses: each(lossSums), accuracies: each(right) };
}

interface Score {
  readonly loss: number;
  readonly isRight: boolean;
}

function scoreOfLogits(logits: Float32Array, answer: number): Score {
  let largest = 0;
  for (let output = 1; output < logits.length; output++) if ((logits[output] ?? 0) > (logits[largest] ?? 0)) largest = output;
  return { loss: crossEntropyOf(logits, answer), isRight: largest === answer };
}

function scoreOfNumber([predicted = Number.NaN]: Float32Array, answer: number): Score {
  return { loss: (predicted - answer) ** 2, isRight: Math.abs(predicted - answer) < 0.5 };
}

/** The cross-entropy of one row of logits as `training/crossEntropy` defines it, which keeps the digits of a tiny loss. */
export function crossEntropyOf(logits: ArrayLike<number>, right: number): number {
  const own = logits[right] ?? Number.NaN;
  let largest = own;
  for (let output = 0; output < logits.length; output++) largest = Math.max(largest, logits[output] ?? Number.NaN);
  const lead = largest - own;
  let others = 0;
  for (let output = 0; output < logits.length; output++) {
    if (output !== right) others += Math.exp((logits[output] ?? Number.NaN) - largest);
  }
  return lead + Math.log1p(Math.expm1(-lead) + others);
}
