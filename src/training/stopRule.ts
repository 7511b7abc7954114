import type { Training } from '../protocol/experiment';
import type { Metrics } from '../protocol/model';

/** Says when a run may end early: when a metric has stayed beyond its bound for so many evaluations in a row. */
export class StopRule {
  constructor(private readonly rule: Training['stopWhen'], public streak: number) {}

  /** Counts one evaluation. */
  holds(metrics: Metrics): boolean {
    if (!this.rule) return false;
    const { metric, below = -Infinity, above = Infinity, evaluations } = this.rule;
    const value = metrics[metric];
    const beyond = value !== undefined && (value < below || value > above);
    this.streak = beyond ? this.streak + 1 : 0;
    return this.streak >= evaluations;
  }
}
