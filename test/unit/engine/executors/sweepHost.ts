import type { SweepHost, SweepJob } from '../../../../src/engine/executors/executor';
import type { SweepRow } from '../../../../src/protocol/sweep';
import { idOf } from '../../../../src/store/modelRecord';
import { experimentOf } from '../../../../src/engine/runs';

type News = Parameters<SweepHost['tell']>[1];

/** A host that remembers what it is told. */
export class RememberingHost implements SweepHost {
  private readonly cancelling = new AbortController();
  private readonly leaving = new AbortController();
  readonly signal = this.cancelling.signal;
  readonly left = this.leaving.signal;
  readonly lines: string[] = [];
  /** All that each run was told, in order. */
  readonly news = new Map<number, News[]>();
  readonly keptStates: (string | undefined)[] = [];

  constructor(readonly folder: string, readonly kept: string | undefined = undefined, readonly submits = true) {}

  cancel(): void {
    this.cancelling.abort();
  }

  leave(): void {
    this.leaving.abort();
  }

  tell(index: number, news: News): void {
    this.news.set(index, [...(this.news.get(index) ?? []), news]);
  }

  log(message: string): void {
    this.lines.push(message);
  }

  keep(state: string | undefined): Promise<void> {
    this.keptStates.push(state);
    return Promise.resolve();
  }

  /** How a run stands, by all that it was told. */
  row(index: number): Partial<Pick<SweepRow, 'status' | 'problem'>> {
    return Object.assign({}, ...(this.news.get(index) ?? []));
  }

  statuses(index: number): readonly (string | undefined)[] {
    return (this.news.get(index) ?? []).map(({ status }) => status);
  }
}

export function jobOf(index: number, text: string): SweepJob {
  const { resolved } = experimentOf({ text });
  return { index, model: idOf(resolved), name: resolved.name, text };
}
