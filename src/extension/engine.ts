import { fork, type ChildProcess } from 'node:child_process';
import type { ProgressType, RequestType, RequestType0 } from 'vscode-jsonrpc';
import { CancelledError, messageOf, UserError } from '../common/errors';
import { Emitter } from '../common/event';
import type { Disposable } from '../common/lifetime';
import { initialize, type BreakpointHit, type EngineInfo, type EngineSettings, type ModelsChanged, type UnmeasuredBreakpoint } from '../protocol/engine';
import type { SweepChange } from '../protocol/sweep';
import { EngineSession, type Log, type Question } from './engineSession';
import { RestartPolicy } from './restartPolicy';

export type EngineState =
  | { readonly kind: 'stopped' | 'starting' }
  | { readonly kind: 'ready'; readonly info: EngineInfo }
  | { readonly kind: 'failed'; readonly problem: string };

export interface EngineHost {
  fork(): ChildProcess;
  settings(): EngineSettings;
  readonly log: Log;
  /** Milliseconds since any fixed moment. */
  now(): number;
  /** Milliseconds that the engine may take to start: a models folder on a network may never answer. */
  readonly patience: number;
}

/** The engine is down, and is not started again by itself. */
export class EngineDown extends UserError {}

/**
 * The engine as the rest of the extension sees it: there when it is asked something, and there again after a crash.
 * Nothing starts before the first request.
 */
export class Engine implements Disposable {
  private readonly states = new Emitter<EngineState>();
  private readonly changes = new Emitter<ModelsChanged>();
  private readonly sweepChanges = new Emitter<SweepChange>();
  private readonly breakpoints = new Emitter<BreakpointHit>();
  private readonly unmeasured = new Emitter<UnmeasuredBreakpoint>();
  private readonly restarts: RestartPolicy;
  private current: EngineState = { kind: 'stopped' };
  private opening: Promise<EngineSession> | undefined;
  private session: EngineSession | undefined;
  private disposed = false;
  readonly onStateChange = this.states.event;
  readonly onModelsChanged = this.changes.event;
  readonly onSweepChanged = this.sweepChanges.event;
  readonly onBreakpoint = this.breakpoints.event;
  readonly onUnmeasuredBreakpoint = this.unmeasured.event;

  constructor(private readonly host: EngineHost) {
    this.restarts = new RestartPolicy(() => host.now());
  }

  get state(): EngineState {
    return this.current;
  }

  /** Starts the engine if need be, and returns what it says of itself. */
  async start(): Promise<EngineInfo> {
    await this.ready();
    if (this.current.kind !== 'ready') throw new UserError('The engine has just ended; try again.');
    return this.current.info;
  }

  /** Asks the engine, which is started if need be. Throws as {@link EngineSession.send} does. */
  request<P, R>(type: RequestType<P, R, void>, params: P, signal?: AbortSignal): Promise<R>;
  request<R>(type: RequestType0<R, void>): Promise<R>;
  async request<P, R>(type: Question<P, R>, params?: P, signal?: AbortSignal): Promise<R> {
    return (await this.ready()).send(type, params, signal);
  }

  /** As {@link request}, with what comes in between under the progress id `token`. */
  async requestWithProgress<P, R, Q>(
    type: RequestType<P, R, void>,
    params: P,
    progress: { readonly type: ProgressType<Q>; readonly token: string; listener(value: Q): void },
    signal?: AbortSignal,
  ): Promise<R> {
    const session = await this.ready();
    const listening = session.listen(progress.type, progress.token, value => progress.listener(value));
    try {
      return await session.send(type, params, signal);
    } finally {
      listening.dispose();
    }
  }

  /** Ends the engine, and with it every training of this window, and starts it afresh. */
  async restart(): Promise<void> {
    this.restarts.forget();
    this.opening = undefined;
    this.session?.dispose();
    this.session = undefined;
    this.become({ kind: 'stopped' });
    await this.ready();
  }

  dispose(): void {
    this.disposed = true;
    this.session?.dispose();
    this.states.dispose();
    this.changes.dispose();
    this.sweepChanges.dispose();
    this.breakpoints.dispose();
    this.unmeasured.dispose();
  }

  private async ready(): Promise<EngineSession> {
    if (this.disposed) throw new CancelledError();
    if (this.current.kind === 'failed' && this.opening === undefined) throw new EngineDown(this.current.problem);
    const attempt = this.opening ??= this.open();
    try {
      return await attempt;
    } catch (error) {
      // A restart may have overtaken the attempt that was waited for.
      if (this.opening !== undefined && this.opening !== attempt) return this.ready();
      throw error;
    }
  }

  private async open(): Promise<EngineSession> {
    for (;;) {
      this.become({ kind: 'starting' });
      const session = new EngineSession(this.host.fork(), this.host.log);
      this.session = session;
      session.onModelsChanged(change => this.changes.fire(change));
      session.onSweepChanged(change => this.sweepChanges.fire(change));
      session.onBreakpoint(hit => this.breakpoints.fire(hit));
      session.onUnmeasuredBreakpoint(unmeasured => this.unmeasured.fire(unmeasured));
      try {
        const info = await within(this.host.patience, session.send(initialize, this.host.settings()));
        if (this.session !== session) throw new CancelledError();
        session.onEnd(() => this.crashed(session));
        this.become({ kind: 'ready', info });
        return session;
      } catch (error) {
        session.dispose();
        if (this.disposed || this.session !== session) throw new CancelledError();
        if (session.ended === undefined) throw this.fail(messageOf(error));
        if (!this.restarts.allows()) throw this.fail(this.tooOften());
      }
    }
  }

  private crashed(session: EngineSession): void {
    if (this.disposed || this.session !== session) return;
    this.session = undefined;
    this.opening = undefined;
    if (!this.restarts.allows()) {
      this.fail(this.tooOften());
      return;
    }
    this.host.log.info('Starting the engine again.');
    this.opening = this.open();
    // Whoever asks next hears of a failure; here it has been logged and shown as the state.
    this.opening.catch(() => undefined);
  }

  private tooOften(): string {
    return `The engine ended ${this.restarts.most + 1} times within ${this.restarts.within / 60_000} minutes, so it is not started again by itself.`;
  }

  private fail(problem: string): EngineDown {
    this.opening = undefined;
    this.session = undefined;
    this.host.log.error(problem);
    this.become({ kind: 'failed', problem });
    return new EngineDown(problem);
  }

  private become(state: EngineState): void {
    this.current = state;
    this.states.fire(state);
  }
}

async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const problem = 'The engine does not answer; its models folder may be out of reach.';
    timer = setTimeout(() => reject(new UserError(problem)), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Forks the engine's bundle with Node (VS Code's own, whatever it is), and typed arrays crossing as they are. */
export function forkEngine(file: string, environment: Readonly<Record<string, string>> = {}): ChildProcess {
  return fork(file, [], {
    serialization: 'advanced',
    // Without this a debugged extension host would hand its inspector's port on.
    execArgv: [],
    env: { ...process.env, ...environment, ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}
