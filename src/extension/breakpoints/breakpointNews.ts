import { Lifetime, type Disposable } from '../../common/lifetime';
import type { BreakpointHit } from '../../protocol/engine';
import { conditionOf, reasonOf } from './breakpointText';
import type { Engine } from '../engine';
import { formatCount } from '../format';

/** What the news needs around them. */
export interface BreakpointNewsHost {
  readonly engine: Pick<Engine, 'onBreakpoint' | 'onUnmeasuredBreakpoint'>;
  /** Whether the model is a run of a sweep, of which its table speaks. */
  isOfSweep(model: string): boolean;
  /** Shows a message with buttons and returns the one that was pressed, if any. */
  ask(message: string, ...buttons: readonly string[]): Promise<string | undefined>;
  warn(message: string): void;
  /** Says it where nothing has to be dismissed. */
  mention(message: string): void;
  /** Runs work whose error nobody else waits for. */
  guard(work: () => unknown): void;
  /** Opens what measured it, at the checkpoint. */
  openFigure(hit: BreakpointHit): Promise<void>;
  step(model: string): Promise<void>;
  resume(model: string): Promise<void>;
  /** Shows a model in the tree. */
  show(model: string): Promise<void>;
}

export const breakpointButtons = { figure: 'Open Figure', step: 'Step to Next Checkpoint', resume: 'Continue', show: 'Show' } as const;

/** Says when runs come to their breakpoints, and offers what can be done then. */
export class BreakpointNews implements Disposable {
  private readonly lifetime = new Lifetime();

  constructor(private readonly host: BreakpointNewsHost) {
    this.lifetime.add(host.engine.onBreakpoint(hit => {
      if (!host.isOfSweep(hit.model)) host.guard(() => this.tell(hit));
    }));
    this.lifetime.add(host.engine.onUnmeasuredBreakpoint(({ name, breakpoint, problem }) => {
      host.warn(`"${name}" passes by its breakpoint ${breakpoint.breakpoint ?? conditionOf(breakpoint)}, which cannot be looked at: ${problem}`);
    }));
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private async tell(hit: BreakpointHit): Promise<void> {
    const { name, copy, paused, problem } = hit;
    const reason = reasonOf(hit);
    const step = formatCount(hit.step);
    if (problem !== undefined) this.host.warn(`"${name}" came to a breakpoint at step ${step}, ${reason}. ${problem}`);
    else if (copy) await this.copied(hit, copy);
    else if (paused) await this.paused(hit);
    else this.host.mention(`"${name}" came to step ${step}: ${reason}`);
  }

  private async paused(hit: BreakpointHit): Promise<void> {
    const { host } = this;
    const { figure, step, resume } = breakpointButtons;
    const message = `"${hit.name}" paused at step ${formatCount(hit.step)}: ${reasonOf(hit)}`;
    switch (await host.ask(message, figure, step, resume)) {
      case figure: return host.openFigure(hit);
      case step: return host.step(hit.model);
      case resume: return host.resume(hit.model);
      default: return;
    }
  }

  private async copied(hit: BreakpointHit, copy: NonNullable<BreakpointHit['copy']>): Promise<void> {
    const { host } = this;
    const done = hit.breakpoint.action === 'fork' ? `is trained on beside it as "${copy.name}"` : `is kept as "${copy.name}"`;
    const message = `"${hit.name}" at step ${formatCount(hit.step)} ${done}: ${reasonOf(hit)}`;
    if ((await host.ask(message, breakpointButtons.show)) === breakpointButtons.show) await host.show(copy.id);
  }
}
