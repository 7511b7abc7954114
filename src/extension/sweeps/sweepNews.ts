import type { Disposable } from '../../common/lifetime';
import type { SweepSummary } from '../../protocol/sweep';
import type { Problems } from '../problems';
import type { SweepList } from './sweepList';
import { sweepDescription } from './sweepText';
import { showInStatusBar, showWarning } from '../notifications';

/** Says how a sweep ended: quietly when all went well. Of its runs its table speaks. */
export class SweepNews implements Disposable {
  private readonly listening: Disposable;

  constructor(sweeps: SweepList, private readonly problems: Problems, private readonly show: (sweep: string) => Promise<void>) {
    this.listening = sweeps.onChange(({ summary, before }) => {
      if (before?.status === 'running' && summary.status !== 'running') this.ended(summary);
    });
  }

  dispose(): void {
    this.listening.dispose();
  }

  private ended({ id, name, problem, counts, ...summary }: SweepSummary): void {
    const said = sweepDescription({ id, name, counts, ...summary });
    const failed = (counts.failed ?? 0) + (counts.interrupted ?? 0);
    if (problem === undefined && failed === 0) {
      showInStatusBar('check', `Sweep "${name}": ${said}`);
      return;
    }
    this.problems.guard(async () => {
      const open = 'Open Sweep';
      if ((await showWarning(`Sweep "${name}": ${problem ?? said}`, open)) === open) await this.show(id);
    });
  }
}
