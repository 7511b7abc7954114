// What a person reads while a set-up goes on: one line a step, with its time.
import process from 'node:process';
import { CommandError } from './commands.mjs';

const { stdout } = process;
const clearLine = '\r\u001b[K';

/**
 * Does one step and shows its line:  ✓ Install the npm packages (1 min 58 s)
 * @template Result
 * @param {string} title in the imperative
 * @param {() => Result | Promise<Result>} work
 * @param {(result: Result) => string} [outcome] what to add to the title
 * @returns {Promise<Result>}
 */
export async function step(title, work, outcome = () => '') {
  const began = performance.now();
  if (stdout.isTTY) stdout.write(`… ${title}`);
  const line = (/** @type {string} */ mark, /** @type {string} */ text) =>
    stdout.write(`${stdout.isTTY ? clearLine : ''}${mark} ${text} (${formatTime(performance.now() - began)})\n`);
  try {
    const result = await work();
    line('✓', `${title}${outcome(result)}`);
    return result;
  } catch (error) {
    line('✗', title);
    throw error;
  }
}

/** Runs a whole program and tells people of its failure. @param {() => Promise<number>} program returns the exit code */
export async function runToExitCode(program) {
  try {
    const [major] = process.versions.node.split('.');
    if (Number(major) < 20) throw new CommandError(`Circuit Explorer needs Node 20 or newer; this is ${process.version}.`, 1);
    process.exitCode = await program();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = error instanceof CommandError ? error.exitCode : 1;
  }
}

/** @param {number} milliseconds */
export function formatTime(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
