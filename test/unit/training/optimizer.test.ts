import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { float32, type HostTensor } from '../../../src/common/tensor';
import { TrainingSchema, type Training } from '../../../src/protocol/experiment';
import { scheduleFactor, stepScalars, updateParameters, weightDecayOf } from '../../../src/training/optimizer';
import { expectClose } from '../../support/close';
import { Draw } from '../../support/draw';
import { onnx } from '../../support/runtimes';

const trainingOf = (given: Partial<Training>): Training => v.parse(TrainingSchema, { steps: 100, ...given });

/** Adam and AdamW number by number in float64, as the papers state them. */
class Reference {
  private readonly moments: { first: number; second: number }[];
  private step = 0;

  constructor(
    private readonly training: Training,
    readonly parameters: number[],
    private readonly decays: readonly number[],
  ) {
    this.moments = parameters.map(() => ({ first: 0, second: 0 }));
  }

  update(gradients: ArrayLike<number>): void {
    const {
      optimizer,
      learningRate,
      betas: [beta1, beta2],
      epsilon,
      schedule,
    } = this.training;
    const rate = learningRate * scheduleFactor(schedule, ++this.step);
    this.moments.forEach((moment, at) => {
      const [parameter = 0, decay = 0] = [this.parameters[at], this.decays[at]];
      const gradient = (gradients[at] ?? 0) + (optimizer === 'adam' ? decay * parameter : 0);
      moment.first = beta1 * moment.first + (1 - beta1) * gradient;
      moment.second = beta2 * moment.second + (1 - beta2) * gradient ** 2;
      const [first, second] = [moment.first / (1 - beta1 ** this.step), moment.second / (1 - beta2 ** this.step)];
      const kept = optimizer === 'adamw' ? parameter * (1 - rate * decay) : parameter;
      this.parameters[at] = kept - (rate * first) / (Math.sqrt(second) + epsilon);
    });
  }
}

const draw = new Draw('optimizer');
const n = 24;

describe.each([
  ['AdamW', trainingOf({ optimizer: 'adamw', weightDecay: 0.5, learningRate: 0.05, betas: [0.9, 0.98] }), []],
  [
    'Adam with its decay in the gradient',
    trainingOf({ optimizer: 'adam', weightDecay: 0.5, learningRate: 0.05, betas: [0.8, 0.95] }),
    [],
  ],
  [
    'AdamW with a decay for each number',
    trainingOf({ optimizer: 'adamw', learningRate: 0.05, betas: [0.9, 0.999], epsilon: 1e-4 }),
    [0.1, 0, 2],
  ],
  ['Adam with a decay for each number', trainingOf({ optimizer: 'adam', learningRate: 0.05 }), [0.1, 0, 2]],
  [
    'AdamW without momentum, warming up',
    trainingOf({ optimizer: 'adamw', learningRate: 0.05, betas: [0, 0.9], schedule: { kind: 'warm-up', steps: 8 } }),
    [],
  ],
] as const)('%s', (_, training, cycle) => {
  test('follows the paper in float64 for 20 steps', async () => {
    const decays = Array.from({ length: n }, (__, at) => cycle[at % cycle.length] ?? training.weightDecay);
    const decay = float32(
      cycle.length === 0 ? [] : [n],
      cycle.length === 0 ? Float32Array.of(training.weightDecay) : Float32Array.from(decays),
    );
    const vector = { dtype: 'float32', shape: [n] } as const;
    const update = await onnx.compile(
      'update',
      (...inputs) => {
        const [parameters, first, second, gradient, decayed, scalars] = inputs as [
          Tensor,
          Tensor,
          Tensor,
          Tensor,
          Tensor,
          Tensor,
        ];
        const next = updateParameters(training, { parameters, first, second }, gradient, decayed, scalars);
        return [next.parameters, next.first, next.second];
      },
      [vector, vector, vector, vector, { dtype: 'float32', shape: decay.shape }, { dtype: 'float32', shape: [3] }],
    );

    let state: readonly HostTensor[] = [draw.float32([n]), float32([n]), float32([n])];
    const reference = new Reference(training, Array.from(state[0]?.data ?? []), decays);
    for (let step = 1; step <= 20; step++) {
      const gradient = draw.float32([n]);
      state = await update.run([
        ...state,
        gradient,
        decay,
        float32([3], Float32Array.from(stepScalars(training, step))),
      ]);
      reference.update(gradient.data);
    }
    expectClose(state[0]?.data ?? [], reference.parameters, { relative: 1e-5, absolute: 1e-6 });
  });
});

describe('schedules multiply the learning rate', () => {
  test('constant: by 1', () => {
    expect([1, 50, 1e6].map(step => scheduleFactor({ kind: 'constant' }, step))).toEqual([1, 1, 1]);
  });

  test('warm-up: in equal rises to the whole at its last step', () => {
    expect([1, 2, 3, 4, 5, 100].map(step => scheduleFactor({ kind: 'warm-up', steps: 4 }, step))).toEqual([
      0.25, 0.5, 0.75, 1, 1, 1,
    ]);
  });

  test('steps: by the factor once more after each of its steps', () => {
    expect([1, 10, 11, 20, 21].map(step => scheduleFactor({ kind: 'steps', at: [10, 20], factor: 0.5 }, step))).toEqual(
      [1, 1, 0.5, 0.5, 0.25],
    );
  });

  test('the step sees the rate of its schedule, and the corrections of both moments', () => {
    const training = trainingOf({ learningRate: 0.01, betas: [0.9, 0.99], schedule: { kind: 'warm-up', steps: 10 } });
    expectClose(stepScalars(training, 1), [0.001, 1 / 0.1, 1 / Math.sqrt(0.01)], { relative: 1e-12 });
    expectClose(stepScalars(training, 1e6), [0.01, 1, 1], { relative: 1e-12 });
  });
});

describe('weight decay', () => {
  const training = trainingOf({
    weightDecay: 0.3,
    weightDecayGroups: [
      { match: '*.W_E', weightDecay: 0 },
      { match: 'embed.*', weightDecay: 1 },
      { match: 'blocks.*.b_*', weightDecay: 2 },
    ],
  });

  test("is that of the first group that matches, and the run's otherwise", () => {
    const names = ['embed.W_E', 'embed.other', 'blocks.1.attn.b_Q', 'blocks.1.attn.W_Q'];
    expect(names.map(name => weightDecayOf(training, name))).toEqual([0, 1, 2, 0.3]);
  });
});
