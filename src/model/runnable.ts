import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { formatShape, sameShape, type HostTensor } from '../common/tensor';
import type { Runtime, TensorFunction, TensorSpec } from '../compile/runtime';
import type { ModelConfig } from '../protocol/config';
import { checkHookName } from './names';
import { parameterSpecs, type ParameterValuesByName } from './parameters';
import { forward } from './transformer';

// B batch · T positions · U d_vocab_out

export interface ModelRun {
  /** `[B, T, U]` */
  readonly logits: HostTensor<'float32'>;
  /** Hook name → value. */
  readonly cache: ReadonlyMap<string, HostTensor<'float32'>>;
}

/** A model with its weights, ready to run with its activations read or replaced. */
export class RunnableModel {
  private readonly names: readonly string[];
  private readonly weights: readonly HostTensor<'float32'>[];
  private readonly inputs: readonly TensorSpec[];
  /** One function a set of hooks, so that the runtime's cache by function and shapes works. */
  private readonly functions = new Map<string, TensorFunction>();

  /** @throws UserError when a parameter is missing or has another shape. */
  constructor(readonly config: ModelConfig, private readonly parameters: ParameterValuesByName, private readonly runtime: Runtime) {
    const specs = parameterSpecs(config);
    this.names = specs.map(spec => spec.name);
    this.inputs = specs.map(({ shape }) => ({ dtype: 'float32', shape }));
    this.weights = specs.map(({ name, shape }) => {
      const value = this.parameter(name);
      if (!sameShape(value.shape, shape)) throw new UserError(`The parameter ${name} is ${formatShape(value.shape)}; this model's is ${formatShape(shape)}.`);
      return value;
    });
  }

  /** @throws UserError for a name that the model does not have, with the nearest. */
  parameter(name: string): HostTensor<'float32'> {
    const value = this.parameters.get(name);
    if (!value) throw unknownName('parameter', name, [...this.parameters.keys()]);
    return value;
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
    const executable = await this.runtime.compile('model', this.functionFor(wanted), [...this.inputs, { dtype: 'int32', shape: tokens.shape }]);
    const [logits, ...values] = (await executable.run([...this.weights, tokens])) as HostTensor<'float32'>[];
    if (!logits) throw new Error('the model gave no logits');
    return { logits, cache: new Map(wanted.map((name, index) => [name, valueAt(values, index)])) };
  }

  private functionFor(hooks: readonly string[]): TensorFunction {
    const key = hooks.join();
    const known = this.functions.get(key);
    if (known) return known;
    const fn: TensorFunction = (...inputs) => {
      const byName = new Map(this.names.map((name, index) => [name, inputs[index]]));
      const seen = new Map<string, Tensor>();
      const logits = forward(
        this.config,
        name => byName.get(name) ?? missing(name),
        inputs[this.names.length] ?? missing('tokens'),
        {
          hook: (name, value) => {
            if (hooks.includes(name)) seen.set(name, value);
            return value;
          },
          wantsResult: hooks.some(name => name.endsWith('hook_result')),
        },
      );
      return [logits, ...hooks.map(name => seen.get(name) ?? missing(name))];
    };
    this.functions.set(key, fn);
    return fn;
  }

  private checkTokens({ shape, data }: HostTensor<'int32'>): void {
    const { d_vocab, n_ctx } = this.config;
    const [B = 0, T = 0] = shape;
    if (shape.length !== 2 || B === 0 || T === 0) throw new UserError('Tokens are a list of prompts, each a list of at least one token id.');
    if (T > n_ctx) throw new UserError(`The prompt has ${T} tokens; this model reads at most ${n_ctx}.`);
    const at = data.findIndex(token => token < 0 || token >= d_vocab);
    if (at >= 0) throw new UserError(`Token ${data[at] ?? ''} at position ${at % T} of prompt ${Math.floor(at / T)} is outside the vocabulary, 0 to ${d_vocab - 1}.`);
  }
}

function valueAt(values: readonly HostTensor<'float32'>[], index: number): HostTensor<'float32'> {
  const value = values[index];
  if (!value) throw new Error(`the model gave no value ${index}`);
  return value;
}

function missing(name: string): never {
  throw new Error(`${name} is missing`);
}
