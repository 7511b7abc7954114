// Runs the commands of a set-up, and ends them with it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

const millisecondsAtMost = 30 * 60 * 1000;
const linesOfLog = 30;

/** Exit codes of what a signal ended, as shells count them. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };

/** A command that failed or could not be started. Its message is for people. */
export class CommandError extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode
   */
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Somebody wanted it to end. */
export class InterruptedError extends CommandError {
  /** @param {keyof typeof exitCodes} signal */
  constructor(signal) {
    super('Interrupted.', exitCodes[signal]);
  }
}

/**
 * @typedef {readonly [string, ...string[]]} Command a program and its parameters
 * @typedef {{ folder?: string, environment?: NodeJS.ProcessEnv }} CommandOptions
 */

/**
 * Runs a command with all that it prints in a log file.
 * @param {Command} command
 * @param {CommandOptions & { what: string, logFile: string }} options `what` begins the sentence that tells of a failure
 * @throws {CommandError} with the end of the log
 */
export async function runLogged(command, { what, logFile, ...options }) {
  await mkdir(path.dirname(logFile), { recursive: true });
  const log = await open(logFile, 'w');
  try {
    const exitCode = await endOf(start(command, ['ignore', log.fd, log.fd], options));
    if (exitCode === 0) return;
    const tail = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-linesOfLog).join('\n');
    throw new CommandError(`${what} failed with exit code ${exitCode}; the end of ${logFile}:\n${tail}`, exitCode);
  } finally {
    await log.close();
  }
}

/**
 * Runs a command that prints on the terminal, and returns its exit code.
 * @param {Command} command
 * @param {CommandOptions} [options]
 */
export function runShown(command, options = {}) {
  return endOf(start(command, ['ignore', 'inherit', 'inherit'], options));
}

/**
 * Runs a command that shows its progress on standard error, and returns what it prints on standard output.
 * @param {Command} command
 * @param {CommandOptions & { what: string }} options
 * @throws {CommandError}
 */
export async function runForOutput(command, { what, ...options }) {
  const child = start(command, ['ignore', 'pipe', 'inherit'], options);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', text => {
    output += text;
  });
  const exitCode = await endOf(child);
  if (exitCode !== 0) throw new CommandError(`${what} failed with exit code ${exitCode}.`, exitCode);
  return output;
}

/**
 * @param {Command} command
 * @param {import('node:child_process').StdioOptions} stdio
 * @param {CommandOptions} options
 */
function start([program, ...parameters], stdio, { folder, environment }) {
  // Windows starts command files through its shell only, which needs quotes.
  const shell = program.endsWith('.cmd');
  const word = (/** @type {string} */ text) => (shell ? `"${text}"` : text);
  return spawn(word(program), parameters.map(word), {
    stdio,
    shell,
    timeout: millisecondsAtMost,
    ...(folder !== undefined && { cwd: folder }),
    ...(environment !== undefined && { env: environment }),
  });
}

/**
 * Waits for the end and returns the exit code. Signals that would end this process end the command first.
 * @param {import('node:child_process').ChildProcess} child
 */
async function endOf(child) {
  /** @type {keyof typeof exitCodes | undefined} */
  let interruption;
  /** @param {'SIGINT' | 'SIGTERM' | 'SIGHUP'} signal */
  const interrupt = signal => {
    interruption = signal;
    // That of a terminal reaches the command as well, which may need a moment to put its things in order.
    if (signal !== 'SIGINT') child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const [code, signal] = await once(child, 'close');
    if (interruption !== undefined) throw new InterruptedError(interruption);
    return signal === null ? Number(code) : (exitCodes[/** @type {keyof typeof exitCodes} */ (signal)] ?? 1);
  } catch (error) {
    if (error instanceof CommandError || !(error instanceof Error)) throw error;
    throw new CommandError(`${child.spawnfile} cannot be started: ${error.message}.`, 127);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
