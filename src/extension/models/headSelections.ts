import * as v from 'valibot';
import { Emitter } from '../../common/event';
import type { Disposable } from '../../common/lifetime';
import type { HeadSelection } from '../../protocol/panel';
import type { Memory } from '../memory';

const memoryKey = 'circuits.heads';
/** Models whose head is kept; those picked longest ago are forgotten. */
const most = 200;

const natural = v.pipe(v.number(), v.integer(), v.minValue(0));
const Kept = v.fallback(v.array(v.object({ model: v.string(), layer: natural, head: natural })), []);

/** The head picked in each model, wherever it was picked; kept in the workspace. */
export class HeadSelections implements Disposable {
  private readonly picked: Map<string, HeadSelection>;
  private readonly changes = new Emitter<HeadSelection>();
  readonly onChange = this.changes.event;

  constructor(private readonly memory: Memory) {
    this.picked = new Map(v.parse(Kept, memory.get(memoryKey)).map(selection => [selection.model, selection]));
  }

  of(model: string): HeadSelection | undefined {
    return this.picked.get(model);
  }

  pick(selection: HeadSelection): void {
    const old = this.picked.get(selection.model);
    if (old?.layer === selection.layer && old.head === selection.head) return;
    this.picked.delete(selection.model);
    this.picked.set(selection.model, selection);
    this.memory.update(memoryKey, [...this.picked.values()].slice(-most));
    this.changes.fire(selection);
  }

  dispose(): void {
    this.changes.dispose();
  }
}
