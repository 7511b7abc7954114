import type { HostTensor } from '../common/tensor';
import { answerLogits } from '../model/pruned';
import type { RunnableModel } from '../model/runnable';
import type { ModelDetails } from '../protocol/model';
import type { Examples, Task } from '../tasks/task';
import { answerScores, type AnswerScores } from './attribution/answerScores';
import { computeInStretches } from './inStretches';
import { taskOf } from './numberInputs';

// B examples · T positions · A answers an example · U d_vocab_out

/** What to say of a model that {@link answersInNumbers} does not hold of. */
export const numberAnswerNeeds = 'a task whose answers are numbers, as the lengths of shortest paths are';

/** Whether the model answers with a number, and not with one of some words. */
export function answersInNumbers(details: Pick<ModelDetails, 'experiment' | 'config'>): boolean {
  return taskOf(details)?.answersAre === 'numbers';
}

/** A model with the task that it answers. */
export interface Answering {
  readonly model: RunnableModel;
  readonly task: Task;
  readonly signal: AbortSignal;
}

/** What the model answers to `tokens [B, T]` at the task's answer positions: logits `[B, A, U]`, and of numbers the one predicted. */
export async function answersTo(answering: Answering, tokens: HostTensor<'int32'>): Promise<HostTensor<'float32'>> {
  const { model: { config }, task: { answerPositions: positions, alphabet } } = answering;
  const [answers] = await computeInStretches(answering, 'answers', (weights, given) => [answerLogits(config, weights, given, { positions, alphabet })], tokens);
  if (!answers) throw new Error('there are no examples to answer');
  return answers;
}

/** How good the model's answers to examples are. */
export async function scoresOn(answering: Answering, { tokens, labels }: Examples): Promise<AnswerScores> {
  return answerScores(await answersTo(answering, tokens), labels, answering.task);
}
