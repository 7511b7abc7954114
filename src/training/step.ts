import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { sizeOf } from '../common/tensor';
import type { TensorFunction, TensorSpec } from '../compile/runtime';
import type { Weights } from '../model/layers';
import { identity, parameterSpecs, type ParameterSpec } from '../model/parameters';
import { answerLogits, type AnswerShape } from '../model/pruned';
import type { ModelConfig } from '../protocol/config';
import type { Training } from '../protocol/experiment';
import type { Task } from '../tasks/task';
import { crossEntropy } from './crossEntropy';
import { updateParameters, weightDecayOf } from './optimizer';

// B examples · T positions · A answers · U outputs · n trained numbers · f frozen numbers

/** The trained and the frozen parameters of a model, each laid out one after the other in a single vector. */
export interface Layout {
  readonly trained: readonly ParameterSpec[];
  readonly frozen: readonly ParameterSpec[];
  readonly trainedSize: number;
  readonly frozenSize: number;
}

export function layoutOf(config: ModelConfig): Layout {
  const specs = parameterSpecs(config);
  const [trained, frozen] = [specs.filter(spec => spec.trainable), specs.filter(spec => !spec.trainable)];
  const size = (some: readonly ParameterSpec[]) => some.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { trained, frozen, trainedSize: size(trained), frozenSize: size(frozen) };
}

function answerShape(task: Task, mayPack = true): AnswerShape {
  return { positions: task.answerPositions, alphabet: task.alphabet, mayPack };
}

/**
 * The compiled training step: `(parameters [n], first [n], second [n], frozen [f], scalars [3], tokens [B, T],
 * labels [B, A]) → (parameters, first, second, loss [])`. The loss is that of the parameters before the step. `mayPack` is
 * that of {@link AnswerShape}.
 */
export function trainingStep(config: ModelConfig, training: Training, task: Task, mayPack = true): TensorFunction {
  const layout = layoutOf(config);
  const decays = layout.trained.map(({ name }) => weightDecayOf(training, name));
  return (...inputs) => {
    const [parameters, first, second, frozen, scalars, tokens, labels] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    const trained = unpack(parameters, layout.trained);
    const fixed = unpackFrozen(frozen, layout);
    const loss = (...tensors: Tensor[]) => {
      const weights = weightsOf([...layout.trained, ...layout.frozen], [...tensors, ...fixed]);
      return lossOf(task, answerLogits(config, weights, tokens, answerShape(task, mayPack)), labels) as tf.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(loss)(trained);
    const gradient = tf.concat(grads.map(grad => tf.reshape(grad, [-1])));
    const decay = decays.every(each => each === decays[0])
      ? tf.scalar(decays[0] ?? 0)
      : tf.concat(layout.trained.map(({ shape }, index) => tf.fill([sizeOf(shape)], decays[index] ?? 0)));
    const next = updateParameters(training, { parameters, first, second }, gradient, decay, scalars);
    return [next.parameters, next.first, next.second, value];
  };
}

export function trainingStepInputs(config: ModelConfig, task: Task, batch: number): readonly TensorSpec[] {
  const { trainedSize: n, frozenSize: f } = layoutOf(config);
  return [
    { dtype: 'float32', shape: [n] }, { dtype: 'float32', shape: [n] }, { dtype: 'float32', shape: [n] }, { dtype: 'float32', shape: [f] },
    { dtype: 'float32', shape: [3] }, ...exampleInputs(task, batch),
  ];
}

/**
 * The compiled evaluation: `(parameters [n], frozen [f], tokens [B, T], labels [B, A]) → (loss [], right [], whole [])`,
 * the loss and the numbers of right answers and of examples that are right whole. A number is right that rounds to the right one.
 */
export function evaluation(config: ModelConfig, task: Task): TensorFunction {
  const layout = layoutOf(config);
  return (...inputs) => {
    const [parameters, frozen, tokens, labels] = inputs as [Tensor, Tensor, Tensor, Tensor];
    const weights = weightsOf([...layout.trained, ...layout.frozen], [...unpack(parameters, layout.trained), ...unpackFrozen(frozen, layout)]);
    const logits = answerLogits(config, weights, tokens, answerShape(task)); // [B, A, U]
    const right = task.answersAre === 'numbers'
      ? tf.less(tf.abs(errorsOf(logits, labels)), 0.5)
      : tf.equal(tf.argMax(logits, 2), labels); // [B, A]
    const count = tf.cast(right, 'float32');
    return [lossOf(task, logits, labels), tf.sum(count), tf.sum(tf.min(count, 1))];
  };
}

export function evaluationInputs(config: ModelConfig, task: Task, batch: number): readonly TensorSpec[] {
  const { trainedSize: n, frozenSize: f } = layoutOf(config);
  return [{ dtype: 'float32', shape: [n] }, { dtype: 'float32', shape: [f] }, ...exampleInputs(task, batch)];
}

function exampleInputs(task: Task, batch: number): readonly TensorSpec[] {
  return [
    { dtype: 'int32', shape: [batch, task.positions.length] },
    { dtype: 'int32', shape: [batch, task.answerPositions.length] },
  ];
}

/** The mean cross-entropy in nats; of answers that are numbers, the mean squared error. */
function lossOf({ answersAre }: Task, logits: Tensor, labels: Tensor): Tensor {
  if (answersAre === 'numbers') return tf.mean(tf.square(errorsOf(logits, labels)));
  const U = logits.shape.at(-1) ?? 1;
  return crossEntropy(tf.reshape(logits, [-1, U]), tf.reshape(labels, [-1]));
}

/** What predictions `[B, A, 1]` are off by, `[B, A]`. */
function errorsOf(predictions: Tensor, labels: Tensor): Tensor {
  return tf.sub(tf.squeeze(predictions, [2]), tf.cast(labels, 'float32'));
}

/** Cuts a vector into the parameters laid out in it. */
function unpack(vector: Tensor, specs: readonly ParameterSpec[]): Tensor[] {
  if (specs.length === 0) return [];
  const parts = tf.split(vector, specs.map(({ shape }) => sizeOf(shape)));
  return parts.map((part, index) => tf.reshape(part, [...(specs[index]?.shape ?? [])]));
}

/** As above, but identities as the constants that they are: no product with them is computed. */
function unpackFrozen(vector: Tensor, { frozen }: Layout): Tensor[] {
  return unpack(vector, frozen).map((part, index) => {
    const spec = frozen[index];
    return spec?.start === 'identity' ? tf.tensor(identity(spec.shape).data, [...spec.shape]) : part;
  });
}

function weightsOf(specs: readonly ParameterSpec[], tensors: readonly Tensor[]): Weights {
  const byName = new Map(specs.map(({ name }, index) => [name, tensors[index]]));
  return name => {
    const tensor = byName.get(name);
    if (!tensor) throw new Error(`the model has no parameter ${name}`);
    return tensor;
  };
}
