import { SingleBar } from 'cli-progress';
import type { Disposable } from '../common/lifetime';
import type { Metrics, Progress } from '../protocol/model';
import { formatNumber, formatPercent, formatSeconds } from './numbers';
import type { Messages } from './output';
import { printable } from './printable';

/** Milliseconds between two lines where there is no terminal. */
const lineInterval = 5000;

/** Shows how a run goes on standard error: as a bar on a terminal, as a line every few seconds elsewhere. */
export interface RunProgress extends Disposable {
  show(progress: Progress, metrics: Metrics): void;
}

export function showRunProgress(name: string, stream: Messages): RunProgress {
  const shown = printable(name);
  return stream.isTTY ? new ProgressBar(shown, stream) : new ProgressLines(shown, stream);
}

class ProgressBar implements RunProgress {
  private readonly bar: SingleBar;
  private started = false;

  constructor(name: string, stream: Messages) {
    const room = (stream.columns ?? 80) - name.length - 60;
    this.bar = new SingleBar({
      format: `${name.replace(/[{}]/g, '')} {bar} {done}{rest}`,
      stream,
      barsize: Math.min(40, Math.max(8, room)),
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      fps: 10,
    });
  }

  show(progress: Progress, metrics: Metrics): void {
    const { step, steps } = progress;
    const words = { done: `${formatNumber(step)}/${formatNumber(steps)}`, rest: detailsOf(progress, metrics).map(text => ` · ${text}`).join('') };
    if (this.started) {
      this.bar.setTotal(steps);
      this.bar.update(step, words);
    } else {
      this.started = true;
      this.bar.start(steps, step, words);
    }
  }

  dispose(): void {
    if (this.started) this.bar.stop();
  }
}

class ProgressLines implements RunProgress {
  private shownAt = -Infinity;
  private latest: string | undefined;

  constructor(private readonly name: string, private readonly stream: Messages) {}

  show(progress: Progress, metrics: Metrics): void {
    this.latest = [`${this.name}: step ${progress.step} of ${progress.steps}`, ...detailsOf(progress, metrics)].join(' · ');
    if (performance.now() - this.shownAt >= lineInterval) this.write();
  }

  /** The last line is where the run has come to. */
  dispose(): void {
    this.write();
  }

  private write(): void {
    if (this.latest === undefined) return;
    this.shownAt = performance.now();
    this.stream.write(`${this.latest}\n`);
    this.latest = undefined;
  }
}

function detailsOf({ step, steps, secondsPerStep }: Progress, metrics: Metrics): string[] {
  const details: string[] = [];
  const loss = metrics.testLoss ?? metrics.trainLoss;
  if (loss !== undefined) details.push(`${metrics.testLoss === undefined ? 'train' : 'test'} loss ${formatNumber(loss, 3)}`);
  if (metrics.testAccuracy !== undefined) details.push(formatPercent(metrics.testAccuracy));
  if (secondsPerStep !== undefined && step > 0) {
    details.push(`${formatSeconds(secondsPerStep)} a step`);
    if (step < steps) details.push(`${formatSeconds(Math.ceil((steps - step) * secondsPerStep))} left`);
  }
  return details;
}
