import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../common/errors';
import { float32, int32, type HostTensor } from '../common/tensor';
import { allowedAttention } from '../model/mask';
import { asFloat32, type RunnableModel } from '../model/runnable';
import { forward } from '../model/transformer';
import type { ModelConfig } from '../protocol/config';
import type { AttentionFigure } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { answerSources } from './attentionScores';
import { defineAnalysis } from './define';
import { answeredExamples, exampleParameters } from './examples';
import { allHeads, componentName, headOf, type Head } from './heads';
import { atAnswers } from './attribution/logitContrast';
import { virtualLines } from './python/patterns';

// B batch · T positions · A answers an example · H heads

/** Where a head looks through another one below it: the product of their attention patterns. */
export const virtualAttention = defineAnalysis({
  id: 'virtual-attention',
  title: 'Virtual attention',
  description: 'Where a later head looks through an earlier one: the product A^later · A^earlier of their patterns, made for each example and then averaged (Elhage et al. 2021, "Virtual attention heads").',
  group: 'Attention',
  params: {
    ...exampleParameters,
    later: { kind: 'head', title: 'Later head', description: 'The head that reads; empty for every head in a layer after the earlier one.', default: '', otherwise: 'All later heads' },
    earlier: { kind: 'head', title: 'Earlier head', description: 'The head that it reads through; empty for 0.0.', default: '', otherwise: 'L0H0' },
  },
  scalars: {
    toAnswer: 'mean weight from the positions where an answer is read to all positions that hold its token, where it can reach any; without a later head, that of the head with most',
    largest: 'mean of the largest weight in each row; without a later head, that of the head with most',
  },
  needs: 'a model of two layers at least',
  needsAnswers: true,
  appliesTo: ({ config }) => config.n_layers >= 2,
  python(context, { later, earlier, ...wanted }) {
    const { config } = context.details;
    return virtualLines(answeredExamples(context, wanted).tokens, headOf(config, earlier === '' ? '0.0' : earlier), later === '' ? undefined : headOf(config, later));
  },
  async run(context, { later, earlier, ...wanted }) {
    const { details: { config }, model, task } = context;
    const through = headOf(config, earlier === '' ? '0.0' : earlier);
    const readers = readersOf(config, through, later);
    const { tokens, positions, title } = answeredExamples(context, wanted);
    model.checkTokens(tokens);
    const [B = 0, T = 0] = tokens.shape;
    const ofMask = allowedAttention(config, T);
    const allowed = Uint8Array.from(productOf(ofMask, ofMask, T), value => Number(value > 0));
    const holds = reachableAnswers(task, tokens, allowed);
    const reachable = countRows(holds) / (B * task.answerPositions.length);
    const products = await virtualPatterns(model, task, tokens, holds, through);
    const shown = readers.map(reader => {
      const { patterns, toAnswer, largest } = products[reader.layer - through.layer - 1] ?? noLayer(reader);
      const { head } = reader;
      return { ...reader, pattern: patterns.data.slice(head * T * T, (head + 1) * T * T), toAnswer: toAnswer.data[head] ?? 0, largest: largest.data[head] ?? 0 };
    });

    const figure: AttentionFigure = {
      kind: 'attention',
      title: `Virtual attention through ${componentName(through)} ${title}`,
      caption: `Each row is a destination of the head shown; its weights say what that head reads through ${componentName(through)}, and sum to 1.`,
      tokens: positions,
      heads: shown.map(({ layer, head, pattern }) => ({ layer, head, pattern })),
      allowed,
      scalar: reachable > 0 ? 'toAnswer' : 'largest',
    };
    const most = (values: readonly number[]) => Math.max(...values);
    return { figures: [figure], scalars: { ...(reachable > 0 && { toAnswer: most(shown.map(head => head.toAnswer)) / reachable }), largest: most(shown.map(head => head.largest)) } };
  },
});

/** The heads that can read what `through` writes: the chosen one, or all of the layers after it. */
function readersOf(config: ModelConfig, through: Head, later: string): readonly Head[] {
  const name = componentName(through);
  const first = through.layer + 1;
  if (first === config.n_layers) throw new UserError(`No head reads what ${name} writes, as it is in the last layer; choose an earlier head from a layer below ${through.layer}.`);
  if (later === '') return allHeads(config).filter(({ layer }) => layer >= first);
  const reader = headOf(config, later);
  if (reader.layer >= first) return [reader];
  throw new UserError(`${componentName(reader)} cannot read what ${name} writes, as it is not in a layer after it; choose a later head from layer ${first} on.`);
}

interface LayerProducts {
  /** `[H, T, T]` mean over the examples of the products. */
  readonly patterns: HostTensor<'float32'>;
  /** `[H]` */
  readonly toAnswer: HostTensor<'float32'>;
  readonly largest: HostTensor<'float32'>;
}

/** The products of the patterns of every later layer with that of `through`, by layer. `holds [B, A, T]` is 1 where a source holds the answer. */
async function virtualPatterns(
  model: RunnableModel, task: Task, tokens: HostTensor<'int32'>, holds: HostTensor<'float32'>, { layer, head }: Head,
): Promise<readonly LayerProducts[]> {
  const { config } = model;
  // The head is an input, so that choosing another one of the layer compiles nothing.
  const outputs = await model.compute(`virtual attention through layer ${layer}`, (weights, tokens, holds, head) => {
    if (!tokens || !holds || !head) throw new Error('virtual attention takes tokens, answers and a head');
    const patterns: tf.Tensor[] = []; // [B, H, T, T] of each layer
    forward(config, weights, tokens, {
      hook: (name, value) => {
        if (name.endsWith('attn.hook_pattern')) patterns.push(value);
        return value;
      },
    });
    const earlier = patterns[layer];
    if (!earlier) throw new Error(`the model has no layer ${layer}`);
    const one = tf.gather(earlier, head, 1); // [B, 1, T, T]
    return patterns.slice(layer + 1).flatMap(later => {
      const product = tf.matMul(later, tf.tile(one, [1, config.n_heads, 1, 1])); // [B, H, T, T]
      const atAnswer = atAnswers(task, tf.transpose(product, [0, 2, 1, 3])); // [B, A, H, T]
      const toAnswer = tf.sum(tf.mul(atAnswer, tf.expandDims(holds, 2)), 3); // [B, A, H]
      return [tf.mean(product, 0), tf.mean(toAnswer, [0, 1]), tf.mean(tf.max(product, 3), [0, 2])];
    });
  }, [tokens, holds, int32([1], Int32Array.of(head))]);
  return Array.from({ length: outputs.length / 3 }, (_, at) => ({
    patterns: asFloat32(outputs[3 * at]), toAnswer: asFloat32(outputs[3 * at + 1]), largest: asFloat32(outputs[3 * at + 2]),
  }));
}

/** `[B, A, T]`: 1 where an answer can reach a position that holds its token. */
function reachableAnswers(task: Task, { shape, data }: HostTensor<'int32'>, allowed: Uint8Array): HostTensor<'float32'> {
  const [B = 0, T = 0] = shape;
  const sourcesOf = answerSources(task);
  const A = task.answerPositions.length;
  const holds = float32([B, A, T]);
  for (let row = 0; row < B; row++) {
    task.answerPositions.forEach((position, answer) => {
      const reached = sourcesOf(data.subarray(row * T, (row + 1) * T), position).filter(source => allowed[position * T + source] === 1);
      for (const source of reached) holds.data[(row * A + answer) * T + source] = 1;
    });
  }
  return holds;
}

/** How many rows of `holds [B, A, T]` have a 1. */
function countRows({ shape, data }: HostTensor<'float32'>): number {
  const [B = 0, A = 0, T = 0] = shape;
  return Array.from({ length: B * A }, (_, row) => data.subarray(row * T, (row + 1) * T)).filter(row => row.includes(1)).length;
}

/** The product of two matrices `[T, T]`. */
function productOf(a: ArrayLike<number>, b: ArrayLike<number>, T: number): Float64Array {
  return Float64Array.from({ length: T * T }, (_, at) => {
    const [row, column] = [Math.floor(at / T), at % T];
    let sum = 0;
    for (let middle = 0; middle < T; middle++) sum += (a[row * T + middle] ?? 0) * (b[middle * T + column] ?? 0);
    return sum;
  });
}

function noLayer({ layer }: Head): never {
  throw new Error(`layer ${layer} gave no pattern`);
}
