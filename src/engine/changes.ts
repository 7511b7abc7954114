import type { Disposable } from '../common/lifetime';
import { throttle } from '../common/throttle';
import type { ModelSummary } from '../protocol/model';
import type { ModelsChanged } from '../protocol/engine';

/** Ten times a second, as often as somebody can see a difference. */
const intervalMilliseconds = 100;

/** Gathers what happens to models and hands it on together: the first change at once, more of them after an interval. */
export class GatheredChanges implements Disposable {
  private readonly changed = new Map<string, ModelSummary>();
  private readonly removed = new Set<string>();
  private readonly telling = throttle(() => this.flush(), intervalMilliseconds);

  constructor(private readonly tell: (changes: ModelsChanged) => void) {}

  change(summary: ModelSummary): void {
    this.removed.delete(summary.id);
    this.changed.set(summary.id, summary);
    this.telling.call();
  }

  remove(id: string): void {
    this.changed.delete(id);
    this.removed.add(id);
    this.telling.call();
  }

  dispose(): void {
    this.telling.dispose();
    this.changed.clear();
    this.removed.clear();
  }

  private flush(): void {
    const changes = { changed: [...this.changed.values()], removed: [...this.removed] };
    this.changed.clear();
    this.removed.clear();
    this.tell(changes);
  }
}
