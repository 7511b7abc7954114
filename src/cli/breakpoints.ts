import type { Disposable } from '../common/lifetime';
import { formatDecisively, formatNumber } from '../common/numbers';
import { describeBreakpoint } from '../engine/breakpoints';
import type { Engine } from '../engine/engine';
import type { TrainingWatch } from '../engine/trainToEnd';
import { holds, parseBound } from '../protocol/claim';
import type { BreakpointHit } from '../protocol/engine';
import type { ModelOrigin } from '../protocol/model';

/** The breakpoints that runs come to while a command waits for one. */
export interface ReachedBreakpoints extends Disposable {
  /** What has paused a run. */
  readonly paused: BreakpointHit | undefined;
  readonly copies: readonly Pick<ModelOrigin, 'id' | 'name'>[];
  /** Resolves when every copy is trained to its end; they are stopped when the command is. */
  copiesEnded(): Promise<void>;
}

/** Says which breakpoints are reached. A run that one pauses is stopped there, where it can be resumed: nobody is there to let it go on. */
export function followBreakpoints({ breakpoints, runs }: Pick<Engine, 'breakpoints' | 'runs'>, { signal, say }: Pick<TrainingWatch, 'signal' | 'say'>): ReachedBreakpoints {
  let paused: BreakpointHit | undefined;
  const copies: Pick<ModelOrigin, 'id' | 'name'>[] = [];
  const listening = breakpoints.onHit(hit => {
    say(sentenceOf(hit));
    if (hit.copy) copies.push(hit.copy);
    if (!hit.paused) return;
    paused ??= hit;
    void runs.get(hit.model)?.stop();
  });
  return {
    get paused() {
      return paused;
    },
    copies,
    async copiesEnded() {
      const stop = () => void runs.stopAll();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      await breakpoints.settled();
      signal.removeEventListener('abort', stop);
    },
    dispose: () => listening.dispose(),
  };
}

function sentenceOf(hit: BreakpointHit): string {
  const { name, breakpoint, step, copy, problem, paused } = hit;
  const place = `"${name}" at step ${formatNumber(step)}`;
  const why = `${describeBreakpoint(breakpoint)} (${measuredOf(hit)})`;
  if (problem !== undefined) return `${place} came to ${why}, and could not be copied: ${problem}`;
  if (copy) return `${place} is ${breakpoint.action === 'fork' ? 'trained on beside it' : 'kept'} as "${copy.name}" (${copy.id}): ${why}`;
  return `${place} came to its breakpoint ${why}${paused ? ' and stops there; add --resume to go on' : ''}.`;
}

/** `measured 0.93, before 0.85`. */
function measuredOf({ breakpoint: { when }, measured, before }: BreakpointHit): string {
  const bound = when === undefined ? undefined : parseBound(when);
  const text = (value: number) => formatDecisively(value, other => (bound ? holds(bound, other) : true));
  return `measured ${text(measured)}${before === undefined ? '' : `, before ${text(before)}`}`;
}
