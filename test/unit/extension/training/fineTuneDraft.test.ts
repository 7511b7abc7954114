import { parse, type ParseError } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { fineTuneDraft } from '../../../../src/extension/training/fineTuneDraft';
import { ExperimentSchema, type Experiment, type Training } from '../../../../src/protocol/experiment';
import type { ModelDetails } from '../../../../src/protocol/model';
import { prepared } from '../../../support/experiments';
import { modelDetails } from '../models/models';

function trained(training: Partial<Training> = {}, changes: { readonly task?: object | string; readonly seed?: number; readonly name?: string } = {}): ModelDetails {
  const { name = 'base', ...given } = changes;
  const { resolved } = prepared({ ...given, training: { steps: 60_000, batch: 'full', ...training } });
  const details = modelDetails({ layers: 1, heads: 2, attentionOnly: false, checkpoints: [2000] });
  return { ...details, summary: { ...details.summary, id: 'f00d', name }, experiment: resolved };
}

function read(text: string): Experiment {
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors);
  expect(errors).toEqual([]);
  return v.parse(ExperimentSchema, value);
}

describe('an experiment that goes on from a model', () => {
  test('names the model and the checkpoint, and has the same task with all of its parameters', () => {
    const { name, text } = fineTuneDraft(trained(), 2000);
    expect(name).toBe('base-tuned');
    expect(read(text)).toMatchObject({
      name: 'base-tuned', from: { model: 'f00d', checkpoint: 2000 },
      task: { name: 'modular-arithmetic', operation: 'add', modulus: 7, trainFraction: 0.5 },
    });
    expect(text).toContain('// Goes on from the model "base", as it was after step 2,000.');
  });

  test('starts where the training ended when no checkpoint is meant', () => {
    const { text } = fineTuneDraft(trained(), undefined);
    expect(read(text).from).toEqual({ model: 'f00d' });
    expect(text).toContain('"base", where its training ended.');
  });

  test('takes a hundredth of the steps, a tenth of the learning rate and the same batch, at a constant rate', () => {
    const schedule: Training['schedule'] = { kind: 'steps', at: [100], factor: 0.5 };
    const tuned = (training: Partial<Training>) => read(fineTuneDraft(trained({ ...training, schedule }), undefined).text).training;
    expect(tuned({ learningRate: 3e-4 })).toMatchObject({ steps: 600, batch: 'full', learningRate: 3e-5, schedule: { kind: 'constant' } });
    expect(tuned({ batch: 128, evaluateEvery: 1000, checkpointEvery: 500 })).toMatchObject({ batch: 128, evaluateEvery: 10, checkpointEvery: 5 });
  });

  test('writes what the optimizer had that it would not have by itself, and no end before time', () => {
    const { text } = fineTuneDraft(trained({ weightDecay: 1, stopWhen: { metric: 'testLoss', below: 0.1, evaluations: 1 } }), undefined);
    const { training } = parse(text) as { training: object };
    expect(Object.keys(training)).toEqual(['steps', 'batch', 'learningRate', 'schedule', 'weightDecay', 'evaluateEvery']);
  });

  test('keeps the seed, by which a task keeps examples for its tests', () => {
    expect(read(fineTuneDraft(trained({}, { seed: 7 }), undefined).text).seed).toBe(7);
  });

  test.each([
    [0, 100], [1, 1], [40, 40], [100, 100], [4000, 100], [10_000, 100], [60_000, 600],
  ])('after %i steps takes %i: enough to learn from, unless the model itself had fewer', (steps, tuned) => {
    const { text } = fineTuneDraft(trained({ steps, schedule: { kind: 'constant' } }), undefined);
    expect(read(text).training.steps).toBe(tuned);
    const [now, before] = [tuned, steps].map(count => count.toLocaleString('en'));
    expect(text).toContain(`// It takes ${now} ${tuned === 1 ? 'step' : 'steps'} (${before} before) at a tenth of the learning rate;`);
  });

  test('is measured and kept as often as the model was on its way', () => {
    const tuned = (steps: number) => read(fineTuneDraft(trained({ steps, evaluateEvery: 400, checkpointEvery: 1000 }), undefined).text).training;
    expect(tuned(4000)).toMatchObject({ steps: 100, evaluateEvery: 10, checkpointEvery: 25 });
    expect(tuned(0)).toMatchObject({ steps: 100, evaluateEvery: 400, checkpointEvery: 1000 });
  });

  test('has its cursor at the first parameter of the task', () => {
    const { text, place } = fineTuneDraft(trained(), undefined);
    expect(text.slice(...place)).toBe('"add"');
    expect(text.slice(0, place[0])).toMatch(/\n {2}"task": \{ "name": "modular-arithmetic", "operation": $/);
  });

  test('survives a name that would end its comment, or is as long as names are', () => {
    expect(read(fineTuneDraft(trained({}, { name: 'two\nlines $& "quoted"' }), undefined).text).name).toBe('two\nlines $& "quoted"-tuned');
    expect(read(fineTuneDraft(trained({}, { name: 'x'.repeat(100) }), undefined).text).name).toHaveLength(100);
  });
});
