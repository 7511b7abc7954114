import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { Random } from '../../../src/common/random';
import { float32, type HostTensor } from '../../../src/common/tensor';
import type { TensorFunction } from '../../../src/compile/runtime';
import { initialParameters } from '../../../src/model/parameters';
import { stepScalars } from '../../../src/training/optimizer';
import { readExperiment } from '../../../src/training/experiment';
import { initialVectors, pack } from '../../../src/training/state';
import { layoutOf, trainingStep } from '../../../src/training/step';

export interface Problem {
  readonly fn: TensorFunction;
  readonly inputs: readonly HostTensor[];
}

const experiment = {
  task: { name: 'modular-arithmetic', modulus: 5, trainFraction: 0.5 },
  model: { n_layers: 2, n_heads: 2, d_model: 8, d_head: 4, d_mlp: 16, act_fn: 'gelu', normalization_type: 'LN' },
  // With the usual epsilon Adam's first step turns a gradient of 0 and one of 1e-8 (the key biases' is 0) into far
  // different ones.
  training: { steps: 1, learningRate: 0.01, weightDecay: 0.1, epsilon: 1e-3 },
};

/**
 * A product of matrices with a reduction, and one step of training: too little to be slow on a GPU that is emulated.
 */
export function problems(): Readonly<Record<'small function' | 'training step', Problem>> {
  const reading = readExperiment(JSON.stringify(experiment));
  if (!reading.ok) throw new Error(reading.problems[0]?.message);
  const {
    config,
    resolved: { training },
    task,
  } = reading.experiment;
  const layout = layoutOf(config);
  const values = initialParameters(config, 3);
  const { parameters, first, second } = initialVectors(layout, values);
  const frozen = float32(
    [layout.frozenSize],
    pack(layout.frozen, name => values.get(name)),
  );
  const { tokens, labels } = task.sample(new Random(3, 'webgpu'), 6);
  const random = new Random(3, 'small function');
  const matrix = () =>
    float32(
      [4, 4],
      Float32Array.from({ length: 16 }, () => random.normal()),
    );
  return {
    'small function': {
      fn: (x, y) => [
        tf.softmax(tf.matMul(x as Tensor, y as Tensor, false, true)),
        tf.max(x as Tensor, 1),
        tf.log1p(tf.square(y as Tensor)),
      ],
      inputs: [matrix(), matrix()],
    },
    'training step': {
      fn: trainingStep(config, training, task),
      inputs: [
        parameters,
        first,
        second,
        frozen,
        float32([3], Float32Array.from(stepScalars(training, 1))),
        tokens,
        labels,
      ],
    },
  };
}
