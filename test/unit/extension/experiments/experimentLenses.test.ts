import { describe, expect, test } from 'vitest';
import { lensesOf, type LensContext } from '../../../../src/extension/experiments/experimentLenses';
import { outlineOf } from '../../../../src/extension/experiments/experimentOutline';
import { knownExperiment } from '../known';
import { modelSummary } from '../models/models';

const text = `{
  "name": "clock",
  "from": "base",
  "training": { "steps": 1000 },
  "claims": [{ "claim": "it learns" }, { "claim": "and more" }],
  "sweep": { "seed": [0, 1] }
}`;

/** The words over each block, and the commands behind them. */
function lenses(known: LensContext['known'], changes: Partial<LensContext> = {}) {
  const blocks = new Map<string, string[]>();
  for (const { at, title, click } of lensesOf({ outline: outlineOf(text), known, trusted: true, base: undefined, ...changes })) {
    const block = /^"(\w+)"/.exec(text.slice(at))?.[1] ?? '';
    blocks.set(block, [...(blocks.get(block) ?? []), `${title}${click ? ` → ${click.command}` : ''}`]);
  }
  return Object.fromEntries(blocks);
}

const running = modelSummary({ status: 'training', progress: { step: 400, steps: 1000 }, metrics: { trainLoss: 0.12 } });

test('before anything is known of a file, it can be trained, verified and swept', () => {
  expect(lenses(undefined)).toEqual({
    training: ['$(play) Train → circuits.trainNow', 'Train… → circuits.trainFile'],
    claims: ['$(beaker) Verify → circuits.verify'],
    sweep: ['$(run-all) Sweep… → circuits.sweep'],
  });
});

describe('over the training stands what can be done now', () => {
  test.each([
    ['not trained', {}, ['$(play) Train → circuits.trainNow', 'Train… → circuits.trainFile']],
    ['trained', { model: modelSummary() }, ['Train… → circuits.trainFile', '$(repo-forked) Fine-Tune… → circuits.fineTune']],
    ['under way', { model: running }, ['$(sync~spin) training 40 % · loss 0.12', '$(debug-pause) Pause → circuits.pause', '$(debug-stop) Stop → circuits.stop']],
    ['paused', { model: { ...running, status: 'paused' } as const }, ['paused 40 % · loss 0.12', '$(debug-continue) Resume → circuits.resume', '$(debug-stop) Stop → circuits.stop']],
    ['stopped with a checkpoint', { model: modelSummary({ status: 'stopped', resumable: true }) }, ['$(debug-continue) Resume → circuits.resume', 'Train… → circuits.trainFile']],
    ['stopped before one', { model: modelSummary({ status: 'interrupted' }) }, ['$(play) Train → circuits.trainNow', 'Train… → circuits.trainFile']],
    ['changed since', { before: modelSummary() }, ['$(play) Train → circuits.trainNow', 'Train… → circuits.trainFile']],
  ])('%s', (_, standing, words) => {
    expect(lenses(knownExperiment(standing))['training']).toEqual(words);
  });
});

test('at the top stands how it is, and a click opens the curves', () => {
  const top = (known: LensContext['known']) => lenses(known)['name'];
  expect(top(knownExperiment())).toEqual(['$(circle-outline) not trained']);
  expect(top(knownExperiment({ model: modelSummary() }))).toEqual(['$(pass) trained · loss 0.0123 · accuracy 99.98 % → circuits.openTrainingCurves']);
  expect(top(knownExperiment({ before: modelSummary() }))).toEqual(['$(history) changed since it was trained → circuits.openTrainingCurves']);
  expect(top(knownExperiment({ model: running }))).toEqual(['$(sync~spin) training 40 % · loss 0.12 → circuits.openTrainingCurves']);
});

test('what cannot be trained is offered nothing but its number of problems', () => {
  const { trains: _, ...standing } = knownExperiment().standing;
  const wrong = { standing: { ...standing, problems: [{ path: [], message: 'wrong' }, { path: [], message: 'worse' }] }, claims: [], about: '' };
  expect(lenses(wrong)).toEqual({ name: ['$(error) 2 problems'] });
});

test('over "from" stands what it starts from, and how that is trained first', () => {
  const origin = (trained: boolean) => knownExperiment({ origin: { id: 'b', name: 'base', trained } });
  expect(lenses(origin(true), { base: modelSummary({ id: 'b', name: 'base' }) })['from']).toEqual(['$(pass) starts from base · accuracy 99.98 % → circuits.openTrainingCurves']);
  expect(lenses(origin(false))['from']).toEqual(['$(circle-outline) starts from base, not trained', '$(play) Train It First → circuits.trainNow']);
  expect(lenses(origin(false), { base: { ...running, id: 'b', name: 'base' } })['from']).toEqual(['$(sync~spin) starts from base, training 40 % → circuits.openTrainingCurves']);
});

test('over the claims stands how many of them hold of this very model', () => {
  const outcome = (ok: boolean) => ({ trained: 'm', model: 'm', measured: 1, expect: '> 0', ok, at: 0 });
  const claim = { index: 0, span: { start: 0, end: 0 }, value: {}, isStale: false };
  const known = knownExperiment({ model: modelSummary() }, { claims: [{ ...claim, outcome: outcome(true) }, { ...claim, index: 1, outcome: outcome(false) }] });
  expect(lenses(known)).toMatchObject({
    name: [expect.stringContaining(' · 1 claim fails')],
    claims: ['$(beaker) Verify → circuits.verify', '1 of 2 hold'],
  });
  const stale = { ...known, claims: known.claims.map(each => ({ ...each, isStale: true })) };
  expect(lenses(stale)['claims']).toEqual(['$(beaker) Verify → circuits.verify']);
});

test('over a sweep stands how many of its runs are trained, and its table once it was started', () => {
  expect(lenses(knownExperiment({ sweep: { runs: 24, finished: 3 } }))['sweep']).toEqual(['$(run-all) Sweep… → circuits.sweep', '3 of 24 trained']);
  expect(lenses(knownExperiment({ sweep: { runs: 90_000 } }))['sweep']).toEqual(['$(run-all) Sweep… → circuits.sweep', '90,000 runs']);
  expect(lenses(knownExperiment({ sweep: { runs: 2, finished: 2, id: 's' } }))['sweep']).toContain('Open → circuits.openSweep');
});

test('in a workspace that is not trusted nothing is trained, measured or swept', () => {
  const known = knownExperiment({ sweep: { runs: 2, finished: 0 }, origin: { id: 'b', name: 'base', trained: false } });
  expect(lenses(known, { trusted: false })).toEqual({
    name: ['$(circle-outline) not trained'], from: ['$(circle-outline) starts from base, not trained'], sweep: ['0 of 2 trained'],
  });
});

test('a name that looks like an icon is none', () => {
  expect(lenses(knownExperiment({ origin: { id: 'b', name: '$(bug) base', trained: true } }))['from']?.[0]).toContain('$ (bug) base');
});
