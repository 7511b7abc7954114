/**
 * An error meant for people: one sentence that says what is wrong, where, and what to do. It is shown as it is, without a
 * stack; on the command line it ends the program with exit code 2 (the input is wrong).
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** A name that does not exist. */
export class UnknownNameError extends UserError {
  /** @param nearest the names that may have been meant, the nearest first */
  constructor(message: string, readonly nearest: readonly string[]) {
    super(message);
  }
}

/** An error about one field of what was given, by its name, so that an editor can mark it. */
export class FieldError extends UserError {
  /** @param nearest where there is no such field: the fields that may have been meant, the nearest first */
  constructor(readonly field: string, message: string, readonly nearest: readonly string[] = []) {
    super(message);
  }
}

/** The work was cancelled by whoever asked for it. Never shown. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  constructor() {
    super('Cancelled.');
  }
}

/** Throws a {@link CancelledError} once `signal` is aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError();
}

/** What to show of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An operating system error's code (`ENOENT`, `EACCES`, `ENOSPC`, …), if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
