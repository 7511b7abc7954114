import type { ModelSummary } from '../protocol/model';
import type { SweepSummary } from '../protocol/sweep';
import { formatCount, formatPercent, wholePercent, withoutIcons } from './format';
import { modelDescription } from './models/modelRows';
import { sweepDescription, totalRuns } from './sweeps/sweepText';

interface RunningText {
  readonly text: string;
  readonly tooltip: string;
  readonly spoken: string;
}

/** What the status bar says of the running trainings, or of the sweeps where there are any; nothing when nothing runs. */
export function runningText(running: readonly ModelSummary[], sweeps: readonly SweepSummary[] = []): RunningText | undefined {
  if (sweeps.length > 0) return sweepsText(sweeps);
  const [first] = running;
  if (!first) return undefined;
  const icon = running.every(({ status }) => status === 'paused') ? '$(debug-pause)' : '$(sync~spin)';
  const words = running.length === 1 ? `${withoutIcons(first.name)} ${formatPercent(first.progress)}` : `${running.length} trainings`;
  return {
    text: `${icon} ${words}`,
    tooltip: running.map(model => `${model.name}: ${modelDescription(model)}`).join('\n'),
    spoken: running.length === 1 ? `Training ${first.name}, ${wholePercent(first.progress)} percent` : `${running.length} running trainings`,
  };
}

function sweepsText(sweeps: readonly SweepSummary[]): RunningText {
  const finished = sum(sweeps.map(({ counts }) => counts.finished ?? 0));
  const total = sum(sweeps.map(({ counts }) => totalRuns(counts)));
  const name = sweeps.length === 1 ? (sweeps[0]?.name ?? '') : `${sweeps.length} sweeps`;
  return {
    text: `$(sync~spin) ${withoutIcons(name)} ${formatCount(finished)}/${formatCount(total)}`,
    tooltip: sweeps.map(sweep => `${sweep.name}: ${sweepDescription(sweep)}`).join('\n'),
    spoken: `${sweeps.length === 1 ? `Sweep ${name}` : name}, ${finished} of ${total} runs finished`,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
