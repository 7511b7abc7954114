export interface Disposable {
  dispose(): void;
}

/** Makes a disposable of a function; it runs once. */
export function toDisposable(end: () => void): Disposable {
  let live = true;
  return {
    dispose() {
      if (!live) return;
      live = false;
      end();
    },
  };
}

/**
 * Owns disposables and ends them in reverse order of registration. One that is added after the owner has ended is ended
 * at once, so that a late answer cannot leak.
 */
export class Lifetime implements Disposable {
  private readonly owned = new Set<Disposable>();
  private ended = false;

  get isEnded(): boolean {
    return this.ended;
  }

  add<T extends Disposable>(item: T): T {
    if (this.ended) item.dispose();
    else this.owned.add(item);
    return item;
  }

  /** Ends one owned thing early. */
  release(item: Disposable): void {
    if (this.owned.delete(item)) item.dispose();
  }

  dispose(): void {
    if (this.ended) return;
    this.ended = true;
    const items = [...this.owned].reverse();
    this.owned.clear();
    for (const item of items) item.dispose();
  }
}
