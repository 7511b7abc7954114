import { Random } from '../common/random';
import { float32, sizeOf, type HostTensor, type Shape } from '../common/tensor';
import type { ModelConfig } from '../protocol/config';
import type { ParameterCounts, ParameterSummary } from '../protocol/model';
import { breadthFirstWeights } from './breadthFirst';

/** How a parameter starts: drawn at random, or the same everywhere, or a slice of the identity. */
type Start = 'normal' | 'zeros' | 'ones' | 'identity';

export interface ParameterSpec extends ParameterSummary {
  readonly start: Start;
}

/** State-dict name → value. */
export type ParameterValuesByName = ReadonlyMap<string, HostTensor<'float32'>>;

/** Every parameter of a model under TransformerLens' names, in the order of its state dict. */
export function parameterSpecs(config: ModelConfig): readonly ParameterSpec[] {
  const { n_layers, n_heads: H, d_model: D, d_head: K, d_vocab: V, d_vocab_out: U, n_ctx, attn_only } = config;
  const M = config.d_mlp ?? 4 * D;
  const specs: ParameterSpec[] = [];
  const add = (name: string, shape: Shape, start: Start, trainable: boolean) => {
    const identity = matches(config.identity, name);
    const frozen = identity || matches(config.frozen, name);
    specs.push({ name, shape, start: identity ? 'identity' : start, trainable: trainable && !frozen });
  };
  const weight = (name: string, ...shape: number[]) => add(name, shape, 'normal', true);
  const bias = (name: string, ...shape: number[]) => add(name, shape, 'zeros', config.biases);
  const isPostNorm = config.normalization_position === 'after';
  const norm = (at: string) => {
    if (config.normalization_type === 'LN' || config.normalization_type === 'RMS') add(`${at}.w`, [D], 'ones', true);
    if (config.normalization_type === 'LN') add(`${at}.b`, [D], 'zeros', true);
  };

  weight('embed.W_E', V, D / (config.tokens_per_position ?? 1));
  if (config.positional_embedding_type === 'standard' || config.positional_embedding_type === 'shortformer') {
    weight('pos_embed.W_pos', n_ctx, D);
  }
  for (let layer = 0; layer < n_layers; layer++) {
    const at = `blocks.${layer}`;
    norm(`${at}.ln1`);
    for (const part of ['Q', 'K', 'V']) weight(`${at}.attn.W_${part}`, H, D, K);
    weight(`${at}.attn.W_O`, H, K, D);
    for (const part of ['Q', 'K', 'V']) bias(`${at}.attn.b_${part}`, H, K);
    bias(`${at}.attn.b_O`, D);
    if (attn_only) continue;
    norm(`${at}.ln2`);
    weight(`${at}.mlp.W_in`, D, M);
    bias(`${at}.mlp.b_in`, M);
    weight(`${at}.mlp.W_out`, M, D);
    bias(`${at}.mlp.b_out`, D);
  }
  if (!isPostNorm) norm('ln_final');
  weight('unembed.W_U', D, U);
  bias('unembed.b_U', U);
  return specs;
}

export function countParameters(specs: readonly ParameterSummary[]): ParameterCounts {
  const count = (some: readonly ParameterSummary[]) => some.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  return { total: count(specs), trainable: count(specs.filter(spec => spec.trainable)) };
}

/**
 * The untrained model: weights normal with standard deviation `initializer_range` (by default 0.8/√d_model), biases 0 and
 * scales 1, as TransformerLens' `gpt2` mode has it. Each parameter has its own random stream, so that freezing one does
 * not change another. With `bfs` all weights are written by hand.
 */
export function initialParameters(config: ModelConfig, seed: number): Map<string, HostTensor<'float32'>> {
  const handmade = config.init_mode === 'bfs' ? breadthFirstWeights(config) : undefined;
  return new Map(parameterSpecs(config).map(({ name, shape, start }) => {
    if (handmade) return [name, handmade.get(name) ?? float32(shape)];
    const tensor = start === 'identity' ? identity(shape) : float32(shape);
    if (start === 'ones') tensor.data.fill(1);
    if (start === 'normal') {
      const random = new Random(seed, `initial ${name}`);
      for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = config.initializer_range * random.normal();
    }
    return [name, tensor];
  }));
}

/** Ones on the diagonal of each matrix `[rows, columns]` of the last two axes. */
export function identity(shape: Shape): HostTensor<'float32'> {
  const tensor = float32(shape);
  const [rows = 1, columns = 1] = shape.slice(-2);
  for (let at = 0; at < tensor.data.length; at += rows * columns) {
    for (let i = 0; i < Math.min(rows, columns); i++) tensor.data[at + i * columns + i] = 1;
  }
  return tensor;
}

/** Whether a name matches one of the patterns, in which `*` stands for any characters. */
export function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some(pattern => {
    const [head = '', ...rest] = pattern.split('*');
    if (rest.length === 0) return head === name;
    const tail = rest.pop() ?? '';
    if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false;
    let at = head.length;
    for (const middle of rest) {
      const found = name.indexOf(middle, at);
      if (found < 0 || found + middle.length > name.length - tail.length) return false;
      at = found + middle.length;
    }
    return true;
  });
}
