import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import process from 'node:process';

// Counts the system calls that change files, and lets one of them fail or the process die there. It must be imported
// before anything that takes its functions from node:fs.

type Act = (halfDone: (() => void) | undefined) => void;
let act: Act | undefined;

/**
 * Kills this process, as the system would, at the n-th point: before each changing call, and where a call does its work
 * piece by piece (a write, the removal of a folder) also in the middle of it.
 */
export function dieAt(n: number): void {
  let left = n;
  const point = () => {
    left -= 1;
    return left === 0;
  };
  act = halfDone => {
    if (point()) process.kill(process.pid, 'SIGKILL');
    if (halfDone !== undefined && point()) {
      halfDone();
      process.kill(process.pid, 'SIGKILL');
    }
  };
}

/** Makes the n-th changing call fail as the system would, and nothing after it. Says whether it came to that. */
export async function failingAt(n: number, code: string, work: () => Promise<void>): Promise<boolean> {
  let left = n;
  act = halfDone => {
    left -= 1;
    if (left !== 0) return;
    halfDone?.();
    throw systemError(code);
  };
  await work().finally(() => {
    act = undefined;
  });
  return left <= 0;
}

/** Makes every changing call fail, as on a disk that is mounted read-only. */
export async function readOnly<T>(work: () => Promise<T>): Promise<T> {
  act = () => {
    throw systemError('EROFS');
  };
  return work().finally(() => {
    act = undefined;
  });
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

type Calls = Record<string, (...given: unknown[]) => unknown>;
type Changes = (given: unknown[], self: object) => boolean;
type HalfDone = (self: object, given: unknown[]) => (() => void) | undefined;

function instrument(
  owner: object,
  names: readonly string[],
  changes: Changes,
  halfDone: HalfDone = () => undefined,
): void {
  const calls = owner as Calls;
  for (const name of names) {
    const original = calls[name];
    if (original === undefined) throw new TypeError(`There is no ${name} to instrument`);
    calls[name] = function (this: object, ...given: unknown[]) {
      if (act === undefined || !changes(given, this)) return original.apply(this, given);
      const callback = given.at(-1);
      try {
        act(halfDone(this, given));
      } catch (error) {
        if (name.endsWith('Sync')) throw error;
        if (typeof callback === 'function') return void process.nextTick(() => callback(error));
        return Promise.reject(error);
      }
      return original.apply(this, given);
    };
  }
}

const always = () => true;
instrument(fs, ['mkdir', 'rmdir', 'rmdirSync', 'utimes'], always);
instrument(fs.promises, ['mkdir', 'rmdir', 'rename'], always);
const writing = fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT;
instrument(fs.promises, ['open'], ([, flags]) => (typeof flags === 'number' ? (flags & writing) !== 0 : flags !== undefined && flags !== 'r'));
instrument(fs.promises, ['rm'], always, (_, [target]) => () => {
  const folder = String(target);
  const [first] = fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? fs.readdirSync(folder) : [];
  if (first !== undefined) fs.rmSync(path.join(folder, first), { recursive: true });
});
/** The writes to a file after the third are like the third. */
const writes = new WeakMap<object, number>();
const few: Changes = (_, file) => {
  const count = (writes.get(file) ?? 0) + 1;
  writes.set(file, count);
  return count <= 3;
};
const handle = await fs.promises.open(process.execPath);
const prototype: unknown = Object.getPrototypeOf(handle);
await handle.close();
if (typeof prototype !== 'object' || prototype === null) throw new TypeError('File handles have changed');
instrument(prototype, ['truncate', 'sync', 'datasync'], always);
instrument(prototype, ['write', 'appendFile'], few, (self, [content]) => () => {
  if (!('fd' in self) || typeof self.fd !== 'number') throw new TypeError('File handles have changed');
  if (!(content instanceof Uint8Array)) throw new TypeError('Bytes are written');
  fs.writeSync(self.fd, content, 0, Math.floor(content.byteLength / 2));
});
syncBuiltinESMExports();
