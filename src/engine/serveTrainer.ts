import os from 'node:os';
import * as v from 'valibot';
import { messageOf } from '../common/errors';
import { devices } from '../protocol/engine';
import type { FromTrainer, ToTrainer } from '../protocol/trainer';
import { whenParentIsGone } from './parent';
import { RunSteering } from './runSteering';
import { trainModel, type Arithmetic, type TrainerStart } from './trainModel';

/** Milliseconds that a run without its starter is given to write what it has. */
const farewell = 5000;

const ToTrainerSchema = v.variant('kind', [
  v.strictObject({
    kind: v.literal('start'),
    store: v.string(),
    model: v.string(),
    device: v.picklist(devices),
    threads: v.pipe(v.number(), v.integer(), v.minValue(1)),
    background: v.boolean(),
    parent: v.pipe(v.number(), v.integer()),
    watched: v.boolean(),
  }),
  v.strictObject({ kind: v.picklist(['pause', 'continue', 'step', 'stop']) }),
  v.strictObject({ kind: v.literal('watch'), watched: v.boolean() }),
  v.strictObject({ kind: v.literal('go-on'), step: v.number() }),
]) satisfies v.GenericSchema<unknown, ToTrainer>;

/**
 * Makes this process the trainer of the run that the first message names. It ends with the run, when it is told to, when
 * its channel closes, and when whoever started it is gone; in every case but a kill the run keeps what it has.
 */
export function serveTrainer(arithmetic: Arithmetic): void {
  const steering = new RunSteering();
  let started = false;
  let sent = Promise.resolve();

  process.on('message', (message: unknown) => {
    const asked = v.parse(ToTrainerSchema, message);
    switch (asked.kind) {
      case 'start':
        if (started) throw new Error('This trainer has its run already');
        started = true;
        steering.setWatched(asked.watched);
        void begin(asked);
        return;
      case 'pause': return steering.setPaused(true);
      case 'continue': return steering.setPaused(false);
      case 'step': return steering.step();
      case 'watch': return steering.setWatched(asked.watched);
      case 'go-on': return steering.goOn(asked.step);
      case 'stop': return steering.end('stopped');
      default: asked satisfies never;
    }
  });
  // At a terminal, Ctrl-C reaches the whole group of processes; what it means is for whoever started the run to say.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => steering.end('stopped'));

  async function begin(start: TrainerStart): Promise<void> {
    // First of all, since threads inherit the priority of the one that makes them.
    if (start.background) giveWay();
    whenParentIsGone(start.parent, () => {
      steering.end('interrupted');
      setTimeout(() => process.exit(1), farewell).unref();
    });
    await trainModel(start, steering, tell, arithmetic);
    // Not before the last message is out.
    await sent;
    process.exit();
  }

  function tell(message: FromTrainer): void {
    if (!process.connected) return;
    sent = new Promise(resolve => process.send?.(message, undefined, undefined, () => resolve()));
  }

  function giveWay(): void {
    try {
      os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL);
    } catch (error) {
      tell({ kind: 'log', message: `The training keeps its priority: ${messageOf(error)}` });
    }
  }
}
