import type { SweepOrigin } from '../store/sweepRecords';
import type { NamedModels } from '../training/experiment';
import { nothingNamed } from '../training/origin';
import type { Sweep } from '../training/sweep';

/** What the runs of a sweep start from, for its record; nothing where they start from no other model. */
export function originOf({ runs }: Sweep): SweepOrigin | undefined {
  const origin = runs[0]?.experiment.origin;
  if (!origin) return undefined;
  const { name, checkpoint, model, config, task } = origin;
  const ids = Object.fromEntries(runs.flatMap(({ experiment: { resolved, origin } }) => (origin ? [[resolved.seed, origin.id]] : [])));
  return { name, ...(checkpoint !== undefined && { checkpoint }), model, config, task, ids };
}

/** What a sweep's text named when it was started, whatever has become of the files since. */
export function namedThen({ ids, ...origin }: SweepOrigin): NamedModels {
  // The experiment without its sweep is read too, and never trained: it may have a seed that no run has.
  return { ...nothingNamed, origin: (_, seed) => ({ ...origin, id: ids[seed] ?? '' }) };
}
