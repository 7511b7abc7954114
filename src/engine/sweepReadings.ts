import { UserError } from '../common/errors';
import { runsLimit } from '../protocol/sweep';
import { sweepIdOf, type SweepRecord } from '../store/sweepRecords';
import { readSweep, type Sweep } from '../training/sweep';
import type { Origins } from './origins';
import { modelsOf, SweepState } from './sweepState';

/** What the records of sweeps say, each read once: a large sweep takes its time. */
export class SweepReadings {
  private readonly readings = new Map<string, { readonly text: string; readonly state: SweepState | UserError }>();

  constructor(private readonly origins: Pick<Origins, 'lookUp'>) {}

  /** The sweep of a record, which sees no models yet; or what is wrong with it. */
  async read(record: SweepRecord): Promise<SweepState | UserError> {
    const known = this.readings.get(record.id);
    if (known?.text !== record.text) return this.readAnew(record);
    if (known.state instanceof SweepState) known.state.record = record;
    return known.state;
  }

  forget(id: string): void {
    this.readings.delete(id);
  }

  private async readAnew(record: SweepRecord): Promise<SweepState | UserError> {
    const reading = readSweep(record.text, {}, runsLimit, await this.origins.lookUp(record));
    const state = reading.ok ? stateOf(record, reading.sweep) : unreadable(record, reading.problems.map(({ message }) => message).join('\n'));
    this.readings.set(record.id, { text: record.text, state });
    return state;
  }
}

/** What the experiment names may have become another one since: then its runs are not those of the record. */
function stateOf(record: SweepRecord, sweep: Sweep): SweepState | UserError {
  const startsFromOthers = sweep.runs.some(({ experiment }) => experiment.origin);
  if (startsFromOthers && sweepIdOf(modelsOf(sweep)) !== record.id) return unreadable(record, 'What it starts from is not what it was.');
  return new SweepState(record, sweep);
}

function unreadable({ name }: SweepRecord, why: string): UserError {
  return new UserError(`The sweep "${name}" cannot be read any more: ${why}`);
}
