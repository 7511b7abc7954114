import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { Random } from '../common/random';
import { float32, int32, type HostTensor } from '../common/tensor';
import { allowedAttention } from '../model/mask';
import { answerLogits } from '../model/pruned';
import type { RunnableModel } from '../model/runnable';
import type { ModelConfig } from '../protocol/config';
import type { ModelDetails } from '../protocol/model';
import type { Task } from '../tasks/task';
import { computeInStretches } from './inStretches';
import { answerInputs, inputPositions, numbersAt, taskOf } from './numberInputs';

// R prompts · T positions · H heads · A answers an example · V values

/** What to say of a model of which {@link canForceAttention} does not hold. */
export const forcedAttentionNeeds = 'one layer, and a task whose answers stand among its inputs, where every answer may attend to at least two of them';

/** Examples that must all have their answers among their inputs. */
const examplesTried = 64;

/**
 * Whether attention can be fixed on the input that is to be the answer. With more layers an input's place in the last of them
 * holds more than the input, and there is no place that is to be attended to.
 */
export function canForceAttention(details: Pick<ModelDetails, 'experiment' | 'config'>): boolean {
  const { config } = details;
  const task = taskOf(details);
  if (config.n_layers !== 1 || !task || task.answerPositions.some(position => placesOf(config, task, position).length < 2)) return false;
  const holding = answerInputs(task);
  const { tokens: { shape: [B = 0, T = 0], data } } = task.sample(new Random(0, 'answers among inputs'), examplesTried);
  return Array.from({ length: B }, (_, row) => data.subarray(row * T, (row + 1) * T)).every(prompt =>
    task.answerPositions.every(position => holding(prompt, position).length > 0));
}

/** The inputs that an answer may attend to. */
function placesOf(config: ModelConfig, task: Task, position: number): readonly number[] {
  const T = task.positions.length;
  const allowed = allowedAttention(config, T);
  return inputPositions(task).filter(source => allowed[position * T + source] === 1);
}

/** A number that is an input and an output. */
export interface CopiedValue {
  readonly value: number;
  readonly token: number;
  readonly output: number;
}

/** The values that can be inputs and answers, ascending. */
export function copiedValues(task: Task): readonly CopiedValue[] {
  const [input = 0] = inputPositions(task);
  return numbersAt(task, input).flatMap(({ token, value }) => {
    const output = task.outputs.indexOf(task.vocabulary[token] ?? '');
    return output < 0 ? [] : [{ value, token, output }];
  });
}

/** Prompts for one of the answers, `n` of them a value, with the values in their order. */
export interface ForcedPrompts {
  readonly n: number;
  readonly position: number;
  /** `[R, T]` */
  readonly tokens: HostTensor<'int32'>;
  /** The places `[R]` of the value and of the one that is mixed in. */
  readonly places: HostTensor<'int32'>;
  readonly otherPlaces: HostTensor<'int32'>;
  /** The value's output `[R]`. */
  readonly outputs: Int32Array;
}

/** Examples among which there is one with each answer, but for rare ones, as a sorted list hardly ever starts with the largest number. */
const examplesDrawn = 4096;

/**
 * For each answer, each value among the inputs of examples beside `n` other ones of `others`, both at places drawn at random. The
 * examples are those with the value for that answer, or with the nearest to it that is drawn, so that what the model reads at the
 * answer itself fits it; the inputs at the other places are not attended to.
 */
export function forcedPrompts(
  { task, model: { config } }: { readonly task: Task; readonly model: RunnableModel }, random: Random, values: readonly CopiedValue[], others: readonly CopiedValue[], n: number,
): readonly ForcedPrompts[] {
  const drawn = task.sample(random, examplesDrawn);
  const [B = 0, T = 0] = drawn.tokens.shape;
  const A = task.answerPositions.length;
  const valueOf = new Map(values.map(({ output, value }) => [output, value]));
  return task.answerPositions.map((position, answer) => {
    const answered = Array.from({ length: B }, (_, row) => row).flatMap(row => {
      const value = valueOf.get(drawn.labels.data[row * A + answer] ?? -1);
      return value === undefined ? [] : [{ row, value }];
    });
    const places = placesOf(config, task, position);
    const rows = values.flatMap(({ token, output, value }) => {
      const fitting = nearestTo(value, answered, answer > 0);
      const different = others.filter(other => other.token !== token);
      return [...random.permutation(different.length)].slice(0, n).map(at => {
        const row = fitting[random.integer(fitting.length)]?.row ?? 0;
        const [place = 0, otherPlace = 0] = [...random.permutation(places.length)].map(index => places[index] ?? 0);
        const prompt = drawn.tokens.data.slice(row * T, (row + 1) * T);
        prompt[place] = token;
        prompt[otherPlace] = different[at]?.token ?? token;
        return { prompt, place, otherPlace, output };
      });
    });
    const R = rows.length;
    const tokens = int32([R, T]);
    rows.forEach(({ prompt }, row) => tokens.data.set(prompt, row * T));
    const column = (of: (row: (typeof rows)[number]) => number) => int32([R], Int32Array.from(rows, of));
    return {
      n, position, tokens, places: column(row => row.place), otherPlaces: column(row => row.otherPlace), outputs: Int32Array.from(rows, row => row.output),
    };
  });
}

/**
 * The examples whose answer is nearest to a value: where any is as small, of those `fromBelow`. Behind earlier answers a larger
 * one would not do: when sorting, the number just written could be larger than the value that is to follow it.
 */
function nearestTo<Answered extends { readonly value: number }>(to: number, examples: readonly Answered[], fromBelow: boolean): readonly Answered[] {
  const below = fromBelow ? examples.filter(({ value }) => value <= to) : [];
  const candidates = below.length > 0 ? below : examples;
  const least = candidates.reduce((distance, { value }) => Math.min(distance, Math.abs(value - to)), Infinity);
  return candidates.filter(({ value }) => Math.abs(value - to) === least);
}

/**
 * How many of the prompts of each value are answered with it `[V]`, where each head pays a share `[H]` of its attention to the
 * other value, and the rest to this one.
 */
export async function rightWithForced(
  context: { readonly model: RunnableModel; readonly task: Task; readonly signal: AbortSignal },
  { n, position, tokens, places, otherPlaces, outputs }: ForcedPrompts, shares: readonly number[],
): Promise<Int32Array> {
  const { model: { config }, task } = context;
  const [R, H] = [outputs.length, shares.length];
  const everyShare = float32([R, H], Float32Array.from({ length: R * H }, (_, at) => shares[at % H] ?? 0));
  const [answers] = await computeInStretches(context, `forced attention ${position}`, (weights, prompts, ...given) => {
    const [place, otherPlace, share] = given as [Tensor, Tensor, Tensor];
    const T = prompts.shape[1] ?? 1;
    const at = (where: Tensor) => tf.reshape(tf.oneHot(where, T, 1, 0, 'float32'), [-1, 1, 1, T]);
    const other = tf.reshape(share, [-1, H, 1, 1]);
    const pattern = tf.add(tf.mul(at(place), tf.sub(1, other)), tf.mul(at(otherPlace), other)); // [R, H, 1, T]
    const logits = answerLogits(config, weights, prompts, {
      positions: [position], alphabet: task.alphabet, hook: (name, value) => (name.endsWith('hook_pattern') ? pattern : value),
    });
    return [tf.cast(tf.argMax(tf.squeeze(logits, [1]), -1), 'float32')]; // [R], whole numbers that float32 has
  }, tokens, [places, otherPlaces, everyShare]);
  const right = new Int32Array(R / n);
  outputs.forEach((output, row) => {
    const value = Math.floor(row / n);
    right[value] = (right[value] ?? 0) + Number(answers?.data[row] === output);
  });
  return right;
}
