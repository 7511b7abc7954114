import { expect, test } from 'vitest';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { allPairs, isModular, modularTaskOf, pairAnswers } from '../../../../src/analysis/fourier/modular';
import { pairLogits } from '../../../../src/analysis/fourier/pairRuns';
import { Random } from '../../../../src/common/random';
import { int32 } from '../../../../src/common/tensor';
import { asFloat32 } from '../../../../src/model/runnable';
import { contextOf } from '../../../support/analyses';
import { expectClose } from '../../../support/close';
import { prepared } from '../../../support/experiments';

test.each([
  ['subtract', { n_layers: 1 }],
  ['add', { n_layers: 1, positional_embedding_type: 'shortformer', normalization_type: 'LNPre' }],
  ['subtract', { n_layers: 1, positional_embedding_type: 'rotary', normalization_type: 'RMS', act_fn: 'gelu' }],
  ['add', { n_layers: 1, attn_only: true, d_mlp: undefined, positional_embedding_type: 'none' }],
  ['add', { n_layers: 2 }],
  ['subtract', { n_layers: 2, positional_embedding_type: 'rotary' }],
  ['add', { n_layers: 2, attn_only: true, d_mlp: undefined, normalization_type: 'LN' }],
] as const)('all pairs are run at the equals sign, in any order: %s, %o', async (operation, model) => {
  const context = contextOf(prepared({ task: { operation }, model }));
  const task = modularTaskOf(context.details);
  const inOrder = allPairs(task);
  const shuffled = new Random(3, 'pairs').permutation(49);
  const tokens = int32([49, 3], inOrder.data.map((_, at) => inOrder.data[(shuffled[Math.floor(at / 3)] ?? 0) * 3 + (at % 3)] ?? 0));
  const { details: { config }, model: runnable } = context;
  const last = `blocks.${config.n_layers - 1}`;
  const [residual, pattern] = [`${last}.hook_resid_post`, `${last}.attn.hook_pattern`];
  const whole = await runnable.runWithCache(tokens, [residual, pattern]);
  const outputs = await runnable.compute('pairs', (weights, given) => {
    const seen = new Map<string, Tensor>();
    const logits = pairLogits(config, config.d_vocab_out, weights, given ?? expect.fail(), (name, value) => {
      seen.set(name, value);
      return value;
    });
    return [logits, ...[residual, pattern].map(name => seen.get(name) ?? expect.fail())];
  }, [tokens]);
  /** Of rows for each pair, or for each pair and head, and position. */
  const atAnswer = (data: Float32Array, width: number) => data.filter((_, at) => Math.floor(at / width) % 3 === 2);
  const read = (name: string) => whole.cache.get(name)?.data ?? expect.fail();
  expect(outputs.map(({ shape }) => shape)).toEqual([[49, 7], [49, 1, 8], [49, 2, 1, 3]]);
  const expected = [atAnswer(whole.logits.data, 7), atAnswer(read(residual), 8), atAnswer(read(pattern), 3)];
  outputs.forEach((output, at) => expectClose(asFloat32(output).data, expected[at] ?? [], { absolute: 2e-6 }));
});

test('what a hook puts in place of an activation takes its place', async () => {
  const context = contextOf(prepared());
  const { details: { config }, model } = context;
  const [logits] = await model.compute('without the neurons', (weights, given) => [
    pairLogits(config, config.d_vocab_out, weights, given ?? expect.fail(), (name, value) => (name.endsWith('hook_mlp_out') ? tf.zerosLike(value) : value)),
  ], [allPairs(modularTaskOf(context.details))]);
  const { cache } = await model.runWithCache(allPairs(modularTaskOf(context.details)), ['blocks.0.hook_resid_mid']);
  const [unembed, bias] = [model.parameter('unembed.W_U').data, model.parameter('unembed.b_U').data];
  const middle = cache.get('blocks.0.hook_resid_mid')?.data ?? expect.fail();
  const direct = Array.from({ length: 49 * 7 }, (_, at) => {
    const [pair, word] = [Math.floor(at / 7), at % 7];
    return Array.from({ length: 8 }, (__, d) => (middle[(pair * 3 + 2) * 8 + d] ?? 0) * (unembed[d * 7 + word] ?? 0)).reduce((sum, value) => sum + value, bias[word] ?? 0);
  });
  expectClose(asFloat32(logits).data, direct, { absolute: 2e-6 });
});

test('the answers of all pairs are the task\'s', () => {
  for (const operation of ['add', 'subtract']) {
    const context = contextOf(prepared({ task: { operation, modulus: 6 } }));
    const task = modularTaskOf(context.details);
    const [tokens, answers] = [allPairs(task), pairAnswers(task)];
    for (let pair = 0; pair < 36; pair++) expect([answers[pair]]).toEqual(context.task.answers([...tokens.data.subarray(pair * 3, pair * 3 + 3)]));
  }
});

test('a task of another kind is not modular', () => {
  const { details } = contextOf(prepared({ task: { name: 'array-update', modulus: undefined, trainFraction: undefined }, training: { batch: 8 } }));
  expect(isModular(details)).toBe(false);
});
