import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { matches } from '../model/parameters';
import type { Schedule, Training } from '../protocol/experiment';

/** The numbers that change from step to step; computed in float64, passed to the compiled step as a vector of three. */
export function stepScalars(training: Training, step: number): readonly [learningRate: number, firstCorrection: number, secondCorrection: number] {
  const [beta1, beta2] = training.betas;
  return [
    training.learningRate * scheduleFactor(training.schedule, step),
    1 / (1 - beta1 ** step),
    1 / Math.sqrt(1 - beta2 ** step),
  ];
}

/** What the learning rate is multiplied by at a step, counted from 1. */
export function scheduleFactor(schedule: Schedule, step: number): number {
  switch (schedule.kind) {
    case 'constant': return 1;
    case 'warm-up': return Math.min(1, step / schedule.steps);
    case 'steps': return schedule.factor ** schedule.at.filter(at => step > at).length;
  }
}

/** Weight decay of one parameter: that of the first group whose pattern matches, or the run's. */
export function weightDecayOf(training: Training, name: string): number {
  return training.weightDecayGroups.find(group => matches([group.match], name))?.weightDecay ?? training.weightDecay;
}

export interface OptimizerState {
  /** `[n]`, all trained parameters one after the other; so are the moments. */
  readonly parameters: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
}

/**
 * One step of Adam (Kingma and Ba 2015), with decoupled weight decay for `adamw` (Loshchilov and Hutter 2019), operation
 * by operation as PyTorch computes it. `decay` is a scalar or `[n]`; `scalars` are those of {@link stepScalars}.
 */
export function updateParameters(training: Training, state: OptimizerState, gradient: Tensor, decay: Tensor, scalars: Tensor): OptimizerState {
  const [beta1, beta2] = training.betas;
  const [learningRate, firstCorrection, secondCorrection] = tf.split(scalars, 3) as [Tensor, Tensor, Tensor]; // [1] each
  const decoupled = training.optimizer === 'adamw';
  const g = decoupled ? gradient : tf.add(gradient, tf.mul(state.parameters, decay));
  const first = tf.add(tf.mul(state.first, beta1), tf.mul(g, 1 - beta1));
  const second = tf.add(tf.mul(state.second, beta2), tf.mul(tf.square(g), 1 - beta2));
  const denominator = tf.add(tf.mul(tf.sqrt(second), secondCorrection), training.epsilon);
  const update = tf.mul(tf.div(first, denominator), tf.mul(learningRate, firstCorrection));
  const kept = decoupled ? tf.mul(state.parameters, tf.sub(1, tf.mul(learningRate, decay))) : state.parameters;
  return { parameters: tf.sub(kept, update), first, second };
}
