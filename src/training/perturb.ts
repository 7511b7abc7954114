import { UserError } from '../common/errors';
import { Random } from '../common/random';
import { float32, sizeOf } from '../common/tensor';
import { parameterSpecs, type ParameterValuesByName } from '../model/parameters';
import type { ModelConfig } from '../protocol/config';
import type { Perturb } from '../protocol/experiment';

/** A matrix `[d_model, d_head]` of one head. */
export interface HeadMatrix {
  /** The parameter `[n_heads, d_model, d_head]` that holds it, as in `blocks.0.attn.W_Q`. */
  readonly parameter: string;
  readonly layer: number;
  readonly head: number;
}

/** The head matrices that training may change: those of queries, keys and values. */
export function headMatrices(config: ModelConfig): readonly HeadMatrix[] {
  return parameterSpecs(config).flatMap(({ name, shape: [heads = 0], trainable }) => {
    const layer = /^blocks\.(\d+)\.attn\.W_[QKV]$/.exec(name)?.[1];
    return layer === undefined || !trainable ? [] : Array.from({ length: heads }, (_, head) => ({ parameter: name, layer: Number(layer), head }));
  });
}

/** The matrices that a perturbation replaces: chosen at random by the seed, in the order of the model. @throws UserError when there are not so many. */
export function perturbedMatrices(config: ModelConfig, { matrices }: Perturb, seed: number): readonly HeadMatrix[] {
  const all = headMatrices(config);
  if (matrices > all.length) throw new UserError(`${matrices} head matrices cannot be replaced by noise: this model has ${all.length} that are trained.`);
  const chosen = [...new Random(seed, 'perturbed matrices').permutation(all.length).subarray(0, matrices)].sort((a, b) => a - b);
  return chosen.flatMap(at => all[at] ?? []);
}

/** The parameters with those matrices replaced by normal noise of standard deviation `scale`; each matrix has its own stream. */
export function perturbed(config: ModelConfig, parameters: ParameterValuesByName, perturb: Perturb, seed: number): Map<string, ReturnType<typeof float32>> {
  const values = new Map(parameters);
  for (const { parameter, head } of perturbedMatrices(config, perturb, seed)) {
    const before = values.get(parameter);
    if (!before) throw new Error(`the model has no parameter ${parameter}`);
    const random = new Random(seed, `noise ${parameter} ${head}`);
    const size = sizeOf(before.shape.slice(1)); // d_model · d_head
    const data = before.data.slice();
    for (let i = 0; i < size; i++) data[head * size + i] = perturb.scale * random.normal();
    values.set(parameter, float32(before.shape, data));
  }
  return values;
}
