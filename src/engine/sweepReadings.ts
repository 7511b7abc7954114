import { UserError } from '../common/errors';
import type { SweepRecord } from '../store/sweepRecords';
import { readSweep } from '../training/sweep';
import { SweepState } from './sweepState';

/** What the records of sweeps say, each read once: a large sweep takes its time. */
export class SweepReadings {
  private readonly readings = new Map<string, { readonly text: string; readonly state: SweepState | UserError }>();

  /** The sweep of a record, which sees no models yet; or what is wrong with it. */
  read(record: SweepRecord): SweepState | UserError {
    const known = this.readings.get(record.id);
    if (known?.text !== record.text) return this.readAnew(record);
    if (known.state instanceof SweepState) known.state.record = record;
    return known.state;
  }

  forget(id: string): void {
    this.readings.delete(id);
  }

  private readAnew(record: SweepRecord): SweepState | UserError {
    const reading = readSweep(record.text);
    const state = reading.ok
      ? new SweepState(record, reading.sweep)
      : new UserError(`The sweep "${record.name}" cannot be read any more: ${reading.problems.map(({ message }) => message).join('\n')}`);
    this.readings.set(record.id, { text: record.text, state });
    return state;
  }
}
