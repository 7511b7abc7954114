import { describe, expect, test } from 'vitest';
import { Emitter } from '../../../../src/common/event';
import type { EngineState } from '../../../../src/extension/engine';
import { canCancelSweep, canResumeSweep, SweepList, type SweepListChange } from '../../../../src/extension/sweeps/sweepList';
import type { SweepChange, SweepSummary } from '../../../../src/protocol/sweep';
import { sweepDetails, sweepRow } from './sweeps';

function list(stored: readonly SweepSummary[] = []) {
  const changes = new Emitter<SweepChange>();
  const states = new Emitter<EngineState>();
  let asked = 0;
  const sweeps = new SweepList({
    onSweepChanged: changes.event, onStateChange: states.event,
    request: (async () => {
      asked++;
      return stored;
    }) as never,
  });
  const heard: SweepListChange[] = [];
  sweeps.onChange(change => heard.push(change));
  return { sweeps, changes, states, heard, asked: () => asked };
}

const { rows: _, ...summary } = sweepDetails();

describe('the list of sweeps', () => {
  test('follows what the engine tells, and tells how each was before', () => {
    const { sweeps, changes, heard } = list();
    changes.fire({ summary, rows: [] });
    expect(sweeps.running.map(({ id }) => id)).toEqual(['s']);
    changes.fire({ summary: { ...summary, status: 'finished' }, rows: [] });
    expect(sweeps.running).toEqual([]);
    expect(heard.map(({ before }) => before?.status)).toEqual([undefined, 'running']);
  });

  test('knows the models that sweeps train, before their first change too', () => {
    const { sweeps, changes } = list();
    sweeps.know(sweepDetails());
    changes.fire({ summary, rows: [sweepRow(7)] });
    expect(['m0', 'm1', 'm7', 'other'].map(model => sweeps.trains(model))).toEqual([true, true, true, false]);
  });

  test('asks the engine for one that it has not been told of; one that is not there is an error', async () => {
    const { sweeps, asked } = list([summary]);
    expect(await sweeps.get('s')).toEqual(summary);
    expect(await sweeps.get('s')).toEqual(summary);
    expect(asked()).toBe(1);
    await expect(sweeps.get('t')).rejects.toThrow('no sweep');
  });

  test('says when it has learned of sweeps, and when one is forgotten', async () => {
    const { sweeps } = list([{ ...summary, status: 'finished', counts: { finished: 2 } }, { ...summary, id: 't', status: 'stopped' }]);
    const known: (readonly [all: number, running: number, resumable: number])[] = [];
    sweeps.onListed(() => known.push([sweeps.known.length, sweeps.known.filter(canCancelSweep).length, sweeps.known.filter(canResumeSweep).length]));
    await sweeps.load();
    sweeps.know(sweepDetails({ id: 'u' }));
    sweeps.forget('t');
    expect(known).toEqual([[2, 0, 1], [3, 1, 1], [2, 1, 0]]);
  });

  test('takes nothing for running that ran in an engine which has ended', () => {
    const { sweeps, changes, states } = list();
    changes.fire({ summary, rows: [] });
    states.fire({ kind: 'starting' });
    expect(sweeps.running).toEqual([]);
  });
});
