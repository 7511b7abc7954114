import { UserError } from '../common/errors';
import type { ParameterValuesByName } from '../model/parameters';
import type { ModelConfig } from '../protocol/config';
import type { UntrainedOrigin } from '../protocol/engine';
import type { ModelOrigin } from '../protocol/model';
import type { Store } from '../store/store';
import type { Origin } from '../training/origin';

/** What is to be trained starts from a model that is not trained to its end yet. */
export class UntrainedOriginError extends UserError {
  constructor(name: string, readonly origin: ModelOrigin & Pick<Origin, 'source'>) {
    super(`"${name}" starts from "${origin.name}", which is not trained yet; train it first.`);
  }

  /** What is said of it to other processes. */
  get untrained(): UntrainedOrigin {
    const { id, name, source } = this.origin;
    if (!source) return { id, name };
    const { seed, ...experiment } = source;
    return { id, name, request: { experiment, seed } };
  }
}

/**
 * Sees to it that there is something to start from before anything is started.
 * @throws UntrainedOriginError; UserError for a checkpoint that a trained model does not have, or a model that is gone.
 */
export async function checkOrigin(store: Store, name: string, origin: ModelOrigin & Pick<Origin, 'source'>): Promise<void> {
  const { id, checkpoint, source } = origin;
  if (!(await store.has(id))) throw source ? new UntrainedOriginError(name, origin) : gone(origin);
  const isThere = checkpoint !== undefined && (await store.checkpoints(id)).includes(checkpoint);
  if (isThere) return;
  if ((await store.read(id)).status !== 'finished') throw new UntrainedOriginError(name, origin);
  if (checkpoint !== undefined) await store.readWeights(id, checkpoint);
}

/**
 * The model that another one started from, with the weights that it had there.
 * @throws UserError when they are gone.
 */
export async function readOrigin(store: Store, origin: ModelOrigin): Promise<{ readonly config: ModelConfig; readonly weights: ParameterValuesByName }> {
  const { id, name, checkpoint } = origin;
  if (!(await store.has(id))) throw gone(origin);
  const { config, status } = await store.read(id);
  if (checkpoint === undefined && status !== 'finished') {
    throw new UserError(`"${name}" (${id}), which this model starts from, is not trained to its end; train it first.`);
  }
  return { config, weights: await store.readWeights(id, checkpoint) };
}

function gone({ id, name }: ModelOrigin): UserError {
  return new UserError(`"${name}" (${id}), which this model starts from, is gone; train it again.`);
}
