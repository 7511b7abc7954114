import type { Metrics, Progress } from '../protocol/model';

const whole = new Intl.NumberFormat('en-US');
const significant = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

/** `1,000` */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** `1,000 steps`, `1 step` */
export function countText(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** Three significant digits, with an exponent where zeros would hide them: `0.0123`, `3.2e-8`. */
export function formatLoss(loss: number): string {
  return loss !== 0 && Math.abs(loss) < 1e-3 ? loss.toExponential(1) : significant.format(loss);
}

/** `99.86 %`, never rounded up to 100 %. */
export function formatFraction(fraction: number): string {
  return `${Math.floor(fraction * 10_000) / 100} %`;
}

/** `420/1,000` */
export function formatProgress({ step, steps }: Progress): string {
  return `${formatCount(step)}/${formatCount(steps)}`;
}

/** Whole percent, 100 only when it is done. */
export function wholePercent({ step, steps }: Progress): number {
  return Math.floor((100 * step) / Math.max(1, steps));
}

/** `40 %` */
export function formatPercent(progress: Progress): string {
  return `${wholePercent(progress)} %`;
}

/** `2 min 5 s`; nothing for what cannot be known. */
export function formatRemaining({ step, steps, secondsPerStep }: Progress): string | undefined {
  if (secondsPerStep === undefined || step >= steps) return undefined;
  const seconds = Math.ceil((steps - step) * secondsPerStep);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `loss 0.0123 · accuracy 99.86 %`: of the test set, or of the training set where that is all there is. */
export function formatMetrics({ trainLoss, testLoss, testAccuracy }: Metrics): string | undefined {
  const loss = testLoss ?? trainLoss;
  const parts = [
    ...(loss === undefined ? [] : [`loss ${formatLoss(loss)}`]),
    ...(testAccuracy === undefined ? [] : [`accuracy ${formatFraction(testAccuracy)}`]),
  ];
  return parts.length > 0 ? parts.join(' · ') : undefined;
}

/** Text that Markdown would not take for its own. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()<>#+\-.!|~$&]/g, '\\$&').replace(/\s+/g, ' ');
}

/** VS Code draws `$(name)` as an icon; a name is only text. */
export function withoutIcons(name: string): string {
  return name.replace(/\$\(/g, '$ (');
}

/** VS Code makes links of `[text](command:…)` in its messages, to any command; a name is only text. */
export function withoutLinks(message: string): string {
  return message.replaceAll('](', '] (');
}
