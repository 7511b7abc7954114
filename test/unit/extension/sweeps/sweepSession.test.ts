import { describe, expect, test } from 'vitest';
import { UserError } from '../../../../src/common/errors';
import { Emitter } from '../../../../src/common/event';
import type { EngineState } from '../../../../src/extension/engine';
import type { SweepListChange } from '../../../../src/extension/sweeps/sweepList';
import { SweepSession } from '../../../../src/extension/sweeps/sweepSession';
import { controlSweep, getSweep, getSweepCurves } from '../../../../src/protocol/engine';
import type { RunCurve, SweepDetails } from '../../../../src/protocol/sweep';
import type { SweepPanelState, ToSweepPanel } from '../../../../src/protocol/sweepPanel';
import { sweepDetails, sweepRow } from './sweeps';

interface CurvesQuestion {
  readonly params: unknown;
  readonly signal: AbortSignal;
  answer(curves: readonly RunCurve[]): Promise<void>;
  refuse(error: Error): Promise<void>;
}

interface Question {
  answer(sweep: SweepDetails): Promise<void>;
  refuse(error: Error): Promise<void>;
}

function opened(state: SweepPanelState = { sweep: 's' }) {
  const sent: ToSweepPanel[] = [];
  const titles: string[] = [];
  const controls: unknown[] = [];
  const runs: string[] = [];
  const saved: unknown[] = [];
  const shown: unknown[] = [];
  const warnings: string[] = [];
  const questions: Question[] = [];
  const curves: CurvesQuestion[] = [];
  const changes = new Emitter<SweepListChange>();
  const states = new Emitter<EngineState>();
  let refusal: Error | undefined;
  const settle = () => new Promise<void>(resolve => { setImmediate(resolve); });
  const session = new SweepSession(state, {
    engine: {
      onStateChange: states.event,
      request: ((type: unknown, params: unknown, signal: AbortSignal) => {
        if (type === controlSweep) {
          controls.push(params);
          return refusal ? Promise.reject(refusal) : Promise.resolve(null);
        }
        if (type === getSweepCurves) {
          return new Promise((resolve, reject) => curves.push({
            params,
            signal,
            answer(all) { resolve(all); return settle(); },
            refuse(error) { reject(error); return settle(); },
          }));
        }
        expect(type).toBe(getSweep);
        expect(params).toEqual({ sweep: state.sweep });
        return new Promise((resolve, reject) => questions.push({
          answer(sweep) { resolve(sweep); return settle(); },
          refuse(error) { reject(error); return settle(); },
        }));
      }) as never,
    },
    sweeps: { get: async id => id === 's' ? sweepDetails() : Promise.reject(new UserError(`There is no sweep "${id}".`)), onChange: changes.event },
    send: message => sent.push(message),
    title: title => titles.push(title),
    open: model => runs.push(model),
    save: (...all) => saved.push(all),
    show: error => shown.push(error),
    explain: error => `defect: ${String(error)}`,
    warn: message => warnings.push(message),
  });
  const change = (id = 's') => {
    const { rows: _, ...summary } = sweepDetails({ id });
    changes.fire({ summary, rows: [sweepRow(1)], before: undefined });
  };
  const last = (): Question => {
    const question = questions.at(-1);
    if (!question) throw new Error('the sweep was not asked for');
    return question;
  };
  return {
    session, sent, titles, controls, runs, saved, shown, warnings, questions, curves, states, change, last, settle,
    refuse: (error: Error) => { refusal = error; },
    kinds: () => sent.splice(0).map(({ kind }) => kind),
  };
}

describe('a sweep panel', () => {
  test('is told all of the sweep once it is ready, and from then on what changes in it', async () => {
    const { session, sent, titles, last, change, kinds } = opened({ sweep: 's', metric: 'testAccuracy' });
    await session.titled;
    expect(titles).toEqual(['Sweep: seeds']);
    change();
    session.receive({ kind: 'ready' });
    // What changes before the answer is in the answer.
    change();
    expect(sent).toEqual([]);
    await last().answer(sweepDetails());
    expect(sent).toEqual([{ kind: 'sweep', state: { sweep: 's', metric: 'testAccuracy' }, sweep: sweepDetails() }]);
    change();
    change('another');
    expect(kinds()).toEqual(['sweep', 'change']);
  });

  test('is told all of it again when it comes back into sight, as it was looked at last', async () => {
    const { session, last, change, kinds, sent, questions } = opened();
    session.receive({ kind: 'ready' });
    await last().answer(sweepDetails());
    session.receive({ kind: 'state', state: { sweep: 's', sorting: { column: 'seed', direction: 'descending' } } });
    session.hide();
    change();
    expect(kinds()).toEqual(['sweep']);
    session.receive({ kind: 'ready' });
    expect(questions).toHaveLength(2);
    await last().answer(sweepDetails());
    expect(sent).toMatchObject([{ kind: 'sweep', state: { sweep: 's', sorting: { column: 'seed' } } }]);
  });

  test('is told anew by an engine that has started again, and by no answer that was overtaken', async () => {
    const { session, last, states, kinds, questions, sent } = opened();
    session.receive({ kind: 'ready' });
    const first = last();
    await first.answer(sweepDetails());
    states.fire({ kind: 'ready', info: {} as never });
    session.receive({ kind: 'ready' });
    expect(questions).toHaveLength(3);
    kinds();
    await questions[1]?.answer(sweepDetails({ name: 'overtaken' }));
    expect(sent).toEqual([]);
    await last().answer(sweepDetails({ status: 'stopped' }));
    expect(sent).toMatchObject([{ kind: 'sweep', sweep: { status: 'stopped' } }]);
  });

  test('says what is wrong in words for people', async () => {
    const { session, sent, last, titles } = opened({ sweep: 'gone' });
    await session.titled;
    expect(titles).toEqual(['Sweep']);
    session.receive({ kind: 'ready' });
    await last().refuse(new UserError('There is no sweep "gone".'));
    session.receive({ kind: 'ready' });
    await last().refuse(new TypeError('x is undefined'));
    expect(sent).toEqual([{ kind: 'problem', message: 'There is no sweep "gone".' }, { kind: 'problem', message: 'defect: TypeError: x is undefined' }]);
  });

  test.each(['s', 'gone'])('titles no panel that was closed while its sweep "%s" was looked up', async sweep => {
    const { session, titles } = opened({ sweep });
    session.dispose();
    await session.titled;
    expect(titles).toEqual([]);
  });

  test('cancels and resumes, and says when that is not possible', async () => {
    const { session, controls, shown, refuse, settle } = opened();
    session.receive({ kind: 'control', action: 'cancel' });
    session.receive({ kind: 'control', action: 'resume' });
    expect(controls).toEqual([{ sweep: 's', action: 'cancel' }, { sweep: 's', action: 'resume' }]);
    refuse(new UserError('It is not running.'));
    session.receive({ kind: 'control', action: 'cancel' });
    await settle();
    expect(shown).toEqual([new UserError('It is not running.')]);
  });

  test('opens runs and saves files', () => {
    const { session, runs, saved } = opened();
    session.receive({ kind: 'open', model: 'm1' });
    session.receive({ kind: 'save', name: 'runs', format: 'md', content: '| run |' });
    expect(runs).toEqual(['m1']);
    expect(saved).toEqual([['runs', 'md', '| run |']]);
  });

  test('is told curves of runs, those that were asked for last alone', async () => {
    const { session, sent, curves } = opened();
    session.receive({ kind: 'ready' });
    session.receive({ kind: 'curves', metric: 'testLoss', runs: [0, 1] });
    session.receive({ kind: 'curves', metric: 'testAccuracy', runs: [0] });
    expect(curves.map(({ params, signal }) => [params, signal.aborted])).toEqual([
      [{ sweep: 's', metric: 'testLoss', runs: [0, 1] }, true], [{ sweep: 's', metric: 'testAccuracy', runs: [0] }, false],
    ]);
    const curve: RunCurve = { run: 0, steps: Float64Array.of(0, 5), values: Float64Array.of(0.1, 0.9), measured: 2 };
    await curves[0]?.answer([]);
    await curves[1]?.answer([curve]);
    expect(sent).toEqual([{ kind: 'curves', metric: 'testAccuracy', curves: [curve] }]);
    session.receive({ kind: 'curves', metric: 'testLoss', runs: [9] });
    await curves[2]?.refuse(new UserError('It has no run 10.'));
    expect(sent.at(-1)).toEqual({ kind: 'problem', message: 'It has no run 10.' });
  });

  test.each(['hide', 'dispose'] as const)('gives up the curves that are being read when it goes: %s', async leave => {
    const { session, sent, curves } = opened();
    session.receive({ kind: 'ready' });
    session.receive({ kind: 'curves', metric: 'testLoss', runs: [0] });
    session[leave]();
    expect(curves[0]?.signal.aborted).toBe(true);
    await curves[0]?.refuse(new Error('cancelled'));
    expect(sent).toEqual([]);
  });

  test('exports what a command asks for while its page is there', async () => {
    const { session, sent, last, kinds } = opened();
    session.export({ what: 'table', format: 'csv' });
    expect(sent).toEqual([]);
    session.receive({ kind: 'ready' });
    await last().answer(sweepDetails());
    session.export({ what: 'figure', format: 'svg' });
    expect(kinds()).toEqual(['sweep', 'export']);
  });

  test('stays with its sweep, and believes no message that is not one', () => {
    const { session, warnings, controls, runs, saved } = opened();
    session.receive({ kind: 'state', state: { sweep: 'another', metric: 'trainLoss' } });
    expect(session.state).toEqual({ sweep: 's' });
    for (const message of [undefined, 'ready', { kind: 'control', action: 'forget' }, { kind: 'open' }, { kind: 'save', name: 'x', format: 'exe', content: '' }]) session.receive(message);
    expect(warnings).toHaveLength(5);
    expect([controls, runs, saved]).toEqual([[], [], []]);
  });

  test('says nothing once it is closed', async () => {
    const { session, sent, last, change } = opened();
    session.receive({ kind: 'ready' });
    const question = last();
    session.dispose();
    await question.answer(sweepDetails());
    change();
    expect(sent).toEqual([]);
  });
});
