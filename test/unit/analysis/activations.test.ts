import { expect, test } from 'vitest';
import { activationsOf } from '../../../src/analysis/activations';
import { UserError } from '../../../src/common/errors';
import { int32 } from '../../../src/common/tensor';
import { numberContext } from '../../support/numberModels';

const { model, task, random } = numberContext({ name: 'sort' }, { n_layers: 2 });
const hooks = ['blocks.1.attn.hook_pattern', 'blocks.0.hook_mlp_out', 'blocks.1.attn.hook_z'];

test('activations are those that are cached beside the logits, in the order of their hooks', async () => {
  const { tokens } = task.sample(random, 4);
  const [activations, { cache }] = [await activationsOf(model, tokens, hooks), await model.runWithCache(tokens, hooks)];
  expect(activations).toEqual(hooks.map(hook => cache.get(hook)));
});

test('activations of tokens outside of the vocabulary are refused', async () => {
  await expect(activationsOf(model, int32([1, 2], Int32Array.of(1, 9)), hooks)).rejects.toThrow(UserError);
  await expect(activationsOf(model, int32([1, 2], Int32Array.of(1, 9)), hooks)).rejects.toThrow(/^Token 9 at position 1/);
});

test('activations of a hook that is not there are an error', async () => {
  await expect(activationsOf(model, int32([1, 1]), ['blocks.2.attn.hook_z'])).rejects.toThrow('the forward pass did not meet blocks.2.attn.hook_z');
});
