import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { float32, int32, type HostTensor } from '../../../src/common/tensor';
import { TrainingSchema, type Training } from '../../../src/protocol/experiment';
import { trace } from '../../../src/compile/tracing';
import type { ModelConfig } from '../../../src/protocol/config';
import { arrayUpdate } from '../../../src/tasks/arrayUpdate';
import { modularArithmetic } from '../../../src/tasks/modularArithmetic';
import type { Task } from '../../../src/tasks/task';
import { stepScalars } from '../../../src/training/optimizer';
import { initialVectors, pack, stateOf } from '../../../src/training/state';
import { layoutOf, trainingStep, trainingStepInputs } from '../../../src/training/step';
import { initialParameters, type ParameterValuesByName } from '../../../src/model/parameters';
import { expectClose, expectCloseToScale } from '../../support/close';
import { configFromFixture, readFixture } from '../../support/fixtures';
import { configOf, randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';

interface Batch {
  readonly tokens: HostTensor<'int32'>;
  readonly labels: HostTensor<'int32'>;
}

/** Trains for some steps. Returns the loss before each, and the state after each. */
async function train(
  config: ModelConfig,
  training: Training,
  task: Task,
  initial: ParameterValuesByName,
  batches: readonly Batch[],
) {
  const layout = layoutOf(config);
  const step = await onnx.compile(
    'training step',
    trainingStep(config, training, task),
    trainingStepInputs(config, task, batches[0]?.tokens.shape[0] ?? 0),
  );
  const frozen = float32(
    [layout.frozenSize],
    pack(layout.frozen, name => initial.get(name)),
  );
  let vectors = initialVectors(layout, initial);
  const losses: number[] = [];
  const states = [];
  for (const [index, { tokens, labels }] of batches.entries()) {
    const scalars = float32([3], Float32Array.from(stepScalars(training, index + 1)));
    const [parameters, first, second, loss] = (await step.run([
      vectors.parameters,
      vectors.first,
      vectors.second,
      frozen,
      scalars,
      tokens,
      labels,
    ])) as HostTensor<'float32'>[];
    if (!parameters || !first || !second) throw new Error('the step gave too little');
    vectors = { parameters, first, second };
    losses.push(loss?.data[0] ?? Number.NaN);
    states.push(stateOf(layout, vectors, frozen, { step: index + 1, seconds: 0, streak: 0 }));
  }
  return { losses, states };
}

const DocumentSchema = v.object({
  config: v.unknown(),
  optimizer: v.object({
    name: v.picklist(['Adam', 'AdamW']),
    lr: v.number(),
    weight_decay: v.number(),
    betas: v.tuple([v.number(), v.number()]),
    eps: v.number(),
  }),
  steps: v.number(),
  same_batch_every_step: v.boolean(),
  loss_positions: v.array(v.number()),
  trainable: v.array(v.string()),
  frozen: v.array(v.string()),
});

describe.each([
  ['modular-subtraction-adamw', modularArithmetic.create({ operation: 'subtract', modulus: 11, trainFraction: 0.3 })],
  ['modular-subtraction-adam', modularArithmetic.create({ operation: 'subtract', modulus: 11, trainFraction: 0.3 })],
  ['array-update-adamw', arrayUpdate.create({ length: 3, numbers: 10, sharedUpdate: true })],
])('%s trains as in PyTorch', async (name, task) => {
  const { document, tensors } = await readFixture(`training/${name}`);
  const {
    config: fixtureConfig,
    optimizer,
    steps,
    same_batch_every_step,
    loss_positions,
    trainable,
    frozen,
  } = v.parse(DocumentSchema, document);
  const config = { ...configFromFixture(fixtureConfig), biases: false };
  const training = v.parse(TrainingSchema, {
    steps,
    optimizer: optimizer.name.toLowerCase(),
    learningRate: optimizer.lr,
    weightDecay: optimizer.weight_decay,
    betas: optimizer.betas,
    epsilon: optimizer.eps,
  });
  const [B = 0, T = 0] = tensors.int32('tokens').shape.slice(-2);
  const batches = Array.from({ length: steps }, (_, index): Batch => {
    const of = (what: string, width: number) => {
      const { data } = tensors.int32(what);
      const from = same_batch_every_step ? 0 : index * B * width;
      return int32([B, width], data.slice(from, from + B * width));
    };
    return { tokens: of('tokens', T), labels: of('labels', loss_positions.length) };
  });
  const { losses, states } = await train(config, training, task, tensors.group('initial'), batches);

  test('the task is scored where the study scored it, and trains what it trained', () => {
    expect(task.answerPositions).toEqual(loss_positions);
    const layout = layoutOf(config);
    expect(layout.trained.map(spec => spec.name).sort()).toEqual([...trainable].sort());
    expect(layout.frozen.map(spec => spec.name).sort()).toEqual([...frozen].sort());
  });

  test('the loss before every step', () => {
    expectClose(losses, tensors.float32('losses_float64').data, { relative: 1e-6 });
  });

  test('the gradient of the first loss', () => {
    // Adam's first moment starts at 0, so after a step it is the gradient times 1 − β₁.
    for (const parameter of trainable) {
      const moment = states[0]?.moments.get(`first.${parameter}`)?.data ?? [];
      expectCloseToScale(
        Array.from(moment, value => value / (1 - training.betas[0])),
        tensors.float32(`gradient_float64.${parameter}`).data,
        2e-6,
        parameter,
      );
    }
  });

  test.each([1, steps])('every parameter after step %i', step => {
    const [state, expected] = [states[step - 1], tensors.group(`after_${step}`)];
    expect([...(state?.parameters.keys() ?? [])].sort()).toEqual([...expected.keys()].sort());
    for (const [parameter, { data }] of expected)
      expectClose(state?.parameters.get(parameter)?.data ?? [], data, { absolute: 2e-6 }, parameter);
  });
});

describe('weight decay groups', () => {
  const config = configOf({ n_layers: 1, d_vocab: 12, d_vocab_out: 11, n_ctx: 3 });
  const task = modularArithmetic.create({ operation: 'add', modulus: 11, trainFraction: 0.3 });
  const initial = randomParameters(config);
  const batch = task.split?.(0).train ?? expect.fail();
  const trained = async (given: Partial<Training>) => {
    const { states } = await train(
      config,
      v.parse(TrainingSchema, { steps: 1, learningRate: 0.01, ...given }),
      task,
      initial,
      [batch],
    );
    return states[0]?.parameters ?? expect.fail();
  };

  test('shrink the parameters that they name and no others', async () => {
    const plain = await trained({ weightDecay: 0 });
    const grouped = await trained({
      weightDecay: 0.5,
      weightDecayGroups: [
        { match: '*.b_*', weightDecay: 0 },
        { match: 'unembed.*', weightDecay: 4 },
      ],
    });
    for (const [name, { data }] of plain) {
      const decay = /\.b_/.test(name) ? 0 : name.startsWith('unembed.') ? 4 : 0.5;
      const start = initial.get(name)?.data ?? [];
      expectClose(
        grouped.get(name)?.data ?? [],
        Array.from(data, (value, at) => value - 0.01 * decay * (start[at] ?? 0)),
        { absolute: 1e-6 },
        name,
      );
    }
  });
});

describe('identities', () => {
  const fixed = ['blocks.*.attn.W_V', 'blocks.*.attn.W_O'];
  const shape = { n_layers: 2, n_heads: 1, d_model: 8, d_head: 8, d_vocab: 12, d_vocab_out: 11, n_ctx: 3, attn_only: true };
  const task = modularArithmetic.create({ operation: 'add', modulus: 11, trainFraction: 0.3 });
  const training = v.parse(TrainingSchema, { steps: 3, learningRate: 0.01 });
  const batch = task.split?.(0).train ?? expect.fail();

  test('give the numbers that products with them would give', async () => {
    const initial = initialParameters(configOf({ ...shape, identity: fixed }), 1);
    const run = (given: Partial<ModelConfig>) => train(configOf({ ...shape, ...given }), training, task, initial, [batch, batch, batch]);
    const [known, multiplied] = [await run({ identity: fixed }), await run({ frozen: fixed })];
    expect(known.losses).toEqual(multiplied.losses);
    expect(known.states[2]?.parameters).toEqual(multiplied.states[2]?.parameters);
  });

  test('are not multiplied by, forward or backward', () => {
    const products = (given: Partial<ModelConfig>) => {
      const config = configOf({ ...shape, ...given });
      const graph = trace(trainingStep(config, training, task), trainingStepInputs(config, task, batch.tokens.shape[0] ?? 0));
      return graph.liveNodes().filter(({ op }) => op === 'Gemm').length;
    };
    // Values and outputs of two layers, and the gradients that go back through each of them.
    expect(products({ frozen: fixed }) - products({ identity: fixed })).toBe(8);
  });
});

describe('a layout', () => {
  test('refuses a parameter that is missing or of another shape', () => {
    const config = configOf();
    const { trained } = layoutOf(config);
    const values = randomParameters(config);
    expect(() => pack(trained, name => (name === 'unembed.W_U' ? undefined : values.get(name)))).toThrow(
      'unembed.W_U is missing, not [8, 6]',
    );
    expect(() => pack(trained, name => (name === 'unembed.W_U' ? float32([6, 8]) : values.get(name)))).toThrow(
      'unembed.W_U is [6, 8], not [8, 6]',
    );
  });

  test('gives back by name what it was given', () => {
    const config = configOf({ frozen: ['blocks.0.*'] });
    const [layout, values] = [layoutOf(config), randomParameters(config)];
    const frozen = float32(
      [layout.frozenSize],
      pack(layout.frozen, name => values.get(name)),
    );
    const { parameters } = stateOf(layout, initialVectors(layout, values), frozen, { step: 0, seconds: 0, streak: 0 });
    expect(new Map([...parameters].sort())).toEqual(new Map([...values].sort()));
  });
});
