import { Emitter } from '../common/event';
import type { Disposable } from '../common/lifetime';
import type { HeadSelection } from '../protocol/panel';

/** The head picked in each model, wherever it was picked. */
export class HeadSelections implements Disposable {
  private readonly picked = new Map<string, HeadSelection>();
  private readonly changes = new Emitter<HeadSelection>();
  readonly onChange = this.changes.event;

  of(model: string): HeadSelection | undefined {
    return this.picked.get(model);
  }

  pick(selection: HeadSelection): void {
    const old = this.picked.get(selection.model);
    if (old?.layer === selection.layer && old.head === selection.head) return;
    this.picked.set(selection.model, selection);
    this.changes.fire(selection);
  }

  dispose(): void {
    this.changes.dispose();
  }
}
