import { CancelledError, messageOf, UserError } from '../common/errors';
import { printable } from '../common/printable';
import { FailedError } from '../engine/failure';

/** Exit codes that scripts depend on. */
export const exitCodes = { done: 0, failed: 1, wrongInput: 2, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure that the answer, printed already, tells of. */
export class FailedAnswer extends Error {
  override readonly name = 'FailedAnswer';
}

/** Standard error: a terminal, or whatever takes its place. */
export interface Messages extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Where a command's answer goes: one JSON document, or text, on standard output. */
export interface Output {
  readonly json: boolean;
  readonly out: NodeJS.WritableStream;
  readonly err: Messages;
}

/** Prints the answer once: the document with `--json`, otherwise the text. */
export function answer(output: Output, document: unknown, text: () => string): void {
  output.out.write(output.json ? `${JSON.stringify(document, forJson)}\n` : `${printable(text())}\n`);
}

/** Prints what went wrong, and returns the exit code for it. */
export function complain(output: Output, error: unknown): ExitCode {
  const code = codeOf(error);
  if (code === exitCodes.interrupted || error instanceof FailedAnswer) return code;
  explain(output, error);
  if (output.json) output.out.write(`${JSON.stringify({ error: messageOf(error) })}\n`);
  return code;
}

/** Says on standard error what went wrong: in a sentence, or with the stack of a defect. */
export function explain({ err }: Pick<Output, 'err'>, error: unknown): void {
  const isDefect = !(error instanceof UserError || error instanceof FailedError);
  err.write(`${printable(isDefect && error instanceof Error ? error.stack ?? error.message : messageOf(error))}\n`);
}

function codeOf(error: unknown): ExitCode {
  if (error instanceof CancelledError) return exitCodes.interrupted;
  return error instanceof UserError ? exitCodes.wrongInput : exitCodes.failed;
}

/** Typed arrays as plain ones. */
function forJson(_: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float32Array) : value;
}
