import { UserError } from '../common/errors';
import { runsLimit } from '../protocol/sweep';
import { sweepIdOf, type SweepRecord } from '../store/sweepRecords';
import { readSweep, type Sweep } from '../training/sweep';
import type { Origins } from './origins';
import { namedThen } from './sweepOrigins';
import { modelsOf, SweepState } from './sweepState';

/** What the records of sweeps say, each read once: a large sweep takes its time. What cannot be read is read anew: a file that it names may come back. */
export class SweepReadings {
  private readonly readings = new Map<string, { readonly text: string; readonly state: Promise<SweepState | UserError> }>();

  constructor(private readonly origins: Pick<Origins, 'lookUp' | 'modules'>) {}

  /** The sweep of a record, which sees no models yet; or what is wrong with it. */
  async read(record: SweepRecord): Promise<SweepState | UserError> {
    const known = this.readings.get(record.id);
    const reading = known?.text === record.text ? known : { text: record.text, state: this.readAnew(record) };
    this.readings.set(record.id, reading);
    let state: SweepState | UserError | undefined;
    try {
      state = await reading.state;
    } finally {
      if (!(state instanceof SweepState) && this.readings.get(record.id) === reading) this.readings.delete(record.id);
    }
    if (state instanceof SweepState) state.record = record;
    return state;
  }

  forget(id: string): void {
    this.readings.delete(id);
  }

  private async readAnew(record: SweepRecord): Promise<SweepState | UserError> {
    const { text, origin } = record;
    const named = await this.origins.lookUp(record);
    const task = (await this.origins.modules?.madeThen(record.modules ?? [], named.task)) ?? named.task;
    const reading = readSweep(text, {}, runsLimit, { ...(origin ? namedThen(origin) : named), task });
    return reading.ok ? stateOf(record, reading.sweep) : unreadable(record, reading.problems.map(({ message }) => message).join('\n'));
  }
}

/** Where a record does not say what its runs start from, that may have become another model since: then its runs are not those of the record. */
function stateOf(record: SweepRecord, sweep: Sweep): SweepState | UserError {
  const startsFromOthers = sweep.runs.some(({ experiment }) => experiment.origin);
  const isOnModules = sweep.runs.some(({ experiment }) => experiment.resolved.task.module !== undefined);
  if ((startsFromOthers || isOnModules) && sweepIdOf(modelsOf(sweep)) !== record.id) {
    return unreadable(record, isOnModules ? 'The module of its task is not what it was.' : 'What it starts from is not what it was.');
  }
  return new SweepState(record, sweep);
}

function unreadable({ name }: SweepRecord, why: string): UserError {
  return new UserError(`The sweep "${name}" cannot be read any more: ${why}`);
}
