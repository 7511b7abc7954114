import type { Engine } from '../engine/engine';
import type { SweepOrder } from '../engine/sweeps';
import type { SweepDetails } from '../protocol/sweep';
import { showSweepProgress } from './progress';
import type { Session } from './session';
import { afterOrigins } from './training';

/** Brings the runs of a sweep to their end, with progress on standard error; Ctrl-C cancels, and the runs keep what they have. */
export async function sweepToEnd(session: Session, engine: Engine, order: SweepOrder): Promise<SweepDetails> {
  const started = await afterOrigins(session, engine, { force: order.options.force ?? false }, () => engine.sweeps.start(order));
  const { id, name } = started;
  const shown = showSweepProgress(name, session.output.err);
  const watching = engine.sweeps.onChange(({ summary }) => summary.id === id && shown.show(summary));
  const cancel = () => {
    if (!session.output.err.isTTY) session.output.err.write('Stopping; the runs keep what they have learned.\n');
    // It may have ended just now, and then there is nothing to cancel.
    engine.sweeps.control(id, 'cancel').catch(() => undefined);
  };
  session.interrupted.addEventListener('abort', cancel, { once: true });
  if (session.interrupted.aborted) cancel();
  try {
    shown.show(started);
    await engine.sweeps.ended(id);
    const ended = await engine.sweeps.get(id);
    shown.show(ended);
    return ended;
  } finally {
    session.interrupted.removeEventListener('abort', cancel);
    watching.dispose();
    shown.dispose();
  }
}
