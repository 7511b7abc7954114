import { describe, expect, test } from 'vitest';
import { Emitter } from '../../../../src/common/event';
import { BreakpointNews } from '../../../../src/extension/breakpoints/breakpointNews';
import type { BreakpointHit, UnmeasuredBreakpoint } from '../../../../src/protocol/engine';
import { breakpointHit, excludedLoss } from './breakpoints';

/** The news of one hit, where the button, if any, is pressed: what was said, and what was done. */
async function newsOf(hit: BreakpointHit | UnmeasuredBreakpoint, { press, ofSweep = false }: { readonly press?: string; readonly ofSweep?: boolean } = {}) {
  const reached = new Emitter<BreakpointHit>();
  const unmeasured = new Emitter<UnmeasuredBreakpoint>();
  const said: unknown[] = [];
  const done: unknown[] = [];
  const works: unknown[] = [];
  const news = new BreakpointNews({
    engine: { onBreakpoint: reached.event, onUnmeasuredBreakpoint: unmeasured.event },
    isOfSweep: () => ofSweep,
    ask: async (message, ...buttons) => {
      said.push([message, ...buttons]);
      return press;
    },
    warn: message => said.push({ warning: message }),
    mention: message => said.push({ mentioned: message }),
    guard: work => works.push(work()),
    openFigure: async ({ model, step }) => void done.push(['figure', model, step]),
    step: async model => void done.push(['step', model]),
    resume: async model => void done.push(['resume', model]),
    show: async model => void done.push(['show', model]),
  });
  const fire = () => ('measured' in hit ? reached.fire(hit) : unmeasured.fire(hit));
  fire();
  await Promise.all(works);
  news.dispose();
  fire();
  return { said, done };
}

const message = '"modular-addition" paused at step 1,300: excluded loss 1.2 > 1';
const copy = { id: 'c', name: 'modular-addition at 300' };

describe('a run that has paused at a breakpoint', () => {
  test('is told, with what can be done, and stays paused when that is dismissed', async () => {
    const { said, done } = await newsOf(breakpointHit({ step: 1300 }));
    expect(said).toEqual([[message, 'Open Figure', 'Step to Next Checkpoint', 'Continue']]);
    expect(done).toEqual([]);
  });

  test.each([
    ['Open Figure', ['figure', 'm', 300]],
    ['Step to Next Checkpoint', ['step', 'm']],
    ['Continue', ['resume', 'm']],
  ])('%s does so', async (press, does) => {
    expect((await newsOf(breakpointHit(), { press })).done).toEqual([does]);
  });

  test('says nothing of a run of a sweep', async () => {
    expect((await newsOf(breakpointHit(), { ofSweep: true })).said).toEqual([]);
  });
});

test('a breakpoint that cannot be looked at is told with a warning', async () => {
  const passed = { model: 'm', name: 'modular-addition', step: 300, problem: 'The prompts are too long.' };
  expect((await newsOf({ ...passed, breakpoint: excludedLoss })).said).toEqual([
    { warning: '"modular-addition" passes by its breakpoint excluded loss > 1, which cannot be looked at: The prompts are too long.' },
  ]);
  expect((await newsOf({ ...passed, breakpoint: { ...excludedLoss, breakpoint: 'it forgets' } })).said).toEqual([
    { warning: '"modular-addition" passes by its breakpoint it forgets, which cannot be looked at: The prompts are too long.' },
  ]);
});

describe('a copy that was made', () => {
  test('is named, with what is done with it, and shown', async () => {
    const snapshot = breakpointHit({ paused: false, copy, breakpoint: { ...excludedLoss, action: 'snapshot' } });
    expect(await newsOf(snapshot, { press: 'Show' })).toEqual({
      said: [['"modular-addition" at step 300 is kept as "modular-addition at 300": excluded loss 1.2 > 1', 'Show']], done: [['show', 'c']],
    });
    const fork = breakpointHit({ paused: false, copy, breakpoint: { ...excludedLoss, action: 'fork' } });
    expect((await newsOf(fork)).said).toEqual([
      ['"modular-addition" at step 300 is trained on beside it as "modular-addition at 300": excluded loss 1.2 > 1', 'Show'],
    ]);
  });

  test('is missed with a warning where it could not be made', async () => {
    const { said } = await newsOf(breakpointHit({ paused: false, problem: 'The disk is full.' }));
    expect(said).toEqual([{ warning: '"modular-addition" came to a breakpoint at step 300, excluded loss 1.2 > 1. The disk is full.' }]);
  });
});
