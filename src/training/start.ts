import type { HostTensor } from '../common/tensor';
import { initialParameters, parameterSpecs, type ParameterValuesByName } from '../model/parameters';
import type { PreparedExperiment } from './experiment';
import { perturbed } from './perturb';

/**
 * The parameters before the first step: those of the model that it starts from, or its own initial ones; then perturbed,
 * where the experiment says so.
 * @param origin the weights of the model that it starts from
 */
export function startingParameters(
  { config, resolved: { seed, perturb } }: Pick<PreparedExperiment, 'config' | 'resolved'>,
  origin?: ParameterValuesByName,
): ReadonlyMap<string, HostTensor<'float32'>> {
  const initial = initialParameters(config, seed);
  const start = origin ? startingFrom(origin) : initial;
  return perturb ? perturbed(config, start, perturb, seed) : start;

  function startingFrom(weights: ParameterValuesByName): ReadonlyMap<string, HostTensor<'float32'>> {
    return new Map(parameterSpecs(config).map(({ name, start }) => {
      // What this model fixes to the identity is that, whatever it was before.
      const value = (start === 'identity' ? initial : weights).get(name);
      if (!value) throw new Error(`the model that it starts from has no parameter ${name}`);
      return [name, value];
    }));
  }
}
