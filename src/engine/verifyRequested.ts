import { UserError } from '../common/errors';
import type { Disposable } from '../common/lifetime';
import { throttle } from '../common/throttle';
import type { Verification, VerifyNews, VerifyRequest } from '../protocol/engine';
import { runLabel } from '../protocol/sweep';
import { TooLongError } from './duration';
import type { Engine } from './engine';
import { FailedError } from './failure';
import type { TrainOrder } from './runs';
import { readClaimed, verifyClaimed, type VerifyWatch } from './verifying';

/** Who has asked for a verification. */
export interface VerifyListener {
  readonly signal: AbortSignal;
  tell(news: VerifyNews): void;
  log(message: string): void;
}

/** Milliseconds between two pieces of news about one training. */
const interval = 100;

/**
 * Measures claims for a program that shows what comes of it.
 * @throws UserError for an experiment that cannot be read, or a claim that there is not; TooLongError where a training
 * would take too long and was not forced; CancelledError
 */
export async function verifyRequested(engine: Engine, order: TrainOrder, asked: Pick<VerifyRequest, 'claims' | 'checkpoint' | 'train'>, listener: VerifyListener): Promise<readonly Verification[]> {
  return verifyClaimed(engine, await readClaimed(engine, order), asked, watchOf(listener));
}

function watchOf({ signal, tell, log }: VerifyListener): VerifyWatch {
  /** The newest of what is shown of a training, so often as anybody can see it, and the last of it always. */
  function thinned<What extends unknown[]>(news: (...what: What) => void): Disposable & { show(...what: What): void } {
    let waiting: What | undefined;
    const flush = () => {
      if (waiting) news(...waiting);
      waiting = undefined;
    };
    const telling = throttle(flush, interval);
    return {
      show: (...what) => {
        waiting = what;
        telling.call();
      },
      dispose: () => {
        telling.dispose();
        flush();
      },
    };
  }

  return {
    signal,
    say: log,
    follow: ({ id, name }) => thinned((progress, metrics) => tell({ kind: 'training', model: id, name, progress, metrics })),
    // Sweeps tell so often as anybody can see it by themselves.
    followSweep: ({ name }) => ({
      show: (_, rows) => {
        for (const { model, values, status, progress, metrics } of rows) {
          if (status === 'training') tell({ kind: 'training', model, name: `${name}: ${runLabel(values)}`, progress, metrics });
        }
      },
      dispose: () => undefined,
    }),
    measuring: ({ name }, analysis) => tell({ kind: 'running', name, analysis }),
    measured: ({ id }, outcome) => tell({ kind: 'outcome', model: id, outcome }),
    failed: error => {
      // Whoever asked can be asked in turn whether it is meant.
      if (error instanceof TooLongError) throw error;
      if (!(error instanceof UserError || error instanceof FailedError)) log(error instanceof Error ? error.stack ?? error.message : String(error));
    },
  };
}
