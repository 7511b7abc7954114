import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import {
  CancellationTokenSource, ConnectionError, createMessageConnection, ErrorCodes, ResponseError, type MessageConnection,
  type RequestType, type RequestType0,
} from 'vscode-jsonrpc';
import { IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { messageOf, throwIfCancelled, UserError } from '../common/errors';
import { Emitter } from '../common/event';
import type { Disposable } from '../common/lifetime';
import {
  breakpointReached, breakpointUnmeasured, configCode, log as logNotification, modelsChanged, sweepChanged, tooLongCode, untrainedOriginCode, userErrorCode,
  type BreakpointHit, type ModelsChanged, type UnmeasuredBreakpoint, type UntrainedOrigin,
} from '../protocol/engine';
import type { SweepChange } from '../protocol/sweep';
import { ConfigError, TooLongError, UntrainedOriginError } from './refusals';

/** Where lines for the log go; VS Code's `LogOutputChannel` is one. */
export interface Log {
  trace(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** A request of the protocol, with or without parameters. */
export type Question<P, R> = RequestType<P, R, void> | RequestType0<R, void>;

/** Milliseconds that the process is given to end at each: closed channel, SIGTERM. */
const patience = 2000;

/** The life of one engine process: its messages, its output, its end. */
export class EngineSession implements Disposable {
  private readonly connection: MessageConnection;
  private readonly ending = new Emitter<string>();
  private readonly changes = new Emitter<ModelsChanged>();
  private readonly sweepChanges = new Emitter<SweepChange>();
  private readonly breakpoints = new Emitter<BreakpointHit>();
  private readonly unmeasured = new Emitter<UnmeasuredBreakpoint>();
  private disposed = false;
  /** How the process ended, once it has. */
  ended: string | undefined;
  /** The process ended by itself. */
  readonly onEnd = this.ending.event;
  readonly onModelsChanged = this.changes.event;
  readonly onSweepChanged = this.sweepChanges.event;
  readonly onBreakpoint = this.breakpoints.event;
  readonly onUnmeasuredBreakpoint = this.unmeasured.event;

  constructor(private readonly child: ChildProcess, private readonly log: Log) {
    this.connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child), {
      error: message => log.error(message),
      warn: message => log.warn(message),
      info: message => log.info(message),
      log: message => log.trace(message),
    });
    this.connection.onNotification(modelsChanged, change => this.changes.fire(change));
    this.connection.onNotification(sweepChanged, change => this.sweepChanges.fire(change));
    this.connection.onNotification(breakpointReached, hit => this.breakpoints.fire(hit));
    this.connection.onNotification(breakpointUnmeasured, unmeasured => this.unmeasured.fire(unmeasured));
    this.connection.onNotification(logNotification, ({ level, message }) => log[level](message));
    this.connection.listen();
    if (child.stdout) readLines(child.stdout, line => log.info(line));
    if (child.stderr) readLines(child.stderr, line => log.warn(line));
    child.once('exit', (code, signal) => this.end(signal === null ? `exit code ${code}` : `signal ${signal}`));
    child.once('error', error => this.end(messageOf(error)));
  }

  /**
   * @throws UserError with the engine's own words, or when the process ends before it answers; CancelledError once
   * `signal` is aborted; an Error for a defect.
   */
  async send<P, R>(type: Question<P, R>, params?: P, signal?: AbortSignal): Promise<R> {
    throwIfCancelled(signal);
    const source = new CancellationTokenSource();
    const cancel = () => source.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await this.connection.sendRequest<R>(type.method, ...(type.numberOfParams === 0 ? [] : [params]), source.token);
    } catch (error) {
      throwIfCancelled(signal);
      throw readable(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      source.dispose();
    }
  }

  /** Calls `listener` for every value that comes under `token`. */
  listen: MessageConnection['onProgress'] = (type, token, listener) => this.connection.onProgress(type, token, listener);

  /** Ends the process: it leaves by itself when its channel closes, and is made to when it does not. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.connection.dispose();
    if (this.ended !== undefined) return;
    if (this.child.connected) this.child.disconnect();
    const timers = [
      setTimeout(() => this.child.kill('SIGTERM'), patience),
      setTimeout(() => this.child.kill('SIGKILL'), 2 * patience),
    ];
    this.child.once('exit', () => timers.forEach(clearTimeout));
  }

  private end(how: string): void {
    if (this.ended !== undefined) return;
    this.ended = how;
    if (this.disposed) return;
    this.log.error(`The engine process ${this.child.pid ?? ''} ended: ${how}.`);
    this.dispose();
    this.ending.fire(how);
  }
}

function readLines(output: Readable, listener: (line: string) => void): void {
  createInterface({ input: output }).on('line', listener);
}

function readable(error: unknown): Error {
  if (error instanceof ConnectionError) return new UserError('The engine ended before it answered.');
  if (!(error instanceof ResponseError)) return new Error(messageOf(error));
  if (error.code === userErrorCode) return new UserError(error.message);
  if (error.code === tooLongCode) return new TooLongError(error.message);
  if (error.code === configCode) return new ConfigError(error.message);
  if (error.code === untrainedOriginCode) return new UntrainedOriginError(error.message, error.data as UntrainedOrigin);
  const ended: readonly number[] = [ErrorCodes.PendingResponseRejected, ErrorCodes.MessageWriteError];
  return ended.includes(error.code) ? new UserError('The engine ended before it answered.') : new Error(error.message);
}
