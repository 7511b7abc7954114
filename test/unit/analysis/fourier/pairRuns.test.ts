import { expect, test } from 'vitest';
import type { Tensor } from '@tensorflow/tfjs-core';
import { allPairs, isModular, modularTaskOf, pairAnswers } from '../../../../src/analysis/fourier/modular';
import { pairLogits } from '../../../../src/analysis/fourier/pairRuns';
import { asFloat32 } from '../../../../src/model/runnable';
import { contextOf } from '../../../support/analyses';
import { expectClose } from '../../../support/close';
import { prepared } from '../../../support/experiments';

test.each([
  ['subtract', { n_layers: 1 }],
  ['add', { n_layers: 2 }],
  ['add', { n_layers: 2, attn_only: true, d_mlp: undefined, normalization_type: 'LN' }],
] as const)('all pairs are run at the equals sign: %s, %o', async (operation, model) => {
  const context = contextOf(prepared({ task: { operation }, model }));
  const task = modularTaskOf(context.details);
  const tokens = allPairs(task);
  const { details: { config }, model: runnable } = context;
  const hook = `blocks.${config.n_layers - 1}.hook_resid_post`;
  const whole = await runnable.runWithCache(tokens, [hook]);
  const [logits, residual] = await runnable.compute('pairs', (weights, given) => {
    let seen: Tensor | undefined;
    const logits = pairLogits(config, weights, given ?? expect.fail(), (name, value) => {
      if (name === hook) seen = value;
      return value;
    });
    return [logits, seen ?? expect.fail()];
  }, [tokens]);
  const atAnswer = (data: Float32Array, width: number) => data.filter((_, at) => Math.floor(at / width) % 3 === 2);
  expect(logits?.shape).toEqual([49, 7]);
  expectClose(asFloat32(logits).data, atAnswer(whole.logits.data, 7), { absolute: 1e-6 });
  expectClose(asFloat32(residual).data, atAnswer(whole.cache.get(hook)?.data ?? expect.fail(), 8), { absolute: 1e-6 });
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
