import type { ModelSummary } from '../protocol/model';
import { modelDescription } from './modelRows';

/** What the status bar says of the running trainings; nothing when there are none. */
export function runningText(
  running: readonly ModelSummary[],
): { readonly text: string; readonly tooltip: string; readonly spoken: string } | undefined {
  const [first] = running;
  if (!first) return undefined;
  const icon = running.every(({ status }) => status === 'paused') ? '$(debug-pause)' : '$(sync~spin)';
  const words = running.length === 1 ? `${withoutIcons(first.name)} ${percentage(first)} %` : `${running.length} trainings`;
  return {
    text: `${icon} ${words}`,
    tooltip: running.map(model => `${model.name}: ${modelDescription(model)}`).join('\n'),
    spoken: running.length === 1 ? `Training ${first.name}, ${percentage(first)} percent` : `${running.length} running trainings`,
  };
}

/** Whole percent, 100 only when it is done. */
function percentage({ progress: { step, steps } }: ModelSummary): number {
  return Math.floor((100 * step) / Math.max(1, steps));
}

/** VS Code draws `$(name)` as an icon; a model's name is only text. */
function withoutIcons(name: string): string {
  return name.replace(/\$\(/g, '$ (');
}
