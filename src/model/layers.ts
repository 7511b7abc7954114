import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../protocol/config';
import { centre, divideRows, rootMeanSquare } from './norms';

// B batch · T positions · Q query positions · H heads · D d_model · K d_head · M d_mlp

/** Looks up a parameter's tensor by its state-dict name. */
export type Weights = (name: string) => Tensor;
/** Called at every hook point with its value; what it returns takes the value's place. */
export type Hook = (name: string, value: Tensor) => Tensor;

/** `x [..., m] · w [m, n] (+ bias [n])` as one matrix product over all leading axes. */
export function linear(x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  const [m = 1, n = 1] = w.shape;
  const rows = tf.matMul(tf.reshape(x, [-1, m]), w); // [rows, n]
  return tf.reshape(bias ? tf.add(rows, bias) : rows, [...x.shape.slice(0, -1), n]);
}

/** The embedding `[..., D]` of tokens `[...]`; of pairs, one half of it of each of the two. */
export function embedTokens({ tokens_per_position, d_vocab: V }: ModelConfig, weights: Weights, tokens: Tensor): Tensor {
  const table = weights('embed.W_E');
  if (tokens_per_position === undefined) return tf.gather(table, tokens);
  const half = (part: (token: number) => number) => tf.gather(table, tf.tensor1d(Int32Array.from({ length: V * V }, (_, token) => part(token)), 'int32'));
  return tf.gather(tf.concat([half(token => Math.floor(token / V)), half(token => token % V)], 1), tokens); // of [V², D]
}

/** LayerNorm or root-mean-square norm over the last axis, with or without learnt scale, as TransformerLens has them. */
export function normalize(config: ModelConfig, at: string, x: Tensor, weights: Weights, hook: Hook): Tensor {
  const kind = config.normalization_type;
  if (kind === null) return x;
  const centred = kind === 'LN' || kind === 'LNPre' ? centre(x) : x;
  const scale = hook(`${at}.hook_scale`, rootMeanSquare(centred, config.eps)); // [..., 1]
  const scaled = divideRows(centred, scale);
  switch (kind) {
    case 'LN': return hook(`${at}.hook_normalized`, tf.add(tf.mul(scaled, weights(`${at}.w`)), weights(`${at}.b`)));
    case 'RMS': return tf.mul(hook(`${at}.hook_normalized`, scaled), weights(`${at}.w`));
    case 'LNPre':
    case 'RMSPre': return hook(`${at}.hook_normalized`, scaled);
  }
}

/** `x [..., D] → [..., H, K]` for one of queries, keys and values. */
export function project(config: ModelConfig, layer: number, part: 'Q' | 'K' | 'V', x: Tensor, weights: Weights): Tensor {
  const { n_heads: H, d_model: D, d_head: K } = config;
  const w = tf.reshape(tf.transpose(weights(`blocks.${layer}.attn.W_${part}`), [1, 0, 2]), [D, H * K]);
  const bias = config.biases ? tf.reshape(weights(`blocks.${layer}.attn.b_${part}`), [H * K]) : undefined;
  return tf.reshape(linear(x, w, bias), [...x.shape.slice(0, -1), H, K]);
}

/** As `project`, of an input of its own for each head: `x [B, T, H, D] → [B, T, H, K]`. */
export function projectHeads(config: ModelConfig, layer: number, part: 'Q' | 'K' | 'V', x: Tensor, weights: Weights): Tensor {
  const { n_heads: H, d_model: D, d_head: K } = config;
  const [B = 1, T = 1] = x.shape;
  const byHead = tf.reshape(tf.transpose(x, [2, 0, 1, 3]), [H, B * T, D]);
  const projected = tf.matMul(byHead, weights(`blocks.${layer}.attn.W_${part}`)); // [H, B·T, K]
  const out = tf.transpose(tf.reshape(projected, [H, B, T, K]), [1, 2, 0, 3]);
  return config.biases ? tf.add(out, weights(`blocks.${layer}.attn.b_${part}`)) : out;
}

/**
 * Scores `[B, H, Q, T]` of queries `[B, Q, H, K]` and keys `[B, T, H, K]`, scaled, before the mask. With a single query a
 * product of matrices would be one of vectors for each example and head: there, multiplying and adding up is faster.
 */
export function attentionScores(config: ModelConfig, q: Tensor, k: Tensor): Tensor {
  const [B = 1, Q = 1, H = 1] = q.shape;
  if (Q === 1) return tf.reshape(tf.transpose(singleQueryScores(config, q, k), [0, 2, 1]), [B, H, 1, -1]);
  const scores = tf.matMul(tf.transpose(q, [0, 2, 1, 3]), tf.transpose(k, [0, 2, 1, 3]), false, true);
  return tf.mul(scores, scoreScale(config));
}

/** Scores `[B, T, H]` of a single query `[B, 1, H, K]` and keys `[B, T, H, K]`, scaled, before the mask. */
export function singleQueryScores(config: ModelConfig, q: Tensor, k: Tensor): Tensor {
  return tf.sum(tf.mul(tf.mul(q, scoreScale(config)), k), 3);
}

export function scoreScale({ use_attn_scale, attn_scale, d_head }: ModelConfig): number {
  return use_attn_scale ? 1 / (attn_scale ?? Math.sqrt(d_head)) : 1;
}

/** `z [B, Q, H, K]`: the values `[B, T, H, K]` mixed by the pattern `[B, H, Q, T]`. */
export function mixValues(pattern: Tensor, v: Tensor): Tensor {
  const [B = 1, H = 1, Q = 1, T = 1] = pattern.shape;
  if (Q === 1) return mixForSingleQuery(tf.transpose(tf.reshape(pattern, [B, H, T]), [0, 2, 1]), v);
  return tf.transpose(tf.matMul(pattern, tf.transpose(v, [0, 2, 1, 3])), [0, 2, 1, 3]);
}

/** `z [B, 1, H, K]`: the values `[B, T, H, K]` mixed by the pattern `[B, T, H]`. */
export function mixForSingleQuery(pattern: Tensor, v: Tensor): Tensor {
  return tf.sum(tf.mul(tf.expandDims(pattern, 3), v), 1, true);
}

/** Attention patterns of scores `[B, T, H]`: their softmax over `T`, without turning them round for it and back. */
export function softmaxOverKeys(scores: Tensor): Tensor {
  const pattern = tf.customGrad((...args) => {
    const [x, save] = args as unknown as [Tensor, (tensors: Tensor[]) => void]; // [B, T, H]
    const powers = tf.exp(tf.sub(x, tf.max(x, 1, true)));
    const value = tf.div(powers, sumOverKeys(powers));
    save([value]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const [y] = saved as [Tensor];
        const weighted = tf.mul(dy, y);
        return tf.sub(weighted, tf.mul(y, sumOverKeys(weighted)));
      },
    };
  });
  return pattern(scores);
}

/** Keys of all heads up to which a product with zeros and ones adds faster than a reduction of so few numbers a row. */
const fewKeys = 64;

/** What `x [B, T, H]` adds up to over `T`, there at every key or at one: `[B, T, H]` or `[B, 1, H]`. */
function sumOverKeys(x: Tensor): Tensor {
  const [B = 1, T = 1, H = 1] = x.shape;
  const size = T * H;
  if (size > fewKeys) return tf.sum(x, 1, true);
  const sameHead = Float32Array.from({ length: size * size }, (_, at) => Number(Math.floor(at / size) % H === at % H));
  return tf.reshape(tf.matMul(tf.reshape(x, [B, size]), tf.tensor(sameHead, [size, size])), [B, T, H]);
}

/** `z [B, Q, H, K] → [B, Q, D]`. */
export function attentionOutput(config: ModelConfig, layer: number, z: Tensor, weights: Weights): Tensor {
  const { n_heads: H, d_model: D, d_head: K } = config;
  const w = tf.reshape(weights(`blocks.${layer}.attn.W_O`), [H * K, D]);
  const flat = tf.reshape(z, [...z.shape.slice(0, -2), H * K]);
  return linear(flat, w, config.biases ? weights(`blocks.${layer}.attn.b_O`) : undefined);
}

/** The MLP of a layer: `[..., D] → [..., D]`. */
export function mlp(config: ModelConfig, layer: number, x: Tensor, weights: Weights, hook: Hook): Tensor {
  const at = `blocks.${layer}.mlp`;
  const bias = (name: string) => (config.biases ? weights(`${at}.${name}`) : undefined);
  const pre = hook(`${at}.hook_pre`, linear(x, weights(`${at}.W_in`), bias('b_in'))); // [..., M]
  const post = hook(`${at}.hook_post`, activation(config.act_fn, pre)); // [..., M]
  return linear(post, weights(`${at}.W_out`), bias('b_out'));
}

/** What a layer's attention reads of the residual stream `[..., D]`: normalized, unless it was so when the layer before ended. */
export function attentionInput(config: ModelConfig, layer: number, residual: Tensor, weights: Weights, hook: Hook): Tensor {
  return config.normalization_position === 'after' ? residual : normalize(config, `blocks.${layer}.ln1`, residual, weights, hook);
}

/**
 * The residual stream `[..., D]` at the end of a layer, of what it is once attention was added to it. With `splitMlp` the
 * MLP reads a copy of its own at `hook_mlp_in`. Where norms come after the sublayers, the hooks are those of
 * TransformerLens' `BertBlock`.
 */
export function endOfLayer(config: ModelConfig, layer: number, residual: Tensor, weights: Weights, hook: Hook, splitMlp = false): Tensor {
  const { attn_only, normalization_position } = config;
  const at = `blocks.${layer}`;
  const read = (stream: Tensor) => (splitMlp ? hook(`${at}.hook_mlp_in`, stream) : stream);
  const withMlp = (stream: Tensor, input: Tensor) => tf.add(stream, hook(`${at}.hook_mlp_out`, mlp(config, layer, input, weights, hook)));
  const middle = attn_only ? residual : hook(`${at}.hook_resid_mid`, residual);
  if (normalization_position !== 'after') {
    if (attn_only) return hook(`${at}.hook_resid_post`, middle);
    return hook(`${at}.hook_resid_post`, withMlp(middle, normalize(config, `${at}.ln2`, read(middle), weights, hook)));
  }
  const normalized = attn_only ? middle : normalize(config, `${at}.ln1`, middle, weights, hook);
  const end = hook(`${at}.hook_resid_post`, attn_only ? normalized : withMlp(normalized, read(normalized)));
  return hook(`${at}.hook_normalized_resid_post`, normalize(config, `${at}.${attn_only ? 'ln1' : 'ln2'}`, end, weights, hook));
}

/** The logits `[..., U]` of the residual stream at the end of the model. */
export function readLogits(config: ModelConfig, residual: Tensor, weights: Weights, hook: Hook): Tensor {
  return unembed(config, config.normalization_position === 'after' ? residual : normalize(config, 'ln_final', residual, weights, hook), weights);
}

function activation(name: ModelConfig['act_fn'], x: Tensor): Tensor {
  switch (name) {
    case 'relu': return relu(x);
    case 'gelu': return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
    // The tanh approximation of GPT-2 (Hendrycks and Gimpel 2016).
    case 'gelu_new': {
      const cubed = tf.mul(tf.mul(x, x), x);
      const inner = tf.mul(tf.add(x, tf.mul(cubed, 0.044715)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    }
    case 'silu': return tf.mul(x, tf.sigmoid(x));
    case 'saturate': return tf.sub(tf.sub(tf.mul(tf.sigmoid(tf.mul(x, 5)), 2), 1), x);
  }
}

/** Its gradient asks what came out, not what went in: so ONNX Runtime does it within the matrix product that makes `x`. */
function relu(x: Tensor): Tensor {
  const rectified = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [Tensor, (tensors: Tensor[]) => void];
    const value = tf.relu(input);
    save([value]);
    return { value, gradFunc: (dy, saved) => tf.mul(dy, tf.step(saved[0] as Tensor)) };
  });
  return rectified(x);
}

/** Some of the positions that lie along one axis of `x`. */
export function takePositions(x: Tensor, positions: readonly number[], axis: number): Tensor {
  const [first = 0] = positions;
  const isRange = positions.every((position, index) => position === first + index);
  if (!isRange) return tf.gather(x, tf.tensor1d([...positions], 'int32'), axis);
  if (positions.length === x.shape[axis]) return x;
  return tf.slice(x, x.shape.map((_, at) => (at === axis ? first : 0)), x.shape.map((length, at) => (at === axis ? positions.length : length)));
}

export function unembed(config: ModelConfig, x: Tensor, weights: Weights): Tensor {
  return linear(x, weights('unembed.W_U'), config.biases ? weights('unembed.b_U') : undefined);
}

/**
 * Rotary position embedding (Su et al. 2021) of `x [B, T, H, K]`, which stands at `T` positions from `from` on: on the first
 * `rotary_dim` dimensions of each head, halves rotated against each other as GPT-NeoX and TransformerLens do, or neighbours
 * as GPT-J does.
 */
export function rotate(config: ModelConfig, x: Tensor, from = 0): Tensor {
  const [, T = 0, , K = 0] = x.shape;
  const { rotary_dim: dimensions = K, rotary_base = 10_000, rotary_adjacent_pairs: adjacent = false } = config;
  const half = dimensions / 2;
  const angles = Float32Array.from({ length: T * dimensions }, (_, at) => {
    const [position, index] = [Math.floor(at / dimensions), at % dimensions];
    const pair = adjacent ? Math.floor(index / 2) : index % half;
    // Wavelengths are float32, as those of TransformerLens are: by position 2000 sines are 5e-5 off otherwise.
    return (from + position) / Math.fround(rotary_base ** (pair / half));
  });
  const table = (fn: (angle: number) => number) => tf.tensor(angles.map(fn), [T, 1, dimensions]);
  const rotated = tf.slice(x, [0, 0, 0, 0], [-1, -1, -1, dimensions]);
  const flipped = adjacent ? flipNeighbours(rotated) : flipHalves(rotated, 3);
  const turned = tf.add(tf.mul(rotated, table(Math.cos)), tf.mul(flipped, table(Math.sin)));
  return dimensions === K ? turned : tf.concat([turned, tf.slice(x, [0, 0, 0, dimensions], [-1, -1, -1, K - dimensions])], 3);
}

/** (a, b) → (−b, a), of the halves of an axis. */
function flipHalves(x: Tensor, axis: number): Tensor {
  const [first, second] = tf.split(x, 2, axis) as [Tensor, Tensor];
  return tf.concat([tf.neg(second), first], axis);
}

/** (a, b) → (−b, a), of the 1st and 2nd dimension, the 3rd and 4th, and so on. */
function flipNeighbours(x: Tensor): Tensor {
  const [B = 1, T = 1, H = 1, K = 2] = x.shape;
  return tf.reshape(flipHalves(tf.reshape(x, [B * T * H, K / 2, 2]), 2), x.shape);
}
