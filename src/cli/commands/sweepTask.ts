import type { Engine } from '../../engine/engine';
import { checkTask, readTask, taskThreads, type SlurmTask } from '../../engine/executors/slurmTask';
import { FailedError } from '../../engine/failure';
import { allThreads } from '../../engine/threads';
import { trainToEnd } from '../../engine/trainToEnd';
import { answer } from '../output';
import { withEngine, type Session } from '../session';
import { watchOf } from '../training';

/** Sent to the job shortly before its time is up. */
const timeIsUp = 'SIGUSR2';
/** Sent when the job is cancelled, or has to make room and is put back into the queue. */
const makeRoom = 'SIGTERM';

/**
 * `circuits sweep-task FILE`: trains one run of a sweep, as a job of a cluster. It goes on from what an earlier job of the
 * same run has left, and keeps what it has when it is told to end.
 */
export async function sweepTask(session: Session, file: string): Promise<void> {
  const task = await readTask(file);
  const ending = new AbortController();
  const end = (signal: NodeJS.Signals) => ending.abort(signal);
  for (const signal of [timeIsUp, makeRoom] as const) process.on(signal, end);
  try {
    const interrupted = AbortSignal.any([session.interrupted, ending.signal]);
    const { device } = task;
    await withEngine(session, { store: task.store }, async engine => {
      checkTask(file, task, await engine.runs.origins.lookUp({ text: task.text }));
      await trainTask({ ...session, interrupted }, engine, task);
    }, { device, threads: taskThreads(task, process.env, allThreads()) });
  } finally {
    for (const signal of [timeIsUp, makeRoom] as const) process.off(signal, end);
  }
}

async function trainTask(session: Session, engine: Engine, { model: id, text }: SlurmTask): Promise<void> {
  // A job that was killed can have left its lock behind, which counts for ten seconds more.
  if (await engine.store.has(id)) (await engine.store.lock(id)).dispose();
  // What a cluster is given was meant for it, and has a time limit of its own.
  await trainToEnd(engine, { text, force: true }, watchOf(session));
  const { name, status, progress } = await engine.model(id);
  if (status !== 'finished') throw new FailedError(await whyStopped(session.interrupted.reason, engine, id));
  answer(session.output, { id, status, progress }, () => `${name} (${id}) is trained to its end.`);
}

async function whyStopped(reason: unknown, engine: Engine, id: string): Promise<string> {
  if (reason !== timeIsUp) return 'The run was told to stop, and keeps what it has learned.';
  const problem = 'The run came to the time limit of its job and keeps what it has learned; ask for more with --time and resume the sweep.';
  await engine.store.update(id, { status: 'interrupted', problem });
  return problem;
}
