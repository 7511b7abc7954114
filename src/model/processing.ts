import { UserError } from '../common/errors';
import { float32, type HostTensor } from '../common/tensor';
import { processingSteps, type ProcessingStep } from '../protocol/checkpointFile';
import type { ModelConfig } from '../protocol/config';
import { obstacleTo } from '../protocol/processing';
import { matches, parameterSpecs, type ParameterValuesByName } from './parameters';

// Weight processing as TransformerLens (2.18) does it: `fold_layer_norm`, `center_writing_weights`, `center_unembed`
// and `fold_value_biases` of HookedTransformer. Where TransformerLens would change what the model computes, a step is refused or leaves that out.
// D d_model · G matrices of a tensor (a head each, or one) · N columns of each · H heads · K d_head · U d_vocab_out

type Tensor = HostTensor<'float32'>;

/** A model as far as processing sees it. */
export interface ProcessedModel {
  readonly config: ModelConfig;
  /** In the order of a state dict. Tensors that no step changes are those that were given. */
  readonly weights: ParameterValuesByName;
}

/**
 * The model with its weights processed, whatever the order of the steps in TransformerLens' own. It computes the same logits,
 * or once the unembedding is centred the same log-probabilities; sums are added up in float64 and rounded to float32 once.
 * Processing it again changes no number by more than that rounding. `between` is waited for before each tensor.
 * @throws UserError when a step would change what the model computes, or has nothing to work on.
 */
export async function processWeights(
  config: ModelConfig, weights: ParameterValuesByName, steps: readonly ProcessingStep[], between: () => Promise<void> = () => Promise.resolve(),
): Promise<ProcessedModel> {
  for (const step of steps) {
    const obstacle = obstacleTo(step, config);
    if (obstacle !== undefined) throw new UserError(obstacle);
  }
  let processed: ProcessedModel = { config, weights };
  for (const step of processingSteps) if (steps.includes(step)) processed = await apply[step](processed, between);
  const kept = (patterns: readonly string[]) => stillMeant(patterns, name => processed.weights.get(name) === weights.get(name), [...weights.keys()]);
  const result: ModelConfig = { ...processed.config, frozen: kept(config.frozen), identity: kept(config.identity) };
  return { config: result, weights: new Map(parameterSpecs(result).map(({ name }) => [name, find(processed.weights, name)])) };
}

const apply: Readonly<Record<ProcessingStep, (model: ProcessedModel, between: () => Promise<void>) => Promise<ProcessedModel>>> = {
  'fold-layer-norm': foldLayerNorm,
  'center-writing-weights': centerWritingWeights,
  'center-unembedding': (model, between) => withCentredRows(model, ['unembed.W_U', ...(model.config.biases ? ['unembed.b_U'] : [])], between),
  'fold-value-biases': foldValueBiases,
};

/**
 * LN becomes LNPre and RMS becomes RMSPre, with their scale and shift in the weights and biases of what reads them. What
 * LayerNorm gives has a mean of 0, so the mean of each column that reads it does nothing: it is taken away.
 */
async function foldLayerNorm({ config, weights }: ProcessedModel, between: () => Promise<void>): Promise<ProcessedModel> {
  const { normalization_type: norm, n_layers, attn_only } = config;
  const isLayerNorm = norm === 'LN' || norm === 'LNPre';
  const hasBiases = config.biases || norm === 'LN';
  const folded = new Map(config.biases || !hasBiases ? weights : withZeroBiases(config, weights));
  const fold = async (at: string, readers: readonly (readonly [matrix: string, bias: string])[]) => {
    const scale = norm === 'LN' || norm === 'RMS' ? find(weights, `${at}.w`).data : undefined;
    const shift = norm === 'LN' ? find(weights, `${at}.b`).data : undefined;
    for (const [matrix, bias] of readers) {
      await between();
      const read = find(weights, matrix);
      if (shift) folded.set(bias, withShift(find(folded, bias), read, shift));
      if (scale || isLayerNorm) folded.set(matrix, scaled(read, scale, isLayerNorm));
    }
    folded.delete(`${at}.w`);
    folded.delete(`${at}.b`);
  };
  for (let layer = 0; layer < n_layers; layer++) {
    const at = `blocks.${layer}`;
    await fold(`${at}.ln1`, ['Q', 'K', 'V'].map(part => [`${at}.attn.W_${part}`, `${at}.attn.b_${part}`] as const));
    if (!attn_only) await fold(`${at}.ln2`, [[`${at}.mlp.W_in`, `${at}.mlp.b_in`]]);
  }
  await fold('ln_final', [['unembed.W_U', 'unembed.b_U']]);
  return { config: { ...config, normalization_type: isLayerNorm ? 'LNPre' : 'RMSPre', biases: hasBiases }, weights: folded };
}

/**
 * Every LayerNorm takes the mean away from what it reads, so the means of what is written to the residual stream do nothing.
 * The positions of a shortformer are never written to it: they stay as they are.
 */
function centerWritingWeights(model: ProcessedModel, between: () => Promise<void>): Promise<ProcessedModel> {
  const { n_layers, attn_only, biases, positional_embedding_type } = model.config;
  const leaves = ['attn.W_O', ...(biases ? ['attn.b_O'] : []), ...(attn_only ? [] : ['mlp.W_out', ...(biases ? ['mlp.b_out'] : [])])];
  const blocks = Array.from({ length: n_layers }, (_, layer) => leaves.map(leaf => `blocks.${layer}.${leaf}`)).flat();
  const embeddings = ['embed.W_E', ...(positional_embedding_type === 'standard' ? ['pos_embed.W_pos'] : [])];
  return withCentredRows(model, [...embeddings, ...blocks], between);
}

/**
 * The weights of a pattern add up to 1, so that a bias of the values adds the same at every position: what all heads make of
 * theirs goes into b_O, and b_V becomes 0.
 */
async function foldValueBiases({ config, weights }: ProcessedModel, between: () => Promise<void>): Promise<ProcessedModel> {
  const folded = new Map(weights);
  for (let layer = 0; layer < config.n_layers; layer++) {
    await between();
    const at = `blocks.${layer}.attn`;
    const values = find(weights, `${at}.b_V`); // [H, K]
    folded.set(`${at}.b_O`, withProduct(find(weights, `${at}.b_O`), values, find(weights, `${at}.W_O`)));
    folded.set(`${at}.b_V`, float32(values.shape));
  }
  return { config, weights: folded };
}

/** `bias [D]` and the product of all numbers of `values` as one row with `matrix [H, K, D]`. */
function withProduct(bias: Tensor, values: Tensor, matrix: Tensor): Tensor {
  const D = bias.data.length;
  const sums = Float64Array.from(bias.data);
  values.data.forEach((value, row) => {
    for (let d = 0; d < D; d++) sums[d] = (sums[d] ?? 0) + value * (matrix.data[row * D + d] ?? 0);
  });
  return float32(bias.shape, Float32Array.from(sums));
}

/** `bias [G, N]` and what a shift `[D]` of what `matrix [G, D, N]` reads adds to it. */
function withShift(bias: Tensor, { shape, data }: Tensor, shift: Float32Array): Tensor {
  const [D, N] = [shift.length, shape.at(-1) ?? 1];
  const sums = Float64Array.from(bias.data);
  for (let row = 0; row * N < data.length; row++) {
    const [by, from] = [shift[row % D] ?? 0, Math.floor(row / D) * N];
    for (let n = 0; n < N; n++) sums[from + n] = (sums[from + n] ?? 0) + by * (data[row * N + n] ?? 0);
  }
  return float32(bias.shape, Float32Array.from(sums));
}

/** `matrix [G, D, N]` with its rows times a scale `[D]`, less the mean of each column where that is wanted. */
function scaled({ shape, data }: Tensor, scale: Float32Array | undefined, isCentred: boolean): Tensor {
  const [D = 1, N = 1] = shape.slice(-2);
  const out = float32(shape);
  const means = new Float64Array(N);
  for (let start = 0; start < data.length; start += D * N) {
    means.fill(0);
    for (let d = 0, at = start; isCentred && d < D; d++) {
      const by = (scale?.[d] ?? 1) / D;
      for (let n = 0; n < N; n++, at++) means[n] = (means[n] ?? 0) + by * (data[at] ?? 0);
    }
    for (let d = 0, at = start; d < D; d++) {
      const by = scale?.[d] ?? 1;
      for (let n = 0; n < N; n++, at++) out.data[at] = by * (data[at] ?? 0) - (means[n] ?? 0);
    }
  }
  return out;
}

async function withCentredRows({ config, weights }: ProcessedModel, names: readonly string[], between: () => Promise<void>): Promise<ProcessedModel> {
  const centred = new Map(weights);
  for (const name of names) {
    await between();
    centred.set(name, centredRows(find(weights, name)));
  }
  return { config, weights: centred };
}

/** Each row, along the last axis, less its mean. */
function centredRows({ shape, data }: Tensor): Tensor {
  const length = shape.at(-1) ?? 1;
  const out = float32(shape);
  for (let start = 0; start < data.length; start += length) {
    let sum = 0;
    for (let at = start; at < start + length; at++) sum += data[at] ?? 0;
    const mean = sum / length;
    for (let at = start; at < start + length; at++) out.data[at] = (data[at] ?? 0) - mean;
  }
  return out;
}

/** The forward pass of a model without biases reads none, whatever stands in their place. */
function withZeroBiases(config: ModelConfig, weights: ParameterValuesByName): ParameterValuesByName {
  const biases = parameterSpecs(config).filter(({ name }) => /\.b_\w+$/.test(name));
  return new Map([...weights, ...biases.map(({ name, shape }) => [name, float32(shape)] as const)]);
}

/**
 * Patterns of what was fixed in training, of parameters that are still what they were: processing a parameter leaves nothing
 * of its having been the identity, or of having been kept as it was.
 */
function stillMeant(patterns: readonly string[], isUnchanged: (name: string) => boolean, names: readonly string[]): string[] {
  return patterns.flatMap(pattern => {
    const matched = names.filter(name => matches([pattern], name));
    return matched.every(isUnchanged) ? [pattern] : matched.filter(isUnchanged);
  });
}

function find(weights: ParameterValuesByName, name: string): Tensor {
  const tensor = weights.get(name);
  if (!tensor) throw new Error(`${name} is missing`);
  return tensor;
}
