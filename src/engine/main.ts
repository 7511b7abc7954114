import process from 'node:process';
import { createMessageConnection } from 'vscode-jsonrpc';
import { IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { installationAt } from './engine';
import { whenParentIsGone } from './parent';
import { serveRequests } from './requests';

/** The engine process: it answers requests on its channel until whoever forked it is gone. */
const connection = createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process), {
  error: message => console.error(message),
  warn: message => console.error(message),
  info: () => undefined,
  log: () => undefined,
});
const serving = serveRequests(connection, installationAt(__dirname));

function leave(): void {
  serving.dispose();
  process.exit();
}

whenParentIsGone(process.ppid, leave);
// At a terminal, Ctrl-C reaches the whole group of processes; the editor decides what it means.
process.on('SIGINT', () => undefined);
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
// A promise that nobody waited for is a defect, but no reason to take the running trainings down.
process.on('unhandledRejection', reason => console.error(reason instanceof Error ? reason.stack : reason));
connection.listen();
