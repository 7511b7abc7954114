import { describe, expect, test } from 'vitest';
import manifest from '../../../../package.json';
import { experimentRow } from '../../../../src/extension/experiments/experimentRows';
import { knownExperiment } from '../known';
import { modelSummary } from '../models/models';

const file = { name: 'clock', path: 'studies/clock.circuit.json', hasSweep: false, hasClaims: false };
const running = modelSummary({ status: 'training', progress: { step: 400, steps: 1000 }, metrics: { trainLoss: 0.12 } });

/** The commands of a row's menu, or of its buttons. */
function commandsOn(context: string, inline: boolean): readonly string[] {
  return manifest.contributes.menus['view/item/context']
    .filter(({ when, group }) => when.includes('circuits.experiments') && group.startsWith('inline') === inline)
    .filter(({ when }) => new RegExp(/viewItem =~ \/(.*)\/$/.exec(when)?.[1] ?? '^$').test(context))
    .map(({ command }) => command.slice('circuits.'.length));
}

test('of a file of which nothing is known yet, a row has its name, and can train it', () => {
  const row = experimentRow(file, undefined);
  expect(row).toMatchObject({ label: 'clock', description: 'studies', icon: { id: 'beaker' }, spoken: 'Experiment clock' });
  expect(commandsOn(row.context, true)).toEqual(['trainNow']);
});

describe('a row shows how its experiment stands, and offers what can be done', () => {
  test.each([
    ['not trained', {}, 'not trained · studies', 'circle-outline', ['trainNow']],
    ['trained', { model: modelSummary() }, 'accuracy 99.98 % · studies', 'pass', []],
    ['changed since', { before: modelSummary() }, 'changed since it was trained · studies', 'history', ['trainNow']],
    ['under way', { model: running }, '40 % · loss 0.12 · studies', 'sync~spin', ['pause', 'stop']],
    ['paused', { model: { ...running, status: 'paused' } as const }, 'paused 40 % · loss 0.12 · studies', 'debug-pause', ['resume', 'stepToCheckpoint', 'stop']],
    ['stopped', { model: modelSummary({ status: 'stopped', resumable: true, progress: { step: 400, steps: 1000 } }) }, 'stopped at 40 % · studies', 'debug-stop', ['resume']],
    ['failed', { model: modelSummary({ status: 'failed', problem: 'No memory.' }) }, 'failed · studies', 'error', ['trainNow']],
  ])('%s', (_, standing, description, icon, buttons) => {
    const row = experimentRow(file, knownExperiment(standing));
    expect(row).toMatchObject({ description, icon: { id: icon } });
    expect(commandsOn(row.context, true)).toEqual(buttons);
  });

  test('wrong, which trains nothing', () => {
    const { trains: _, ...standing } = knownExperiment({ problems: [{ path: [], message: 'No *steps*.' }] }).standing;
    const row = experimentRow({ ...file, hasSweep: true, hasClaims: true }, { standing, claims: [], about: '' });
    expect(row).toMatchObject({ description: '1 problem · studies', icon: { id: 'error' }, tooltip: expect.stringContaining('No \\*steps\\*\\.') });
    expect([...commandsOn(row.context, true), ...commandsOn(row.context, false)]).toEqual([]);
  });

  test('with claims that fail, spoken too', () => {
    const outcome = { trained: 'm', model: 'm', measured: 1, expect: '> 2', ok: false, at: 0 };
    const claim = { index: 0, span: { start: 0, end: 0 }, value: {}, isStale: false, outcome };
    const row = experimentRow({ ...file, hasClaims: true }, knownExperiment({ model: modelSummary() }, { claims: [claim] }));
    expect(row).toMatchObject({
      description: 'accuracy 99.98 % · 1 claim fails · studies', icon: { color: 'testing.iconFailed' }, spoken: expect.stringMatching(/^Experiment clock, trained.*, 1 claim fails$/),
    });
    expect(commandsOn(row.context, true)).toContain('verify');
  });
});

test('the menu of a row has all that its state allows, on its file and on its model', () => {
  const trained = experimentRow({ ...file, hasSweep: true, hasClaims: true }, knownExperiment({ model: modelSummary() }));
  expect(trained.model).toBe('m');
  expect(commandsOn(trained.context, false)).toEqual(['trainFile', 'fineTune', 'sweep', 'openTrainingCurves', 'openAnalysis', 'verify']);
  expect(commandsOn(experimentRow(file, knownExperiment()).context, false)).toEqual(['trainFile']);
});
