import { stat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode, UserError } from '../common/errors';
import type { Disposable } from '../common/lifetime';
import { unknownName } from '../common/nearest';
import { sizeOf } from '../common/tensor';
import { wholeTypes, type CheckpointFile, type SliceRequest, type TensorSlice, type TensorStatistics } from '../protocol/checkpointFile';
import type { FileTensor, TensorFile } from '../store/files/tensorFile';
import { canBeLookedAt } from '../store/states/layout';
import { tensorSlice } from './tensorSlice';
import { tensorStatistics } from './tensorStatistics';

/** How files of weights are opened, and what is made of them. */
export interface FileReading {
  /** @throws UserError when it cannot be read. */
  open(path: string): Promise<TensorFile>;
  recognise(file: TensorFile): CheckpointFile['recognised'] | Promise<CheckpointFile['recognised']>;
}

/** Files that are open at once, beside those in use. */
const mostOpen = 4;
/** Milliseconds that a file stays open after its last use: until the next question about what is on the screen. */
const patience = 15_000;

/** Answers what is asked of files of weights, which stay open between questions. */
export class CheckpointFiles implements Disposable {
  /** By path; the least recently used first. */
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly reading: FileReading) {}

  /** What a file holds, without any of its numbers. @throws UserError when it cannot be read. */
  describe(file: string): Promise<CheckpointFile> {
    return this.use(file, async opened => ({
      path: file,
      format: opened.format,
      size: opened.size,
      metadata: [...opened.metadata],
      tensors: [...opened.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
      recognised: withoutHint(await this.reading.recognise(opened)),
    }));
  }

  /** @throws UserError for a file that cannot be read, or a tensor that it does not have; CancelledError. */
  statistics(file: string, name: string, signal?: AbortSignal): Promise<TensorStatistics> {
    return this.use(file, opened => {
      const tensor = find(opened, name);
      return tensorStatistics({
        elements: sizeOf(tensor.shape),
        whole: wholeTypes.includes(tensor.dtype),
        read: (from, count) => opened.read(tensor, from, count),
      }, signal);
    });
  }

  /** @throws UserError for a file that cannot be read, or what it does not have. */
  slice({ file, ...asked }: SliceRequest): Promise<TensorSlice> {
    return this.use(file, opened => {
      const tensor = find(opened, asked.tensor);
      return tensorSlice(tensor.shape, asked, (from, count) => opened.read(tensor, from, count));
    });
  }

  dispose(): void {
    for (const entry of this.entries.values()) entry.close();
    this.entries.clear();
  }

  private async use<T>(file: string, work: (opened: TensorFile) => Promise<T>): Promise<T> {
    const version = await versionOf(file);
    const entry = this.entry(file, version);
    try {
      return await entry.use(work);
    } catch (error) {
      // What could not be opened may be whole the next time, without looking any different.
      if (entry.failed) this.forget(file, entry);
      throw error;
    }
  }

  private entry(file: string, version: string): Entry {
    const existing = this.entries.get(file);
    if (existing && existing.version !== version) this.forget(file, existing);
    const entry = this.entries.get(file) ?? new Entry(version, this.reading.open(file), () => this.forget(file, entry));
    this.entries.delete(file);
    this.entries.set(file, entry);
    for (const [oldest, old] of [...this.entries].slice(0, -mostOpen)) this.forget(oldest, old);
    return entry;
  }

  private forget(file: string, entry: Entry): void {
    if (this.entries.get(file) === entry) this.entries.delete(file);
    entry.close();
  }
}

/** A file that is open, or being opened; it closes once nobody uses it any more. */
class Entry {
  failed = false;
  private users = 0;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(readonly version: string, private readonly opening: Promise<TensorFile>, private readonly idle: () => void) {
    opening.catch(() => (this.failed = true));
  }

  async use<T>(work: (opened: TensorFile) => Promise<T>): Promise<T> {
    clearTimeout(this.timer);
    this.users++;
    try {
      return await work(await this.opening);
    } finally {
      this.users--;
      this.end();
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.end();
  }

  private end(): void {
    clearTimeout(this.timer);
    if (this.users > 0) return;
    // A file that cannot be closed is none that anything could be done about.
    if (this.closed) void this.opening.then(file => file.close()).catch(() => undefined);
    else this.timer = setTimeout(this.idle, patience).unref();
  }
}

/** What can still be done is what is being done. */
function withoutHint(recognised: CheckpointFile['recognised']): CheckpointFile['recognised'] {
  return 'problem' in recognised ? { problem: recognised.problem.replace(canBeLookedAt, '').trimEnd() } : recognised;
}

function find({ tensors }: TensorFile, name: string): FileTensor {
  const tensor = tensors.get(name);
  if (!tensor) throw unknownName('tensor', name, [...tensors.keys()]);
  return tensor;
}

/** What tells that a file is not as it was. @throws UserError where there is no file. */
async function versionOf(file: string): Promise<string> {
  if (!path.isAbsolute(file)) throw new UserError(`"${file}" is no absolute path.`);
  try {
    const { size, mtimeMs, ino } = await stat(file);
    return `${size} ${mtimeMs} ${ino}`;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw new UserError(`There is no file ${file}.`);
    throw new UserError(`${file} cannot be read: ${errorCode(error) === 'EACCES' ? 'it may not be opened' : errorCode(error) ?? 'the system refuses it'}.`);
  }
}
