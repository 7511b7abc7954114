import { CancelledError, messageOf } from '../common/errors';
import type { Disposable } from '../common/lifetime';
import type { HeadBadge } from '../protocol/analysis';
import type { ModelDetails } from '../protocol/model';
import type { Analyses } from './analyses';

/** Models whose badges are kept; those asked for longest ago are worked out again. */
const mostKept = 100;

interface Kept {
  /** Tells the weights and the tasks apart that they were worked out from. */
  readonly workedOutFrom: string;
  readonly badges: Promise<readonly HeadBadge[]>;
}

/** What the analyses have to say of the heads of models: worked out when nobody waits for anything else, and kept. */
export class Badges implements Disposable {
  private readonly kept = new Map<string, Kept>();
  private readonly end = new AbortController();

  constructor(private readonly analyses: Pick<Analyses, 'applicable' | 'runWhenIdle'>, private readonly log: (message: string) => void) {}

  /** The badges of a model that has ended training; before that there are none. An analysis that fails gives none. */
  async of({ summary: { id, name, status, createdAt, taskKey }, checkpoints }: ModelDetails): Promise<readonly HeadBadge[]> {
    if (status === 'training' || status === 'paused') return [];
    const workedOutFrom = `${createdAt} ${checkpoints.at(-1) ?? 'weights'} ${taskKey ?? 'its own task'}`;
    const known = this.kept.get(id);
    const current = known?.workedOutFrom === workedOutFrom ? known : { workedOutFrom, badges: this.workOut(id, name) };
    this.kept.delete(id);
    this.kept.set(id, current);
    for (const oldest of [...this.kept.keys()].slice(0, -mostKept)) this.kept.delete(oldest);
    return current.badges;
  }

  dispose(): void {
    this.end.abort();
  }

  private async workOut(model: string, name: string): Promise<readonly HeadBadge[]> {
    const badges: HeadBadge[] = [];
    for (const analysis of (await this.analyses.applicable(model)).filter(candidate => candidate.badges)) {
      try {
        const result = await this.analyses.runWhenIdle({ model, analysis: analysis.id, params: {} }, this.end.signal);
        badges.push(...(result.badges ?? []));
      } catch (error) {
        if (error instanceof CancelledError) throw error;
        this.log(`The analysis "${analysis.id}" gives no badges for ${name}: ${messageOf(error)}`);
      }
    }
    return badges;
  }
}
