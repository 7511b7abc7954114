import * as v from 'valibot';
import { Emitter } from '../../common/event';
import { Lifetime, type Disposable } from '../../common/lifetime';
import type { Memory } from '../memory';
import type { ModelList } from './modelList';

const memoryKey = 'circuits.pinned';
const Kept = v.fallback(v.optional(v.object({ id: v.string(), name: v.string() })), undefined);

export interface Pinned {
  readonly id: string;
  readonly name: string;
}

/** The model that names in code are about; kept in the workspace. */
export class PinnedModel implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new Emitter<{ readonly before: Pinned | undefined; readonly now: Pinned | undefined }>());
  private pinned: Pinned | undefined;
  readonly onChange = this.changes.event;

  /** `tell` shows the user a sentence. */
  constructor(private readonly memory: Memory, private readonly models: Pick<ModelList, 'find' | 'load' | 'onChange'>, private readonly tell: (message: string) => void) {
    this.pinned = v.parse(Kept, memory.get(memoryKey));
    this.lifetime.add(models.onChange(({ changed, removed }) => {
      if (!this.pinned) return;
      const { id, name } = this.pinned;
      const now = changed.find(model => model.id === id);
      if (now && now.name !== name) this.pin(now);
      else if (removed.includes(id)) this.lose();
    }));
  }

  get current(): Pinned | undefined {
    return this.pinned;
  }

  pin({ id, name }: Pinned): void {
    this.become({ id, name });
  }

  unpin(): void {
    this.become(undefined);
  }

  /** Unpins it if it was deleted while nobody looked. */
  async check(): Promise<void> {
    await this.models.load();
    if (this.pinned && !this.models.find(this.pinned.id)) this.lose();
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private lose(): void {
    const name = this.pinned?.name ?? '';
    this.unpin();
    this.tell(`The pinned model ${name} was deleted, so no model is pinned.`);
  }

  private become(now: Pinned | undefined): void {
    const before = this.pinned;
    if (before?.id === now?.id && before?.name === now?.name) return;
    this.pinned = now;
    this.memory.update(memoryKey, now);
    this.changes.fire({ before, now });
  }
}
