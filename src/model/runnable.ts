import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { allFinite, formatShape, sameShape, type HostTensor } from '../common/tensor';
import type { Runtime, TensorFunction, TensorSpec } from '../compile/runtime';
import type { ModelConfig } from '../protocol/config';
import { blindPosition } from './mask';
import { checkHookName } from './names';
import { parameterSpecs, type ParameterValuesByName } from './parameters';
import type { Weights } from './layers';
import { forward } from './transformer';

// B batch · T positions · U d_vocab_out

export interface ModelRun {
  /** `[B, T, U]` */
  readonly logits: HostTensor<'float32'>;
  /** Hook name → value. */
  readonly cache: ReadonlyMap<string, HostTensor<'float32'>>;
}

/** A function of a model's weights, by their state-dict names, and of further tensors. It must not read values. */
export type ModelFunction = (weights: Weights, ...inputs: Tensor[]) => Tensor[];

/** A model with its weights, ready to run with its activations read or replaced. */
export class RunnableModel {
  private readonly names: readonly string[];
  private readonly weights: readonly HostTensor<'float32'>[];
  private readonly inputs: readonly TensorSpec[];
  /** Names of parameters with numbers that are not finite, once they have been looked for. */
  private notFinite: readonly string[] | undefined;

  /**
   * @param functions one function a key, so that the runtime's cache by function and shapes works
   * @throws UserError when a parameter is missing or has another shape.
   */
  constructor(
    readonly config: ModelConfig,
    private readonly parameters: ParameterValuesByName,
    private readonly runtime: Runtime,
    private readonly functions = new Map<string, TensorFunction>(),
  ) {
    const specs = parameterSpecs(config);
    this.names = specs.map(spec => spec.name);
    this.inputs = specs.map(({ shape }) => ({ dtype: 'float32', shape }));
    this.weights = specs.map(({ name, shape }) => {
      const value = this.find(name);
      if (!sameShape(value.shape, shape)) throw new UserError(`The parameter ${name} is ${formatShape(value.shape)}; this model's is ${formatShape(shape)}.`);
      return value;
    });
  }

  /** The same model with other weights, as at a checkpoint. What was compiled for one of them serves them all. */
  withWeights(parameters: ParameterValuesByName): RunnableModel {
    return new RunnableModel(this.config, parameters, this.runtime, this.functions);
  }

  /** Bytes that its weights take. */
  get size(): number {
    return this.weights.reduce((bytes, { data }) => bytes + data.byteLength, 0);
  }

  /** @throws UserError for a name that the model does not have, with the nearest; or when its weights are not finite. */
  parameter(name: string): HostTensor<'float32'> {
    this.checkWeights();
    return this.find(name);
  }

  /**
   * Runs `tokens [B, T]` and returns the logits and the activations asked for. Scores that the mask forbids are -Infinity
   * in `hook_attn_scores`, as in TransformerLens.
   * @throws UserError for a hook that does not exist, a token outside the vocabulary, or more than `n_ctx` positions.
   */
  async runWithCache(tokens: HostTensor<'int32'>, hooks: readonly string[]): Promise<ModelRun> {
    this.checkTokens(tokens);
    for (const hook of hooks) checkHookName(this.config, hook);
    const wanted = [...new Set(hooks)];
    const [logits, ...values] = await this.compute(`cache ${wanted.join()}`, (weights, given) => {
      const seen = new Map<string, Tensor>();
      const logits = forward(this.config, weights, given ?? missing('tokens'), {
        hook: (name, value) => {
          if (wanted.includes(name)) seen.set(name, value);
          return value;
        },
        wantsResult: wanted.some(name => name.endsWith('hook_result')),
      });
      return [logits, ...wanted.map(name => seen.get(name) ?? missing(name))];
    }, [tokens]);
    return { logits: asFloat32(logits), cache: new Map(wanted.map((name, index) => [name, asFloat32(values[index])])) };
  }

  /**
   * Runs a function of the model's weights and further tensors, written in plain tfjs: a forward pass with its activations
   * replaced, gradients, products of weights. It is traced once for each key and shapes of the inputs, so the key must tell
   * apart whatever the function closes over; what changes often, such as a token or a threshold, should be an input.
   */
  async compute(key: string, fn: ModelFunction, inputs: readonly HostTensor[]): Promise<readonly HostTensor[]> {
    this.checkWeights();
    const specs = inputs.map(({ dtype, shape }): TensorSpec => ({ dtype, shape }));
    const executable = await this.runtime.compile(key, this.functionFor(key, fn), [...this.inputs, ...specs]);
    return executable.run([...this.weights, ...inputs]);
  }

  private find(name: string): HostTensor<'float32'> {
    const value = this.parameters.get(name);
    if (!value) throw unknownName('parameter', name, [...this.parameters.keys()]);
    return value;
  }

  /** Nothing can be computed of a model whose training diverged, and no figure shows what is no number. */
  private checkWeights(): void {
    this.notFinite ??= this.names.filter(name => !allFinite(this.find(name).data));
    const [name] = this.notFinite;
    if (name === undefined) return;
    throw new UserError(`The parameter ${name} holds numbers that are not finite, as after a training that diverged; an earlier checkpoint may be whole.`);
  }

  private functionFor(key: string, fn: ModelFunction): TensorFunction {
    const known = this.functions.get(key);
    if (known) return known;
    const made: TensorFunction = (...all) => {
      const byName = new Map(this.names.map((name, index) => [name, all[index]]));
      return fn(name => byName.get(name) ?? missing(name), ...all.slice(this.names.length));
    };
    this.functions.set(key, made);
    return made;
  }

  /** @throws UserError for tokens that the model cannot read. */
  checkTokens({ shape, data }: HostTensor<'int32'>): void {
    const { d_vocab, n_ctx, tokens_per_position = 1, padding_token } = this.config;
    const tokenCount = d_vocab ** tokens_per_position;
    const [B = 0, T = 0] = shape;
    if (shape.length !== 2 || B === 0 || T === 0) throw new UserError('Tokens are a list of prompts, each a list of at least one token id.');
    if (T > n_ctx) throw new UserError(`The prompt has ${T} tokens; this model reads at most ${n_ctx}.`);
    const at = data.findIndex(token => token < 0 || token >= tokenCount);
    if (at >= 0) throw new UserError(`Token ${data[at] ?? ''} at position ${at % T} of prompt ${Math.floor(at / T)} is outside the vocabulary, 0 to ${tokenCount - 1}.`);
    const blind = blindPosition(this.config, T);
    if (blind !== undefined) throw new UserError(`Of a prompt of ${T} tokens the last ${T} rows and columns of the mask are read, and they leave position ${blind} nothing to attend to; give all ${n_ctx} tokens.`);
    const empty = Array.from({ length: B }, (_, row) => row).find(row => data.subarray(row * T, (row + 1) * T).every(token => token === padding_token));
    if (empty !== undefined) throw new UserError(`Prompt ${empty} holds nothing but padding, so that there is nothing to attend to; give it a token other than ${padding_token ?? ''}.`);
  }
}

/** A result of `compute` that is known to be of floats. */
export function asFloat32(value: HostTensor | undefined): HostTensor<'float32'> {
  if (value?.dtype !== 'float32') throw new Error(`the model gave ${value?.dtype ?? 'nothing'} in place of float32`);
  return value as HostTensor<'float32'>;
}

function missing(name: string): never {
  throw new Error(`${name} is missing`);
}
