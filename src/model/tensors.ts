import type { ModelConfig } from '../protocol/config';
import type { Axis, MissingTensor, ModelTensors, NamedTensor } from '../protocol/tensors';
import { hookNames } from './names';
import { parameterSpecs } from './parameters';

/**
 * Every hook point and parameter of a model with its named axes, and those that TransformerLens (2.18) has in other models,
 * with the reason why this one has not.
 */
export function modelTensors(config: ModelConfig): ModelTensors {
  const { n_layers, n_heads } = config;
  const hooks = hookNames(config).map(name => hookOf(config, name, true));
  const known = new Set(hooks.map(({ name }) => name));
  const onDemand = inBlocks(n_layers, splitInputs(config)).filter(name => !known.has(name)).map(name => hookOf(config, name, false));
  const parameters = parameterSpecs(config).map(({ name, shape }): NamedTensor => {
    const { axes, description } = parameterFacts[leafOf(name)] ?? otherParameter(shape);
    return { name, kind: 'parameter', axes: shape.map((size, at) => ({ name: axes[at] ?? 'd', size })), description, drawn: true };
  });
  const tensors = [...hooks, ...onDemand, ...parameters];
  const there = new Set(tensors.map(({ name }) => name));
  return { n_layers, n_heads, tensors, missing: missingTensors(config).filter(({ name }) => !there.has(name)) };
}

type HookAxis = 'batch' | 'pos' | 'dest' | 'src' | 'head' | 'd_model' | 'd_head' | 'd_mlp' | '1';
interface Facts<A extends string> {
  readonly axes: readonly A[];
  readonly description: string;
}

const stream = ['batch', 'pos', 'd_model'] as const;
const perHead = ['batch', 'pos', 'head', 'd_head'] as const;
const attention = ['batch', 'head', 'dest', 'src'] as const;
const neurons = ['batch', 'pos', 'd_mlp'] as const;
const headStream = ['batch', 'pos', 'head', 'd_model'] as const;

/** The last part of a hook point's name → what is there. */
const hookFacts: Readonly<Record<string, Facts<HookAxis>>> = {
  hook_embed: { axes: stream, description: 'Embedding of the tokens.' },
  hook_pos_embed: { axes: stream, description: 'Embedding of the positions.' },
  hook_resid_pre: { axes: stream, description: 'Residual stream at the start of the layer.' },
  hook_resid_mid: { axes: stream, description: 'Residual stream between attention and MLP.' },
  hook_resid_post: { axes: stream, description: 'Residual stream at the end of the layer.' },
  hook_normalized_resid_post: { axes: stream, description: 'Residual stream at the end of the layer, normalized.' },
  hook_attn_out: { axes: stream, description: 'What the heads of the layer add to the residual stream.' },
  hook_mlp_out: { axes: stream, description: 'What the MLP adds to the residual stream.' },
  hook_q: { axes: perHead, description: 'Queries of each head.' },
  hook_k: { axes: perHead, description: 'Keys of each head.' },
  hook_v: { axes: perHead, description: 'Values of each head.' },
  hook_z: { axes: perHead, description: 'Values of each head, mixed by its attention.' },
  hook_rot_q: { axes: perHead, description: 'Queries of each head, rotated by position.' },
  hook_rot_k: { axes: perHead, description: 'Keys of each head, rotated by position.' },
  hook_result: { axes: headStream, description: 'What each head adds to the residual stream.' },
  hook_attn_scores: { axes: attention, description: 'Attention scores, before the softmax; forbidden ones are -inf.' },
  hook_pattern: { axes: attention, description: 'Attention: how much each destination takes from each source.' },
  hook_pre: { axes: neurons, description: 'Neurons before the activation function.' },
  hook_post: { axes: neurons, description: 'Neurons after the activation function.' },
  hook_scale: { axes: ['batch', 'pos', '1'], description: 'What the norm divides by at each position.' },
  hook_normalized: { axes: stream, description: 'Residual stream, normalized.' },
  hook_q_input: { axes: headStream, description: 'What the queries of each head read; TransformerLens has it with use_split_qkv_input.' },
  hook_k_input: { axes: headStream, description: 'What the keys of each head read; TransformerLens has it with use_split_qkv_input.' },
  hook_v_input: { axes: headStream, description: 'What the values of each head read; TransformerLens has it with use_split_qkv_input.' },
  hook_attn_in: { axes: headStream, description: 'What each head reads; TransformerLens has it with use_attn_in.' },
  hook_mlp_in: { axes: stream, description: 'What the MLP reads; TransformerLens has it with use_hook_mlp_in.' },
};

const parameterFacts: Readonly<Record<string, Facts<string>>> = {
  W_E: { axes: ['d_vocab', 'd_model'], description: 'Embedding of each token.' },
  W_pos: { axes: ['n_ctx', 'd_model'], description: 'Embedding of each position.' },
  W_U: { axes: ['d_model', 'd_vocab_out'], description: 'Unembedding: from the residual stream to the logits.' },
  b_U: { axes: ['d_vocab_out'], description: 'Bias of the logits.' },
  W_Q: { axes: ['head', 'd_model', 'd_head'], description: 'From what each head reads to its queries.' },
  W_K: { axes: ['head', 'd_model', 'd_head'], description: 'From what each head reads to its keys.' },
  W_V: { axes: ['head', 'd_model', 'd_head'], description: 'From what each head reads to its values.' },
  W_O: { axes: ['head', 'd_head', 'd_model'], description: 'From what each head mixed to the residual stream.' },
  b_Q: { axes: ['head', 'd_head'], description: 'Bias of the queries.' },
  b_K: { axes: ['head', 'd_head'], description: 'Bias of the keys.' },
  b_V: { axes: ['head', 'd_head'], description: 'Bias of the values.' },
  b_O: { axes: ['d_model'], description: 'Bias of what attention adds to the residual stream.' },
  W_in: { axes: ['d_model', 'd_mlp'], description: 'From the residual stream to the neurons.' },
  b_in: { axes: ['d_mlp'], description: 'Bias of the neurons.' },
  W_out: { axes: ['d_mlp', 'd_model'], description: 'From the neurons to the residual stream.' },
  b_out: { axes: ['d_model'], description: 'Bias of what the MLP adds to the residual stream.' },
  w: { axes: ['d_model'], description: 'Scale of the norm.' },
  b: { axes: ['d_model'], description: 'Shift of the norm.' },
};

function otherParameter(shape: readonly number[]): Facts<string> {
  return { axes: shape.map(() => 'd'), description: 'A parameter.' };
}

function hookOf(config: ModelConfig, name: string, drawn: boolean): NamedTensor {
  const facts = hookFacts[leafOf(name)];
  if (!facts) throw new Error(`nothing is known of ${name}`);
  return { name, kind: 'hook', axes: facts.axes.map(axis => axisOf(config, axis)), description: facts.description, drawn };
}

function axisOf({ n_ctx, n_heads, d_model, d_head, d_mlp }: ModelConfig, name: HookAxis): Axis {
  switch (name) {
    case 'batch': return { name };
    case 'pos':
    case 'dest':
    case 'src': return { name, size: n_ctx };
    case 'head': return { name, size: n_heads };
    case 'd_model': return { name, size: d_model };
    case 'd_head': return { name, size: d_head };
    case 'd_mlp': return { name, size: d_mlp ?? 4 * d_model };
    case '1': return { name, size: 1 };
    default: return name satisfies never;
  }
}

function leafOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function inBlocks(n_layers: number, leaves: readonly string[]): readonly string[] {
  return Array.from({ length: n_layers }, (_, layer) => leaves.map(leaf => `blocks.${layer}.${leaf}`)).flat();
}

function splitInputs({ attn_only }: ModelConfig): readonly string[] {
  return ['hook_q_input', 'hook_k_input', 'hook_v_input', 'hook_attn_in', ...(attn_only ? [] : ['hook_mlp_in'])];
}

/** What other models have, with why this one has not, if it has not. */
function missingTensors(config: ModelConfig): readonly MissingTensor[] {
  const { n_layers, positional_embedding_type: positions, normalization_type: norm } = config;
  const each = (names: readonly string[], reason: string): MissingTensor[] => names.map(name => ({ name, reason }));
  const blocks = (leaves: readonly string[], reason: string) => each(inBlocks(n_layers, leaves), reason);
  const positionReason = positions === 'rotary' ? 'it rotates queries and keys by position in place of an embedding' : 'it has no embedding of positions';
  const activations = (at: string) => [`${at}.hook_scale`, `${at}.hook_normalized`];
  const weights = (at: string) => [`${at}.w`, `${at}.b`];
  const noScale = norm === null ? 'it does not normalize' : `its norm (${norm}) has no such parameter`;
  const noNorm = norm === null ? 'it does not normalize' : 'it normalizes elsewhere';
  return [
    ...each(['hook_pos_embed', 'pos_embed.W_pos'], positionReason),
    ...blocks(['mlp.hook_pre', 'mlp.hook_post', 'hook_mlp_out', 'hook_mlp_in', 'hook_resid_mid', 'mlp.W_in', 'mlp.b_in', 'mlp.W_out', 'mlp.b_out'], 'it has no MLPs'),
    ...(config.attn_only ? blocks([...activations('ln2'), ...weights('ln2')], 'it has no MLPs') : []),
    ...blocks(['mlp.W_gate', 'mlp.hook_mid', 'mlp.hook_pre_linear'], config.attn_only ? 'it has no MLPs' : 'its MLPs have no gate and no norm of their own'),
    ...blocks(['attn.hook_rot_q', 'attn.hook_rot_k'], 'it does not rotate queries and keys by position'),
    ...blocks(['ln1', 'ln2'].flatMap(activations), noNorm),
    ...blocks(['ln1', 'ln2'].flatMap(weights), noScale),
    ...blocks(['hook_normalized_resid_post'], 'it normalizes before what each sublayer reads, not after'),
    ...each(activations('ln_final'), noNorm),
    ...each(weights('ln_final'), noScale),
  ];
}
