import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { UserError } from '../../../src/common/errors';
import { int32, type HostTensor } from '../../../src/common/tensor';
import { hookNames } from '../../../src/model/names';
import { countParameters, parameterSpecs } from '../../../src/model/parameters';
import { RunnableModel } from '../../../src/model/runnable';
import { forward } from '../../../src/model/transformer';
import { ModelConfigSchema, type ModelConfig } from '../../../src/protocol/config';
import { shortestPaths } from '../../../src/tasks/shortestPaths';
import { readExperiment } from '../../../src/training/experiment';
import { layoutOf, trainingStep, trainingStepInputs } from '../../../src/training/step';
import { stepScalars } from '../../../src/training/optimizer';
import { initialVectors, pack } from '../../../src/training/state';
import { expectPlainAnswers, tokensOf } from '../../support/answers';
import { expectClose, expectCloseToScale } from '../../support/close';
import { prepared } from '../../support/experiments';
import { readFixture } from '../../support/fixtures';
import { configOf, randomParameters, weightsOf } from '../../support/models';
import { onnx, runOnce } from '../../support/runtimes';

const { document, tensors } = await readFixture('encoder');
const config = v.parse(ModelConfigSchema, document);
const state = tensors.group('state');

describe("PyTorch's TransformerEncoder with a mask for padding", () => {
  test('has the parameters of ours', () => {
    const shapes = (entries: Iterable<readonly [string, readonly number[]]>) => [...entries].sort(([a], [b]) => a.localeCompare(b));
    expect(shapes(parameterSpecs(config).map(({ name, shape }) => [name, shape]))).toEqual(shapes([...state].map(([name, { shape }]) => [name, shape])));
  });

  test("has our hook points under the names of TransformerLens' BertBlock", () => {
    expect([...hookNames(config)].sort()).toEqual([...tensors.group('cache').keys()].sort());
  });

  test('predicts the same, with the same activations', async () => {
    const { logits, cache } = await new RunnableModel(config, state, onnx).runWithCache(tensors.int32('tokens'), hookNames(config));
    expectClose(logits.data.filter((_, at) => at % 4 === 3), tensors.float32('predictions').data, { absolute: 1e-5, relative: 1e-5 });
    for (const [hook, value] of cache) {
      expect(value.shape, hook).toEqual(tensors.float32(`cache.${hook}`).shape);
      expectCloseToScale(value.data, tensors.float32(`cache.${hook}`).data, 1e-5, hook);
    }
  });

  test('has the same mean squared error, and gradients of it', async () => {
    const task = {
      ...shortestPaths.create({ vertices: 3, smallest: 3, largest: 3, target: 'vertex 2', targetLimit: 30, balance: 1 }),
      answerPositions: [3],
    };
    const { training } = prepared({ training: { optimizer: 'adamw' } }).resolved;
    const layout = layoutOf(config);
    const { parameters, first: start, second } = initialVectors(layout, state);
    const step = trainingStep(config, training, task);
    expect(trainingStepInputs(config, task, 3).at(-2)?.shape).toEqual([3, 4]);
    const [, first, , loss] = await runOnce(onnx, (...inputs) => step(...inputs), [
      parameters, start, second, { dtype: 'float32', shape: [0], data: new Float32Array() },
      { dtype: 'float32', shape: [3], data: Float32Array.from(stepScalars(training, 1)) }, tensors.int32('tokens'), tensors.int32('labels'),
    ]);
    expectClose(loss?.data ?? [], tensors.float32('loss').data, { relative: 1e-5 });
    // The first moment is what the gradient adds to nothing.
    const gradient = Array.from(first?.data ?? [], moment => moment / (1 - training.betas[0]));
    expectCloseToScale(gradient, pack(layout.trained, name => tensors.group('gradient').get(name)), 1e-5);
  });
});

test("shortest-paths has the 550,433 parameters of the study's encoder", async () => {
  const reading = readExperiment(await readFile(path.join(import.meta.dirname, '../../../media/experiments/shortest-paths.circuit.json'), 'utf8'));
  if (!reading.ok) expect.fail(reading.problems.map(({ message }) => message).join());
  const { config } = reading.experiment;
  expect(countParameters(parameterSpecs(config))).toEqual({ total: 550_433, trainable: 550_433 });
});

/** Pairs of three parts, of which 0-0 is padding at all positions but the first and the last. */
const alphabet = [[1, 2, 5], [0, 1, 5, 7], [0, 2, 4], [0, 1, 2, 5, 8], [3, 6]];
const pairs = { tokens_per_position: 2, d_vocab: 3, padding_token: 0 } as const;
const after = { ...pairs, normalization_position: 'after' } as const;
const encoders: readonly (readonly [string, Partial<ModelConfig>])[] = [
  ['the usual encoder', { ...after, normalization_type: 'LN', positional_embedding_type: 'none', attention_dir: 'bidirectional', d_vocab_out: 1 }],
  ['an encoder of one layer', { ...after, n_layers: 1, normalization_type: 'LN', positional_embedding_type: 'none', attention_dir: 'bidirectional' }],
  ['attention alone', { ...after, normalization_type: 'LN', attn_only: true, positional_embedding_type: 'standard' }],
  ['rotary positions', { ...after, normalization_type: 'RMS', positional_embedding_type: 'rotary', attention_dir: 'bidirectional' }],
  ['a shortformer', { ...after, normalization_type: 'RMSPre', positional_embedding_type: 'shortformer', biases: false }],
  ['norms before the sublayers', { ...pairs, normalization_type: 'LN', positional_embedding_type: 'none', attention_dir: 'bidirectional' }],
  ['a sparse mask', { ...after, normalization_type: 'LNPre', mask: ['x....', 'xx...', '.xx.x', 'x..xx', 'x..xx'] }],
];

describe.each(encoders)('the pruned pass of %s', (_, given) => {
  test.each([
    ['a batch smaller than the table of pairs', 2, [4]],
    ['a large batch', 16, [4]],
    ['several answers', 16, [1, 4]],
  ] as const)('on %s gives the answers of the plain pass, and its gradients', async (what, B, positions) => {
    await expectPlainAnswers(configOf(given), tokensOf(alphabet, B), { positions, alphabet }, what);
  });
});

/** Values at some hooks of an encoder whose inputs are split, with others replaced. */
async function splitRun(given: Partial<ModelConfig>, replace: (name: string, value: Tensor) => Tensor, hooks: readonly string[]): Promise<ReadonlyMap<string, HostTensor>> {
  const config = configOf(given);
  const parameters = randomParameters(config);
  const results = await runOnce(onnx, (tokens, ...values) => {
    const seen = new Map<string, Tensor>();
    forward(config, weightsOf([...parameters.keys()], values), tokens as Tensor, {
      splitInputs: true,
      hook: (name, value) => {
        const taken = replace(name, value);
        seen.set(name, taken);
        return taken;
      },
    });
    return hooks.map(hook => seen.get(hook) ?? expect.fail(hook));
  }, [tokensOf(alphabet, 3), ...parameters.values()]);
  return new Map(hooks.map((hook, at) => [hook, results[at] ?? expect.fail(hook)]));
}

describe('an encoder whose readers have copies of the stream', () => {
  const [, given] = encoders[0] ?? expect.fail('no encoder');
  const unchanged = (_: string, value: Tensor) => value;

  test('computes what it does without', async () => {
    const config = configOf(given);
    const hooks = hookNames(config).filter(name => !name.endsWith('hook_result'));
    const { cache } = await new RunnableModel(config, randomParameters(config), onnx).runWithCache(tokensOf(alphabet, 3), hooks);
    const split = await splitRun(given, unchanged, hooks);
    for (const [hook, { data }] of cache) expectCloseToScale(split.get(hook)?.data ?? [], data, 1e-5, hook);
  });

  test('changes what one of them reads, and nothing else of the layer', async () => {
    const hooks = ['hook_q', 'hook_k', 'hook_v'].map(name => `blocks.1.attn.${name}`);
    const ends = ['ln1.hook_normalized', 'hook_mlp_out', 'hook_resid_post'].map(name => `blocks.1.${name}`);
    const plain = await splitRun(given, unchanged, [...hooks, ...ends]);
    const without = (hook: string) => splitRun(given, (name, value) => (name === `blocks.1.${hook}` ? tf.zerosLike(value) : value), [...hooks, ...ends]);
    const [keyless, mlpless] = [await without('hook_k_input'), await without('hook_mlp_in')];
    expect(hooks.map(hook => String(keyless.get(hook)?.data) === String(plain.get(hook)?.data))).toEqual([true, false, true]);
    const [normalized, written, end] = ends.map(hook => mlpless.get(hook)?.data ?? expect.fail(hook));
    expect(normalized).toEqual(plain.get(ends[0] ?? '')?.data);
    expect(written).not.toEqual(plain.get(ends[1] ?? '')?.data);
    expectClose(end ?? [], Array.from(normalized ?? [], (value, at) => value + Number(written?.[at])), { absolute: 1e-5 });
  });
});

test('a prompt of padding alone is refused: nothing in it could be attended to', async () => {
  const model = new RunnableModel(config, state, onnx);
  const tokens = int32([2, 4], Int32Array.of(8, 8, 0, 19, 0, 0, 0, 0));
  await expect(model.runWithCache(tokens, [])).rejects.toThrow(
    new UserError('Prompt 1 holds nothing but padding, so that there is nothing to attend to; give it a token other than 0.'),
  );
});
