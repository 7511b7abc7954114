import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { errorCode, messageOf } from '../../common/errors';
import { unknownName } from '../../common/nearest';
import type { ModuleSources } from '../../protocol/taskModule';
import { ModuleError } from '../../protocol/moduleError';

/** Where the files of a module are read from; names are paths from its folder, with `/`. */
export interface ModuleFiles {
  readonly entry: string;
  /** Whether there is such a file, which may be imported. */
  has(name: string): boolean;
  /** @throws ModuleError when it is not there, too large, or outside the folder. */
  read(name: string): string;
}

/** Characters that one file may hold, and all of them together. */
const [fileLimit, allLimit] = [4 << 20, 16 << 20];
/** Files that a module may be made of. */
const countLimit = 200;

/** The files of a module as they are on disk, and what was read of them. */
export class FilesOnDisk implements ModuleFiles {
  readonly entry: string;
  readonly folder: string;
  private readonly known = new Map<string, string>();

  /** @param file absolute path without symbolic links */
  constructor(file: string) {
    this.folder = path.dirname(file);
    this.entry = path.basename(file);
  }

  has(name: string): boolean {
    const status = lstatSync(path.join(this.folder, name), { throwIfNoEntry: false });
    return status?.isFile() === true || status?.isSymbolicLink() === true;
  }

  read(name: string): string {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const text = this.readAnew(name);
    this.known.set(name, text);
    const all = [...this.known.values()].reduce((sum, { length }) => sum + length, 0);
    if (all > allLimit || this.known.size > countLimit) {
      throw new ModuleError(`${this.entry} reads more than ${allLimit / 2 ** 20} MB or ${countLimit} files, which is the most that a task module may read.`);
    }
    return text;
  }

  /** All that has been read. */
  sources(): ModuleSources {
    return { entry: this.entry, files: Object.fromEntries(this.known) };
  }

  private readAnew(name: string): string {
    try {
      // A link may lead out of the folder, and a pipe would never come to its end.
      const file = realpathSync(path.join(this.folder, name));
      const inside = path.relative(this.folder, file);
      if (inside === '' || inside.startsWith('..') || path.isAbsolute(inside)) throw outside(name);
      const status = lstatSync(file);
      if (!status.isFile()) throw new ModuleError(`"${name}" is not a file; a task module may read only files beside it.`);
      if (status.size > fileLimit) throw new ModuleError(`"${name}" is larger than ${fileLimit / 2 ** 20} MB, which is the most that a task module may read of a file.`);
      return readFileSync(file, 'utf8');
    } catch (error) {
      if (error instanceof ModuleError) throw error;
      throw new ModuleError(errorCode(error) === 'ENOENT' ? `There is no file "${name}" beside ${this.entry}.` : `"${name}" cannot be read: ${messageOf(error)}.`);
    }
  }
}

/** The files that a module was made of once: no others can be read. */
export class FilesKept implements ModuleFiles {
  readonly entry: string;
  private readonly files: ReadonlyMap<string, string>;

  constructor({ entry, files }: ModuleSources) {
    this.entry = entry;
    this.files = new Map(Object.entries(files));
  }

  has(name: string): boolean {
    return this.files.has(name);
  }

  read(name: string): string {
    const text = this.files.get(name);
    if (text === undefined) throw new ModuleError(unknownName('file that the module had read when it was described, called', name, [...this.files.keys()]).message);
    return text;
  }
}

/** A name as seen from a file, as a path from the folder of all. @throws ModuleError when it leads out of the folder. */
export function nameFrom(from: string, name: string): string {
  if (path.posix.isAbsolute(name) || path.win32.isAbsolute(name) || name.includes('\\') || name.includes('\0')) throw outside(name);
  const joined = path.posix.join(path.posix.dirname(from), name);
  if (joined === '..' || joined.startsWith('../')) throw outside(name);
  return joined;
}

function outside(name: string): ModuleError {
  return new ModuleError(`A task module may read only files in its own folder, and "${name}" is not in it.`);
}
