import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { CancelledError, errorCode, messageOf, throwIfCancelled, UserError } from '../common/errors';

/** The package and version that the engine can use. */
export const tensorFlowPackage = '@tensorflow/tfjs-node-gpu@4.22.0';

/** Where it is kept in the extension's storage. */
export function tensorFlowFolder(storage: string): string {
  return path.join(storage, 'tensorflow');
}

/** Whether that package has a TensorFlow for a machine. */
export function runsTensorFlow({ platform, arch }: Pick<NodeJS.Process, 'platform' | 'arch'>): boolean {
  return (platform === 'linux' || platform === 'win32') && arch === 'x64';
}

export interface TensorFlowInstall {
  /** The extension's storage. */
  readonly storage: string;
  readonly signal: AbortSignal;
  /** A line of npm's output. */
  line(text: string): void;
  /** Where npm is looked for. */
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Lets npm install TensorFlow beside the extension's other data, and puts it in its place only when it is whole.
 * @throws UserError when npm is missing or fails; CancelledError.
 */
export async function installTensorFlow({ storage, signal, line, environment }: TensorFlowInstall): Promise<void> {
  throwIfCancelled(signal);
  await mkdir(storage, { recursive: true });
  const unfinished = await mkdtemp(path.join(storage, 'tensorflow-unfinished-'));
  try {
    await npmInstall(unfinished, signal, line, environment);
    const folder = tensorFlowFolder(storage);
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function npmInstall(folder: string, signal: AbortSignal, line: (text: string) => void, environment: NodeJS.ProcessEnv): Promise<void> {
  const said: string[] = [];
  const hear = (text: string) => {
    line(text);
    said.push(text);
  };
  const exitCode = await runNpm(['install', tensorFlowPackage, '--prefix', folder, '--no-audit', '--no-fund'], folder, signal, hear, environment);
  throwIfCancelled(signal);
  if (exitCode === 0) return;
  const reason = reasonOf(said);
  throw new UserError(`TensorFlow could not be installed${reason === undefined ? '' : ` (${reason})`}. It is more than 400 MB from outside of npm: check the connection, then run the command again. The log has all that npm said.`);
}

/** The line of npm's output that says most: an error that something threw, or else the first that is not about npm itself. */
function reasonOf(said: readonly string[]): string | undefined {
  const errors = said.flatMap(text => /^npm (?:ERR!|error)\s+(.+)/.exec(text)?.[1] ?? []);
  const thrown = errors.map(text => /\bError: (.+)/.exec(text)?.[1]).find(text => text !== undefined);
  return thrown ?? errors.find(text => !/^(code|errno|syscall|path|command|A complete log)\b/.test(text));
}

async function runNpm(
  parameters: readonly string[], folder: string, signal: AbortSignal, hear: (text: string) => void, environment: NodeJS.ProcessEnv,
): Promise<number | null> {
  const isWindows = process.platform === 'win32';
  const child = spawn('npm', parameters, {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // npm is a batch file there, which only a shell runs; elsewhere its own group lets it end with its children.
    shell: isWindows,
    detached: !isWindows,
  });
  for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on('line', hear);
  const cancel = () => endGroup(child);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
  } catch (error) {
    if (signal.aborted) throw new CancelledError();
    if (errorCode(error) === 'ENOENT') throw new UserError('npm was not found: install Node.js with npm, then run the command again.');
    throw new UserError(`npm could not be run: ${messageOf(error)}`);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') spawn('taskkill', ['/pid', String(child.pid), '/T', '/F']);
    else process.kill(-child.pid, 'SIGTERM');
  } catch {
    // It has just ended by itself.
  }
}
