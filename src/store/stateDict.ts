import { UserError } from '../common/errors';
import { formatShape, sameShape } from '../common/tensor';
import { parameterSpecs } from '../model/parameters';
import type { ModelConfig } from '../protocol/config';
import type { Weights } from './checkpoints';

/**
 * The weights, once they are known to be those of a model: every parameter in its shape, and nothing else.
 * @throws UserError one sentence that names the first parameter that does not fit.
 */
export function checkedStateDict(model: string, config: ModelConfig, weights: Weights): Weights {
  const specs = parameterSpecs(config);
  for (const { name, shape } of specs) {
    const found = weights.get(name);
    if (found === undefined) throw new UserError(`The saved weights of ${model} lack "${name}".`);
    if (!sameShape(found.shape, shape)) {
      const shapes = `${formatShape(found.shape)}, where the model has ${formatShape(shape)}`;
      throw new UserError(`The saved weights of ${model} do not fit it: "${name}" is ${shapes}.`);
    }
  }
  const known = new Set(specs.map(({ name }) => name));
  for (const name of weights.keys()) {
    if (known.has(name)) continue;
    throw new UserError(`The saved weights of ${model} have "${name}", which the model does not.`);
  }
  return weights;
}
