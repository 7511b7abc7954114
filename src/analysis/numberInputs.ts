import { UserError } from '../common/errors';
import { Random } from '../common/random';
import type { ModelDetails } from '../protocol/model';
import { modelTask } from '../tasks/fitted';
import type { Task } from '../tasks/task';
import { answerSources, type ExpectedSources } from './attentionScores';

// T positions · n inputs

/** A token that is a number. */
export interface NumberToken {
  readonly token: number;
  readonly value: number;
}

/** What to say of a model whose task {@link isOrderFree} does not hold of. */
export const orderFreeNeeds = 'a task whose answers stay the same when its inputs change places, as the largest of some numbers does and a list to be copied does not';

/** The task of a model, made anew; undefined where there is no such task any more, or not with its parameters. */
export function taskOf({ experiment, config }: Pick<ModelDetails, 'experiment' | 'config'>): Task | undefined {
  try {
    return modelTask(experiment.task, config);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The numbers that can stand at a position, ascending in value. */
export function numbersAt({ vocabulary, alphabet }: Pick<Task, 'vocabulary' | 'alphabet'>, position: number): readonly NumberToken[] {
  return (alphabet[position] ?? []).flatMap(token => {
    const word = vocabulary[token] ?? '';
    return /^-?\d+$/.test(word) ? [{ token, value: Number(word) }] : [];
  }).sort((one, other) => one.value - other.value);
}

/** The positions of a task's inputs: those before the first answer is read where any number of the vocabulary can stand, and nothing else. */
export function inputPositions(task: Pick<Task, 'vocabulary' | 'alphabet' | 'answerPositions' | 'answersAre'>): readonly number[] {
  const { vocabulary, alphabet, answerPositions, answersAre } = task;
  // Where nothing is asked nothing is an input, even if tokens are called by their numbers.
  if (answersAre === 'unknown') return [];
  const everyNumber = numbersAt({ vocabulary, alphabet: [[...vocabulary.keys()]] }, 0).length;
  const [first = 0] = answerPositions;
  return Array.from({ length: first }, (_, position) => position).filter(position => {
    const numbers = numbersAt(task, position).length;
    return numbers > 1 && numbers === everyNumber && numbers === alphabet[position]?.length;
  });
}

/** Examples in which inputs change places, to see whether the answers stay. */
const examplesTried = 64;

/**
 * Whether the right answers are the same in every order of the inputs, of which there are two at least: found out by
 * exchanging neighbours, of which all orders are made, in examples of the task.
 */
export function isOrderFree(task: Task): boolean {
  const positions = inputPositions(task);
  if (positions.length < 2) return false;
  const { tokens: { data, shape: [B = 0, T = 0] } } = task.sample(new Random(0, 'orders'), examplesTried);
  const exchanges = positions.slice(1).map((_, place) => positions.map((__, at) => (at === place ? place + 1 : at === place + 1 ? place : at)));
  return Array.from({ length: B }, (_, row) => [...data.subarray(row * T, (row + 1) * T)]).every(prompt => {
    const right = task.answers(prompt)?.join();
    return right !== undefined && exchanges.every(order => task.answers(reordered(prompt, positions, order))?.join() === right);
  });
}

/** The prompt `[T]` with its inputs in another order `[n]`: what stood at `positions[order[i]]` stands at `positions[i]`. */
export function reordered(prompt: readonly number[], positions: readonly number[], order: readonly number[]): number[] {
  const changed = [...prompt];
  order.forEach((from, to) => (changed[positions[to] ?? -1] = prompt[positions[from] ?? -1] ?? -1));
  return changed;
}

/** As many as there are of six places. */
const mostOrders = 720;

/**
 * All orders of `n` places, the numbers 0 … n − 1 as a dictionary sorts them; where there are more than {@link mostOrders}, that
 * many of them, drawn at random, each once, and the first of them still the one that changes nothing.
 */
export function ordersOf(n: number, random: Random): readonly (readonly number[])[] {
  const unchanged = Array.from({ length: n }, (_, place) => place);
  if (orderCount(n) <= mostOrders) return permutationsOf(unchanged);
  const drawn = new Map([[unchanged.join(), unchanged]]);
  while (drawn.size < mostOrders) {
    const order = [...random.permutation(n)];
    drawn.set(order.join(), order);
  }
  return [...drawn.values()];
}

/** How many orders of `n` places there are. */
export function orderCount(n: number): number {
  return Array.from({ length: n }, (_, place) => place + 1).reduce((count, factor) => count * factor, 1);
}

function permutationsOf(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, at) => permutationsOf(items.toSpliced(at, 1)).map(rest => [first, ...rest]));
}

/** The inputs that hold the right answer of a destination where one is read. */
export function answerInputs(task: Task): ExpectedSources {
  const [inputs, sources] = [inputPositions(task), answerSources(task)];
  return (tokens, destination) => sources(tokens, destination).filter(source => inputs.includes(source));
}
