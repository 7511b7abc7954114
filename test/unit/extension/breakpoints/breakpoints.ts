import type { BreakpointHit } from '../../../../src/protocol/engine';
import type { Breakpoint } from '../../../../src/protocol/experiment';

export const excludedLoss: Breakpoint = { analysis: 'progress-measures', params: { prime: 7 }, scalar: 'excludedLoss', when: '> 1', action: 'pause' };

/** A run that has paused at step 300, as its excluded loss rose above 1. */
export function breakpointHit(changes: Partial<BreakpointHit> = {}): BreakpointHit {
  return { model: 'm', name: 'modular-addition', step: 300, breakpoint: excludedLoss, measured: 1.2, before: 0.4, paused: true, ...changes };
}
