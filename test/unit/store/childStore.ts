import { fork, type ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import path from 'node:path';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import type { Order, Report } from './storeProcess';

/** Bundles `storeProcess` into `folder` and returns its file. */
export async function buildStoreProcess(folder: string): Promise<string> {
  const outfile = path.join(folder, 'storeProcess.mjs');
  await build({
    entryPoints: [path.join(import.meta.dirname, 'storeProcess.ts')],
    outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error',
    external: ['vitest', 'fast-check'],
    // Packages in the older module format ask for Node's own modules by `require`.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
  });
  return outfile;
}

/** A process that has a store open, and waits to be told to go. It ends with the test. */
export class ChildStore {
  private readonly reports: AsyncIterator<Report[]>;
  private readonly exit: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    this.reports = on(child, 'message', { close: ['disconnect'] });
    this.exit = once(child, 'exit');
  }

  static async start(file: string, folder: string, order: Order): Promise<ChildStore> {
    const child = new ChildStore(fork(file, [folder, JSON.stringify(order)], { execArgv: [] }));
    onTestFinished(() => child.end('SIGKILL'));
    await child.expect('ready');
    return child;
  }

  go(): void {
    this.child.send('go');
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** The next report; undefined when the process ended without one. */
  async next(): Promise<Report | undefined> {
    const result = await this.reports.next();
    return result.done === true ? undefined : result.value[0];
  }

  async expect(expected: Report): Promise<void> {
    const report = await this.next();
    if (report !== expected) throw new Error(`It reported ${JSON.stringify(report)}, not ${JSON.stringify(expected)}`);
  }

  async end(name: NodeJS.Signals): Promise<void> {
    this.child.kill(name);
    await this.exit;
  }
}
