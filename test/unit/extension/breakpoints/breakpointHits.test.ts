import { describe, expect, test } from 'vitest';
import { Emitter } from '../../../../src/common/event';
import { BreakpointHits } from '../../../../src/extension/breakpoints/breakpointHits';
import type { ModelListChange } from '../../../../src/extension/models/modelList';
import type { BreakpointHit } from '../../../../src/protocol/engine';
import type { ModelSummary } from '../../../../src/protocol/model';
import { breakpointHit, excludedLoss } from './breakpoints';
import { modelSummary } from '../models/models';

const at = (step: number, status: ModelSummary['status']) => modelSummary({ status, progress: { step, steps: 1000 } });

function watched() {
  const reached = new Emitter<BreakpointHit>();
  const changes = new Emitter<ModelListChange>();
  const hits = new BreakpointHits({ onBreakpoint: reached.event }, { onChange: changes.event });
  const told: string[] = [];
  hits.onChange(model => told.push(model));
  const move = (before: ModelSummary, now: ModelSummary) =>
    changes.fire({ structure: false, changed: [now], before: new Map([[before.id, before]]), removed: [] });
  return { hits, told, reach: (hit: BreakpointHit) => reached.fire(hit), move, remove: (id: string) => changes.fire({ structure: true, changed: [], before: new Map(), removed: [id] }) };
}

describe('a paused run', () => {
  test('waits for the breakpoint that it has come to, whichever word of the two comes first', () => {
    const { hits, told, reach } = watched();
    reach(breakpointHit());
    expect(hits.reasonOf(at(299, 'training'))).toBeUndefined();
    expect(hits.reasonOf(at(300, 'paused'))).toBe('excluded loss 1.2 > 1');
    expect(told).toEqual(['m']);
  });

  test('waits for people where they have paused it, or stepped on', () => {
    const { hits, reach } = watched();
    reach(breakpointHit());
    expect(hits.reasonOf(at(400, 'paused'))).toBeUndefined();
    reach(breakpointHit({ step: 400, paused: false }));
    expect(hits.reasonOf(at(400, 'paused'))).toBeUndefined();
  });

  test('may wait for several', () => {
    const { hits, reach } = watched();
    reach(breakpointHit());
    reach(breakpointHit({ breakpoint: { ...excludedLoss, scalar: 'gini', when: '>= 0.5' }, measured: 0.6 }));
    expect(hits.reasonOf(at(300, 'paused'))).toBe('excluded loss 1.2 > 1, gini 0.6 >= 0.5');
  });
});

describe('where a breakpoint was reached', () => {
  test('is found by all that decides it, however that is written, and is the last time', () => {
    const { hits, reach } = watched();
    reach(breakpointHit({ breakpoint: { ...excludedLoss, params: { prime: 7, head: '1.0' } } }));
    reach(breakpointHit({ step: 500, breakpoint: { ...excludedLoss, params: { prime: 7, head: '1.0' } } }));
    const { action: _, ...same } = { ...excludedLoss, params: { head: '1.0', prime: 7 }, when: '>1' };
    expect(hits.of('m', { ...same, action: 'fork', breakpoint: 'named' })?.step).toBe(500);
    expect(hits.of('m', excludedLoss)).toBeUndefined();
    expect(hits.of('m', { ...same, action: 'pause', when: '> 2' })).toBeUndefined();
    expect(hits.of('other', { ...same, action: 'pause' })).toBeUndefined();
  });

  test('is forgotten once the run goes on from before it, and with the model', () => {
    const { hits, reach, move, remove } = watched();
    reach(breakpointHit());
    move(at(300, 'training'), at(350, 'training'));
    expect(hits.of('m', excludedLoss)?.step).toBe(300);
    move(at(350, 'interrupted'), at(200, 'training'));
    expect(hits.of('m', excludedLoss)).toBeUndefined();
    reach(breakpointHit());
    remove('m');
    expect(hits.of('m', excludedLoss)).toBeUndefined();
  });
});
