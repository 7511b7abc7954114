import type { Task } from '../tasks/task';

/** What figures call what is measured of answers, which are words to choose from or numbers themselves. */
export interface AnswerMeasures {
  /** What an output is, as an axis. */
  readonly output: string;
  /** What is explained of one run. */
  readonly explained: string;
  /** What lies between a clean and a corrupted run, behind "share of". */
  readonly between: string;
  readonly loss: string;
  readonly lossIncrease: string;
  /** Behind a loss. */
  readonly lossUnit: string;
  /** What a loss is the mean of. */
  readonly lossKind: string;
  /** Which share of the answers accuracy is. */
  readonly right: string;
}

const ofWords: AnswerMeasures = {
  output: 'Logit',
  explained: 'the logit of the right answer',
  between: 'the clean logit difference',
  loss: 'Loss in nats',
  lossIncrease: 'Loss increase in nats',
  lossUnit: 'nats',
  lossKind: 'cross-entropy in nats',
  right: 'Fraction right',
};

const ofNumbers: AnswerMeasures = {
  output: 'Predicted number',
  explained: 'the predicted number',
  between: 'the difference between the clean and the corrupted prediction',
  loss: 'Mean squared error',
  lossIncrease: 'Increase of the mean squared error',
  lossUnit: 'squared',
  lossKind: 'squared error',
  right: 'Fraction right when rounded',
};

export function measuresOf({ answersAre }: Pick<Task, 'answersAre'>): AnswerMeasures {
  return answersAre === 'numbers' ? ofNumbers : ofWords;
}
