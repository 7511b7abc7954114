import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createMessageConnection, type MessageConnection } from 'vscode-jsonrpc';
import { IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { initialize, log, type EngineInfo } from '../../../src/protocol/engine';

/** An engine in a process of its own, as an editor has it. */
export interface EngineProcess {
  readonly child: ChildProcess;
  readonly connection: MessageConnection;
  readonly info: EngineInfo;
  /** Milliseconds from the fork to the first answer. */
  readonly startedIn: number;
  readonly lines: readonly string[];
  end(): Promise<void>;
}

export async function startEngine(bundles: string, store: string): Promise<EngineProcess> {
  const start = performance.now();
  const child = fork(path.join(bundles, 'engine.js'), [], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'inherit', 'ignore', 'ipc'] });
  const connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  const lines: string[] = [];
  connection.onNotification(log, ({ message }) => void lines.push(message));
  connection.listen();
  const info = await connection.sendRequest(initialize, { store, device: 'cpu', threads: 1, trusted: true }).catch((error: unknown) => {
    child.disconnect();
    throw error;
  });
  return {
    child, connection, info, lines,
    startedIn: performance.now() - start,
    end: async () => {
      connection.dispose();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

/** The process numbers of the trainers that have said theirs, in the order of their start. */
export function trainersOf({ lines }: Pick<EngineProcess, 'lines'>): number[] {
  return lines.flatMap(line => /: trainer (\d+)$/.exec(line)?.[1] ?? []).map(Number);
}
