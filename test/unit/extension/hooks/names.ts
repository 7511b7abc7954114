import { modelTensors } from '../../../../src/model/tensors';
import type { ModelConfig } from '../../../../src/protocol/config';
import { KnownTensors } from '../../../../src/extension/hooks/resolve';
import { configOf } from '../../../support/models';

/** What is known of a model of this configuration, called "toy". */
export function knownOf(given: Partial<ModelConfig> = {}): KnownTensors {
  return new KnownTensors('toy', modelTensors(configOf(given)));
}
