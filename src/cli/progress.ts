import { SingleBar } from 'cli-progress';
import type { Disposable } from '../common/lifetime';
import { formatNumber, formatPercent, formatSeconds } from '../common/numbers';
import { printable } from '../common/printable';
import type { Metrics, Progress } from '../protocol/model';
import type { SweepSummary } from '../protocol/sweep';
import type { Messages } from './output';

/** Milliseconds between two lines where there is no terminal. */
const lineInterval = 5000;

/** Shows how a run goes on standard error: as a bar on a terminal, as a line every few seconds elsewhere. */
export interface RunProgress extends Disposable {
  show(progress: Progress, metrics: Metrics): void;
}

export function showRunProgress(name: string, stream: Messages): RunProgress {
  const shown = printable(name);
  if (stream.isTTY) return new ProgressBar(shown, stream);
  const lines = new ProgressLines(stream, -Infinity);
  return {
    show: (progress, metrics) => lines.show([`${shown}: step ${progress.step} of ${progress.steps}`, ...detailsOf(progress, metrics)].join(' · ')),
    // The last line is where the run has come to.
    dispose: () => lines.write(),
  };
}

/** Shows how the runs of a sweep stand, in one line. */
export interface SweepProgress extends Disposable {
  show(summary: SweepSummary): void;
}

export function showSweepProgress(name: string, stream: Messages): SweepProgress {
  const shown = printable(name);
  const lines = new ProgressLines(stream, -Infinity);
  if (!stream.isTTY) return { show: summary => lines.show(`${shown}: ${standingText(summary)}`), dispose: () => lines.write() };
  const bar = barOn(stream, `${literal(shown)} {bar} {standing}`, (stream.columns ?? 80) - shown.length - 60);
  let started = false;
  return {
    show: summary => {
      const { finished = 0, failed = 0 } = summary.counts;
      const words = { standing: standingText(summary) };
      if (started) bar.update(finished + failed, words);
      else bar.start(runsOf(summary), finished + failed, words);
      started = true;
    },
    dispose: () => bar.stop(),
  };
}

function runsOf({ counts }: SweepSummary): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** How many runs stand how, as in `12 of 24 finished · 2 training · 10 waiting`. */
export function standingText(summary: SweepSummary): string {
  const { finished = 0, ...others } = summary.counts;
  const rest = Object.entries(others).map(([status, count]) => `${formatNumber(count)} ${status}`);
  return [`${formatNumber(finished)} of ${formatNumber(runsOf(summary))} finished`, ...rest].join(' · ');
}

/** Shows on standard error how far an analysis is; of one that is soon done nothing is left there. */
export interface WorkProgress extends Disposable {
  show(fraction: number): void;
}

export function showWorkProgress(name: string, stream: Messages): WorkProgress {
  const shown = printable(name);
  if (!stream.isTTY) {
    const lines = new ProgressLines(stream, performance.now());
    return { show: fraction => lines.show(`${shown}: ${Math.floor(100 * fraction)} %`), dispose: () => undefined };
  }
  const bar = barOn(stream, `${literal(shown)} {bar} {percentage} %`, (stream.columns ?? 80) - shown.length - 10, true);
  bar.start(100, 0);
  return { show: fraction => bar.update(Math.floor(100 * fraction)), dispose: () => bar.stop() };
}

/** A bar that has some room on its line, and may leave nothing there when it stops. */
function barOn(stream: Messages, format: string, room: number, clearOnComplete = false): SingleBar {
  return new SingleBar({
    format,
    stream,
    barsize: Math.min(40, Math.max(8, room)),
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    fps: 10,
    clearOnComplete,
  });
}

/** A name as part of a bar's format. */
function literal(name: string): string {
  return name.replace(/[{}]/g, '');
}

class ProgressBar implements RunProgress {
  private readonly bar: SingleBar;
  private started = false;

  constructor(name: string, stream: Messages) {
    this.bar = barOn(stream, `${literal(name)} {bar} {done}{rest}`, (stream.columns ?? 80) - name.length - 60);
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

/** Lines, one every few seconds. */
class ProgressLines {
  private latest: string | undefined;
  private written: string | undefined;

  /** @param shownAt when the last line before these is taken to have been written */
  constructor(private readonly stream: Messages, private shownAt: number) {}

  show(line: string): void {
    if (line === this.written) return;
    this.latest = line;
    if (performance.now() - this.shownAt >= lineInterval) this.write();
  }

  /** Writes the latest line, if it is not written. */
  write(): void {
    if (this.latest === undefined) return;
    this.shownAt = performance.now();
    this.stream.write(`${this.latest}\n`);
    this.written = this.latest;
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
