import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { messageOf } from '../common/errors';
import { Emitter } from '../common/event';
import type { Disposable } from '../common/lifetime';
import type { FromTrainer, ToTrainer } from '../protocol/trainer';
import { killed, outOfMemory, tellsOfMemory } from './failure';

/** How a trainer process came to its end. `interrupted`: it ended without saying so. */
export interface TrainerEnd {
  readonly status: 'finished' | 'stopped' | 'interrupted' | 'failed';
  /** Why it failed, in one sentence. */
  readonly problem?: string;
  /** Whether the problem is one that people can do something about. */
  readonly userError?: boolean;
  /** Whether it ended without a last word, and so without tidying up. */
  readonly silent: boolean;
}

/** Milliseconds that a trainer is given to end: after it was asked to, and again after SIGTERM. */
const patience = { asked: 2000, terminated: 3000 };

/** The process of one run, from its start to its end, which always comes. */
export class TrainerProcess implements Disposable {
  private readonly child: ChildProcess;
  private readonly messages = new Emitter<FromTrainer>();
  private readonly timers: NodeJS.Timeout[] = [];
  private lastWord: Extract<FromTrainer, { kind: 'ended' }> | undefined;
  private stopping = false;
  private released = false;
  private ranOutOfMemory = false;
  readonly onMessage = this.messages.event;
  /** Resolves when the process is gone. */
  readonly ended: Promise<TrainerEnd>;

  /** Forks the trainer's bundle `file`; its standard error goes to `log` line by line. */
  constructor(file: string, start: Extract<ToTrainer, { kind: 'start' }>, log: (line: string) => void) {
    this.child = fork(file, [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.ended = new Promise(resolve => {
      this.child.once('error', error => resolve({ status: 'failed', problem: `The training could not start: ${messageOf(error)}.`, silent: true }));
      // `close` comes after `exit`, when the last message and the last line have been read.
      this.child.once('close', (code, signal) => resolve(this.endOf(code, signal)));
      // It never comes once the channel was closed from here, and there is nobody left to read to then.
      this.child.once('exit', (code, signal) => this.released && resolve(this.endOf(code, signal)));
    });
    void this.ended.then(() => this.timers.forEach(clearTimeout));
    for (const output of [this.child.stdout, this.child.stderr]) {
      if (output) createInterface({ input: output }).on('line', line => this.hear(line, log));
    }
    this.child.on('message', (message: FromTrainer) => {
      if (message.kind === 'ended') this.lastWord = message;
      this.messages.fire(message);
    });
    this.send(start);
  }

  get processId(): number | undefined {
    return this.child.pid;
  }

  send(message: ToTrainer): void {
    // A process that has just ended takes no messages any more, and `ended` tells.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  /** Asks the run to stop at the next step and to keep what it has; insists with SIGTERM, and ends it with SIGKILL. */
  stop(): void {
    if (this.stopping) return;
    this.stopping = true;
    this.send({ kind: 'stop' });
    this.timers.push(
      setTimeout(() => this.child.kill('SIGTERM'), patience.asked),
      setTimeout(() => this.child.kill('SIGKILL'), patience.asked + patience.terminated),
    );
  }

  /** Lets go of it: it keeps what it has and ends because its channel closes. */
  dispose(): void {
    this.released = true;
    this.messages.dispose();
    if (this.child.connected) this.child.disconnect();
  }

  private hear(line: string, log: (line: string) => void): void {
    if (tellsOfMemory(line)) this.ranOutOfMemory = true;
    log(line);
  }

  private endOf(code: number | null, signal: NodeJS.Signals | null): TrainerEnd {
    if (this.lastWord) {
      const { status, problem, userError } = this.lastWord;
      return { status, ...(problem !== undefined && { problem }), ...(userError !== undefined && { userError }), silent: false };
    }
    if (this.ranOutOfMemory) return { status: 'failed', problem: outOfMemory, userError: true, silent: true };
    if (this.stopping) return { status: 'stopped', silent: true };
    // Whoever kills it on purpose asks it first: what is left is the system, when memory runs out.
    if (signal === 'SIGKILL') return { status: 'interrupted', problem: killed, silent: true };
    return { status: 'interrupted', problem: `Its process ended without a word (${signal ?? `exit code ${code}`}).`, silent: true };
  }
}
