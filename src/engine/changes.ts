import type { Disposable } from '../common/lifetime';
import type { ModelSummary } from '../protocol/model';
import type { ModelsChanged } from '../protocol/engine';

/** Ten times a second, as often as somebody can see a difference. */
const intervalMilliseconds = 100;

/** Gathers what happens to models and hands it on together: the first change at once, more of them after an interval. */
export class GatheredChanges implements Disposable {
  private readonly changed = new Map<string, ModelSummary>();
  private readonly removed = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly tell: (changes: ModelsChanged) => void) {}

  change(summary: ModelSummary): void {
    this.removed.delete(summary.id);
    this.changed.set(summary.id, summary);
    this.arrange();
  }

  remove(id: string): void {
    this.changed.delete(id);
    this.removed.add(id);
    this.arrange();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.changed.clear();
    this.removed.clear();
  }

  private arrange(): void {
    if (this.timer === undefined) this.flush();
  }

  private flush(): void {
    this.timer = undefined;
    if (this.changed.size === 0 && this.removed.size === 0) return;
    const changes = { changed: [...this.changed.values()], removed: [...this.removed] };
    this.changed.clear();
    this.removed.clear();
    this.timer = setTimeout(() => this.flush(), intervalMilliseconds);
    this.tell(changes);
  }
}
