import type { Disposable } from '../common/lifetime';
import { printable } from '../common/printable';
import type { Engine } from '../engine/engine';
import type { TrainOrder } from '../engine/runs';
import type { TrainingWatch } from '../engine/trainToEnd';
import { showRunProgress, showSweepProgress } from './progress';
import { experimentText, type Session } from './session';

/** What a command line changes in an experiment. */
export interface ExperimentChanges {
  readonly seed?: number;
  readonly steps?: number;
  readonly set: readonly string[];
  /** Whether it is trained even where that takes days. */
  readonly force?: boolean;
}

/** The order to train an experiment, a file or a bundled one, with changes. */
export async function orderOf(engine: Engine, experiment: string, { seed, steps, set, force }: ExperimentChanges): Promise<TrainOrder> {
  return { ...(await experimentText(engine, experiment)), set, ...(seed !== undefined && { seed }), ...(steps !== undefined && { steps }), ...(force && { force }) };
}

interface Shown<What extends unknown[]> extends Disposable {
  show(...what: What): void;
}

/** Shows trainings on standard error; Ctrl-C stops them, and the models keep what they have. */
export function watchOf({ interrupted, output: { err } }: Session): TrainingWatch {
  function whileWaiting<What extends unknown[]>(shown: Shown<What>, farewell: string): Shown<What> {
    const tell = () => void (err.isTTY || err.write(`${farewell}\n`));
    interrupted.addEventListener('abort', tell, { once: true });
    if (interrupted.aborted) tell();
    return {
      show: (...what) => shown.show(...what),
      dispose: () => {
        interrupted.removeEventListener('abort', tell);
        shown.dispose();
      },
    };
  }
  return {
    signal: interrupted,
    say: sentence => void err.write(`${printable(sentence)}\n`),
    follow: ({ name }) => whileWaiting(showRunProgress(name, err), 'Stopping; the model keeps what it has learned.'),
    followSweep: ({ name }) => whileWaiting(showSweepProgress(name, err), 'Stopping; the runs keep what they have learned.'),
  };
}
