import * as tf from '@tensorflow/tfjs-core';
import { float32, int32, type HostTensor } from '../../src/common/tensor';
import type { PromptPair } from '../../src/analysis/pairs';
import type { PatchedActivation, Site } from '../../src/analysis/patching/patching';
import { RunnableModel } from '../../src/model/runnable';
import { forward } from '../../src/model/transformer';
import type { ModelConfig } from '../../src/protocol/config';
import { configOf, randomParameters } from './models';
import { onnx } from './runtimes';

/** Small models of many kinds, several heads each. */
export const patchedModels: readonly (readonly [string, ModelConfig])[] = [
  ['LN and an MLP', configOf({ normalization_type: 'LN', act_fn: 'gelu' })],
  [
    'no norm, shortformer, attention only',
    configOf({ attn_only: true, positional_embedding_type: 'shortformer', n_layers: 3 }),
  ],
  ['rotary positions and RMS', configOf({ normalization_type: 'RMS', positional_embedding_type: 'rotary' })],
  ['no biases, one layer', configOf({ n_layers: 1, biases: false, normalization_type: 'RMSPre' })],
  ['attention both ways', configOf({ attention_dir: 'bidirectional', normalization_type: 'LNPre' })],
  [
    'a mask that looks ahead once',
    configOf({ mask: ['x.x..', 'xx...', '.xx..', 'xxxx.', 'xxxxx'], act_fn: 'gelu_new' }),
  ],
  [
    'an encoder of pairs with padding',
    configOf({
      attention_dir: 'bidirectional',
      normalization_type: 'LN',
      normalization_position: 'after',
      tokens_per_position: 2,
      padding_token: 4,
    }),
  ],
  [
    'norms in the stream, attention only, padding',
    configOf({ attn_only: true, n_layers: 3, normalization_type: 'RMS', normalization_position: 'after', padding_token: 4 }),
  ],
];

/** Prompts of 5 tokens that differ at positions 1 and 4, and have token 4 in the same places; the answer is read before the last. */
export const smallPairs: readonly PromptPair[] = [
  { clean: [1, 2, 3, 4, 5], corrupted: [1, 6, 3, 4, 0], position: 3, correct: 2, wrong: 5 },
  { clean: [0, 3, 3, 1, 2], corrupted: [0, 5, 3, 1, 2], position: 3, correct: 0, wrong: 4 },
];

export const noWork = { signal: new AbortController().signal, progress: () => undefined };

export function randomModel(config: ModelConfig): RunnableModel {
  return new RunnableModel(config, randomParameters(config), onnx);
}

export function hookOf(layer: number, activation: PatchedActivation): string {
  const isOfLayer = ['resid_pre', 'attn_out', 'mlp_out'].includes(activation);
  return isOfLayer ? `blocks.${layer}.hook_${activation}` : `blocks.${layer}.attn.hook_${activation}`;
}

const rowOf = (tokens: readonly number[]) => int32([1, tokens.length], Int32Array.from(tokens));

/** The logit difference of a pair's metric in a run with some numbers added to hooks: `hook name → value of that hook's shape`. */
export async function metricOf(
  model: RunnableModel,
  tokens: readonly number[],
  { position, correct, wrong }: PromptPair,
  added: ReadonlyMap<string, HostTensor<'float32'>> = new Map(),
  splitInputs = false,
): Promise<number> {
  const names = [...added.keys()];
  const [logits] = await model.compute(
    `metric ${names.join()} ${splitInputs}`,
    (weights, given, ...values) => [
      forward(model.config, weights, given ?? tf.zeros([1, 1]), {
        splitInputs,
        hook: (name, value) => {
          const more = values[names.indexOf(name)];
          return more ? tf.add(value, more) : value;
        },
      }),
    ],
    [rowOf(tokens), ...added.values()],
  );
  const U = model.config.d_vocab_out;
  const at = (output: number) => Number(logits?.data[position * U + output]);
  return at(correct) - (wrong === undefined ? 0 : at(wrong));
}

/** Every activation of a clean or a corrupted prompt: `[1, …]` each. */
export async function activationsOf(model: RunnableModel, tokens: readonly number[], hooks: readonly string[]) {
  const { cache } = await model.runWithCache(rowOf(tokens), hooks);
  return (name: string): HostTensor<'float32'> => {
    const value = cache.get(name);
    if (!value) throw new Error(`${name} was not cached`);
    return value;
  };
}

/**
 * The plain way to patch: for each site a run of its own, in which the activation is that of the corrupted run plus `weight`
 * times what lies between it and the clean one. With 1 the whole of it is patched.
 */
export async function patchedOneByOne(
  model: RunnableModel,
  pair: PromptPair,
  sites: readonly Site[],
  weight = 1,
): Promise<number[]> {
  const hooks = [...new Set(sites.map(({ layer, activation }) => hookOf(layer, activation)))];
  const [clean, corrupted] = [
    await activationsOf(model, pair.clean, hooks),
    await activationsOf(model, pair.corrupted, hooks),
  ];
  const [high, low] = [await metricOf(model, pair.clean, pair), await metricOf(model, pair.corrupted, pair)];
  const shares: number[] = [];
  for (const site of sites) {
    const hook = hookOf(site.layer, site.activation);
    const [from, to] = [corrupted(hook), clean(hook)];
    const more = float32(from.shape);
    more.data.forEach((_, at) => {
      if (isTaken(site, placeOf(from.shape, at)))
        more.data[at] = weight * ((to.data[at] ?? 0) - (from.data[at] ?? 0));
    });
    shares.push(((await metricOf(model, pair.corrupted, pair, new Map([[hook, more]]))) - low) / (high - low));
  }
  return shares;
}

function placeOf(shape: readonly number[], at: number): number[] {
  return shape.map((size, axis) => Math.floor(at / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % size);
}

function isTaken({ activation, head, position }: Site, [, first = 0, second = 0, third = 0]: readonly number[]): boolean {
  // [1, head, destination, source], [1, position, head, d_head] or [1, position, d_model]
  if (activation === 'pattern') return first === (head ?? first) && second === (position ?? second) && third >= 0;
  return first === (position ?? first) && second === (head ?? second);
}

/**
 * What the shares of single pairs come to together, where logit differences are averaged over the pairs before they are
 * normalised: each pair counts by what lies between its own two runs.
 */
export async function togetherOf(
  model: RunnableModel,
  pairs: readonly PromptPair[],
  shares: readonly ArrayLike<number>[],
): Promise<number[]> {
  const between = await Promise.all(
    pairs.map(async pair => (await metricOf(model, pair.clean, pair)) - (await metricOf(model, pair.corrupted, pair))),
  );
  const total = between.reduce((sum, difference) => sum + difference, 0);
  return Array.from(shares[0] ?? [], (_, at) =>
    shares.reduce((sum, each, pair) => sum + ((between[pair] ?? Number.NaN) * (each[at] ?? Number.NaN)) / total, 0),
  );
}
