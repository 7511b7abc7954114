import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Listener } from '../common/event';
import type { Disposable } from '../common/lifetime';
import { checkpointsFolder } from './checkpoints';
import { hasWriter } from './locks';

/** Ids of the models that were added or changed, and of those that are gone. */
export interface StoreChanges {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Milliseconds in which changes are gathered before they are told. */
const gathering = 100;
/** Milliseconds between looks at everything, for disks whose changes the system does not tell, such as network ones. */
const looking = 5000;
/** Windows and macOS watch a folder with all in it; Linux needs a watch for each. */
const watchesDeep = process.platform === 'win32' || process.platform === 'darwin';

/**
 * Tells of changes to the models in a folder, whichever process makes them. The system's notices say where to look;
 * what counts is what is found there, compared with what was there before.
 */
export class StoreWatch implements Disposable {
  /** Id → what tells one state of a model from another. */
  private readonly known = new Map<string, string>();
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly unseen = new Set<string>();
  private allUnseen = true;
  private isLooking = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly clock: NodeJS.Timeout;
  private ended = false;

  constructor(
    private readonly folder: string,
    private readonly listIds: () => Promise<readonly string[]>,
    private readonly fire: Listener<StoreChanges>,
  ) {
    this.clock = setInterval(() => this.notice(undefined), looking);
    this.clock.unref();
    this.watch(folder);
    this.notice(undefined);
  }

  dispose(): void {
    this.ended = true;
    clearInterval(this.clock);
    clearTimeout(this.timer);
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  /** Something happened to a model, or, without an id, somewhere. */
  private notice(id: string | undefined): void {
    if (id === undefined) this.allUnseen = true;
    else this.unseen.add(id);
    if (this.ended || this.isLooking || this.timer !== undefined) return;
    this.timer = setTimeout(() => void this.look(), gathering);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    this.timer = undefined;
    this.isLooking = true;
    const all = this.allUnseen;
    const noticed = [...this.unseen];
    this.allUnseen = false;
    this.unseen.clear();
    try {
      const present = all ? await this.listIds() : noticed;
      const ids = new Set([...present, ...(all ? this.known.keys() : [])]);
      // Watched before it is looked at, so that a change in between is noticed once more rather than never.
      if (!watchesDeep) for (const id of present) this.watch(join(this.folder, id), id);
      const states = await Promise.all([...ids].map(async id => [id, await stateOf(join(this.folder, id))] as const));
      if (!this.ended) this.compare(states);
    } catch {
      // A folder that cannot be listed now may be there at the next look.
    } finally {
      this.isLooking = false;
    }
    if (this.allUnseen) this.notice(undefined);
    for (const id of this.unseen) this.notice(id);
  }

  private compare(states: readonly (readonly [string, string | undefined])[]): void {
    const changed: string[] = [];
    const removed: string[] = [];
    for (const [id, state] of states) {
      if (state === this.known.get(id)) continue;
      if (state !== undefined) {
        this.known.set(id, state);
        changed.push(id);
      } else {
        this.known.delete(id);
        this.unwatch(join(this.folder, id));
        removed.push(id);
      }
    }
    if (changed.length + removed.length > 0) this.fire({ changed, removed });
  }

  private watch(path: string, id?: string): void {
    if (this.ended || this.watchers.has(path)) return;
    try {
      const watcher = watch(path, { persistent: false, recursive: watchesDeep }, (kind, name) => {
        const isInside = name?.includes(sep) ?? false;
        // A watch follows its folder when that is renamed; the next one of that name needs a watch of its own.
        if (id === undefined && kind === 'rename' && name !== null && !isInside) this.unwatch(join(path, name));
        this.notice(id ?? (isInside ? name?.split(sep)[0] : undefined));
      });
      this.watchers.set(path, watcher);
      watcher.on('error', () => this.unwatch(path));
    } catch {
      // No watches left, or none for this disk: the regular look finds the changes.
    }
  }

  private unwatch(path: string): void {
    this.watchers.get(path)?.close();
    this.watchers.delete(path);
  }
}

/** A text that differs whenever a model's record, metrics, checkpoints or writer do; nothing for what is no model. */
async function stateOf(folder: string): Promise<string | undefined> {
  const [record, metrics, checkpoints, isWritten] = await Promise.all([
    stamp(join(folder, 'model.json')),
    stamp(join(folder, 'metrics.jsonl')),
    stamp(join(folder, checkpointsFolder)),
    hasWriter(folder).catch(() => false),
  ]);
  return record === undefined ? undefined : [record, metrics, checkpoints, isWritten].join(' ');
}

async function stamp(path: string): Promise<string | undefined> {
  const status = await stat(path).catch(() => undefined);
  return status === undefined ? undefined : `${status.mtimeMs}/${status.size}/${status.ino}`;
}
