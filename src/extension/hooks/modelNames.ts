import type { Pinned } from '../models/pinnedModel';
import type { KnownTensors } from './resolve';

/** Milliseconds for which what failed is not asked again: somebody may type on. */
const failureKept = 5000;

interface Asked {
  readonly model: string;
  readonly names: Promise<KnownTensors | undefined>;
  loaded?: KnownTensors;
  failedAt?: number;
}

/** The names of the pinned model, asked for once. */
export class ModelNames {
  private asked: Asked | undefined;

  /** `failed` hears of each failure once, `loaded` when there are names. */
  constructor(private readonly host: {
    ask(model: Pinned): Promise<KnownTensors>;
    loaded(): void;
    failed(model: Pinned, error: unknown): unknown;
    now(): number;
  }) {}

  /** Nothing when they cannot be had, or not within `patience` milliseconds, as from an engine that has to start first. */
  async of(model: Pinned, patience?: number): Promise<KnownTensors | undefined> {
    const { names } = this.current(model) ?? this.ask(model);
    if (patience === undefined) return names;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>(resolve => {
      timer = setTimeout(() => resolve(undefined), patience);
    });
    try {
      return await Promise.race([names, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What is there of them without asking. */
  loadedOf(model: Pinned): KnownTensors | undefined {
    return this.current(model)?.loaded;
  }

  /** Asks again for what failed. */
  retry(): void {
    if (this.asked?.failedAt !== undefined) this.asked = undefined;
  }

  private current(model: Pinned): Asked | undefined {
    const { asked } = this;
    if (asked?.model !== keyOf(model)) return undefined;
    return asked.failedAt !== undefined && this.host.now() - asked.failedAt >= failureKept ? undefined : asked;
  }

  private ask(model: Pinned): Asked {
    const asked: Asked = { model: keyOf(model), names: this.host.ask(model).then(names => {
      asked.loaded = names;
      if (this.asked === asked) this.host.loaded();
      return names;
    }).catch(async (error: unknown) => {
      asked.failedAt = this.host.now();
      await this.host.failed(model, error);
      return undefined;
    }) };
    this.asked = asked;
    return asked;
  }
}

function keyOf({ id, name }: Pinned): string {
  return `${id} ${name}`;
}
