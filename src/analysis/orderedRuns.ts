import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { Matrix } from 'ml-matrix';
import { int32 } from '../common/tensor';
import type { Weights } from '../model/layers';
import type { RunnableModel } from '../model/runnable';
import { forward } from '../model/transformer';
import type { ModelConfig } from '../protocol/config';
import type { Task } from '../tasks/task';
import { positionNames } from '../tasks/words';
import { cosinesOf } from './cosines';
import { computeInStretches } from './inStretches';
import { answerInputs, inputPositions, numbersAt, reordered } from './numberInputs';
import { matrixOf } from './weights/weights';

// N orders · T positions · H heads of all layers · M numbers in an activation · S values and positions that are attended to

/** What is read of a model: one activation `[B, T, M]`, and attention, at one position. */
export interface ReadSite {
  readonly hook: string;
  readonly position: number;
}

/** A model that runs until it is no longer wanted. */
interface Running {
  readonly model: RunnableModel;
  readonly signal: AbortSignal;
}

/** One input in all of its orders. */
export interface OrderedRun {
  /** The inputs in each order, in words `[N]`; equal where equal numbers have changed places. */
  readonly names: readonly string[];
  /** `[N, M]` */
  readonly activations: Matrix;
  /** Each head's attention from the position to each position: H × `[N, T]`. */
  readonly byPlace: readonly Matrix[];
  /** The same, with inputs in the order of their values, equal ones together, before the other positions: H × `[N, S]`. */
  readonly byValue: readonly Matrix[];
  /** What the `S` columns of that are called. */
  readonly keys: readonly string[];
  /** The columns that hold the answer read at the position: none where no input holds it. */
  readonly answerKeys: readonly number[];
}

/** Runs `prompt [T]` with its inputs in each of some orders. */
export async function runInOrders(
  context: Running & { readonly task: Task }, prompt: readonly number[], orders: readonly (readonly number[])[], site: ReadSite,
): Promise<OrderedRun> {
  const { task } = context;
  const [T, inputs] = [prompt.length, inputPositions(task)];
  const prompts = orders.map(order => reordered(prompt, inputs, order));
  const read = await readAt(context, prompts, site);
  const values = valuesAmong(task, prompt);
  const others = Array.from({ length: T }, (_, position) => position).filter(position => !inputs.includes(position));
  const byValue = (pattern: Matrix) => new Matrix(prompts.map((tokens, order) => [
    ...values.map(value => inputs.reduce((sum, position) => (tokens[position] === value ? sum + pattern.get(order, position) : sum), 0)),
    ...others.map(position => pattern.get(order, position)),
  ]));
  const answers = answerInputs(task)(Int32Array.from(prompt), site.position).map(position => values.indexOf(prompt[position] ?? -1));
  const word = (token: number) => task.vocabulary[token] ?? '';
  const names = positionNames(task);
  return {
    names: prompts.map(tokens => inputs.map(position => word(tokens[position] ?? -1)).join(' ')),
    activations: read.activations,
    byPlace: read.patterns,
    byValue: read.patterns.map(byValue),
    keys: [...values.map(word), ...others.map(position => names[position] ?? '')],
    answerKeys: [...new Set(answers)],
  };
}

/** The numbers that a prompt's inputs hold, as tokens, ascending in value. */
export function valuesAmong(task: Task, prompt: ArrayLike<number>): readonly number[] {
  const inputs = inputPositions(task);
  return numbersAt(task, inputs[0] ?? 0).map(({ token }) => token).filter(token => inputs.some(position => prompt[position] === token));
}

interface Read {
  /** `[N, M]` */
  readonly activations: Matrix;
  /** H × `[N, T]` */
  readonly patterns: readonly Matrix[];
}

/** The activation and the attention of every head at the position, of prompts N × `[T]`. */
async function readAt(context: Running, prompts: readonly (readonly number[])[], site: ReadSite): Promise<Read> {
  const { model } = context;
  const [N, T] = [prompts.length, prompts[0]?.length ?? 0];
  const outputs = await computeInStretches(
    context, `orders ${site.hook} ${site.position}`, (weights, tokens) => readPass(model.config, weights, tokens, site), int32([N, T], Int32Array.from(prompts.flat())));
  const [activations, ...patterns] = outputs.map(weight => matrixOf({ weight, transposed: false }));
  if (!activations) throw new Error('there is no order');
  return { activations, patterns };
}

/** Within a compiled function: the activation `[B, M]` at the position, and every head's attention from there, H × `[B, T]`. */
function readPass(config: ModelConfig, weights: Weights, tokens: Tensor, { hook, position }: ReadSite): Tensor[] {
  let activation: Tensor | undefined;
  const patterns: Tensor[] = [];
  forward(config, weights, tokens, {
    hook: (name, value) => {
      if (name === hook) activation = tf.squeeze(tf.slice(value, [0, position, 0], [-1, 1, -1]), [1]);
      if (name.endsWith('hook_pattern')) {
        const rows = tf.slice(value, [0, 0, position, 0], [-1, -1, 1, -1]); // [B, heads of a layer, 1, T]
        patterns.push(...tf.split(rows, config.n_heads, 1).map(row => tf.squeeze(row, [1, 2])));
      }
      return value;
    },
  });
  if (!activation) throw new Error(`the forward pass did not meet ${hook}`);
  return [activation, ...patterns];
}

/** The smallest of some numbers, and their mean. */
export interface Spread {
  readonly smallest: number;
  readonly mean: number;
}

/** Cosines of rows `[N, m]`, two orders at a time, of those that put different numbers somewhere; undefined where there is no such pair. */
export function spreadOverOrders(rows: Matrix, names: readonly string[]): Spread | undefined {
  const cosines = cosinesOf(rows);
  let [smallest, sum, count] = [1, 0, 0];
  names.forEach((one, row) => names.slice(0, row).forEach((other, column) => {
    if (one === other) return;
    const cosine = cosines.get(row, column);
    [smallest, sum, count] = [Math.min(smallest, cosine), sum + cosine, count + 1];
  }));
  return count > 0 ? { smallest, mean: sum / count } : undefined;
}

/** The mean attention of each head `[H]` to the inputs that hold the answer, over the orders; undefined where none holds it. */
export function attentionToAnswer({ byValue, answerKeys }: OrderedRun): readonly number[] | undefined {
  if (answerKeys.length === 0) return undefined;
  return byValue.map(pattern => answerKeys.reduce((sum, key) => sum + pattern.getColumn(key).reduce((all, weight) => all + weight, 0), 0) / pattern.rows);
}
