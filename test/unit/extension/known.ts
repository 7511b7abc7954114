import type { KnownExperiment } from '../../../src/extension/experiments/experimentState';
import type { ExperimentStanding } from '../../../src/protocol/engine';

/** What is known of an experiment that can be trained, as far as it is not changed. */
export function knownExperiment(standing: Partial<ExperimentStanding> = {}, more: Partial<KnownExperiment> = {}): KnownExperiment {
  return { standing: { problems: [], trains: { id: 'm', name: 'clock', seed: 0, steps: 1000 }, ...standing }, claims: [], about: '', ...more };
}
