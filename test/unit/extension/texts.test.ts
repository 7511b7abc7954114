import { describe, expect, test } from 'vitest';
import { diagnosticsReport } from '../../../src/extension/diagnosticsReport';
import { formatFraction, formatLoss, formatRemaining, withoutLinks } from '../../../src/extension/format';
import { modelItems, problemOfName, type ModelAction } from '../../../src/extension/models/modelChoices';
import { fillPage } from '../../../src/extension/panels/panelPage';
import { runningText } from '../../../src/extension/runningText';
import { modelSummary } from './models/models';
import { sweepDetails } from './sweeps/sweeps';

const running = modelSummary({ id: 'r', name: 'run', status: 'training', progress: { step: 999, steps: 1000 }, metrics: {} });

describe('numbers', () => {
  test('keep what matters of a loss, and never round up to perfection', () => {
    expect([2.302585, 0.0123456, 0.000999, 3.2e-9, 0].map(formatLoss)).toEqual(['2.3', '0.0123', '1.0e-3', '3.2e-9', '0']);
    expect([1, 0.99999, 0.5].map(formatFraction)).toEqual(['100 %', '99.99 %', '50 %']);
  });

  test('tell how long is left', () => {
    expect(formatRemaining({ step: 0, steps: 100 })).toBeUndefined();
    expect(formatRemaining({ step: 100, steps: 100, secondsPerStep: 1 })).toBeUndefined();
    expect([0.5, 1.5, 90].map(secondsPerStep => formatRemaining({ step: 0, steps: 100, secondsPerStep }))).toEqual(['50 s', '2 min 30 s', '2 h 30 min']);
  });
});

describe('the status bar', () => {
  test('is empty while nothing runs', () => {
    expect(runningText([])).toBeUndefined();
  });

  test('shows how far one training is, and how many there are of more', () => {
    expect(runningText([running])).toEqual({ text: '$(sync~spin) run 99 %', tooltip: 'run: step 999/1,000', spoken: 'Training run, 99 percent' });
    expect(runningText([running, running])?.text).toBe('$(sync~spin) 2 trainings');
    expect(runningText([{ ...running, status: 'paused' }])?.text).toBe('$(debug-pause) run 99 %');
  });

  test('tells of sweeps in place of their runs', () => {
    const { rows: _, ...sweep } = sweepDetails({ counts: { finished: 3, training: 2, failed: 1, waiting: 1194 } });
    expect(runningText([running, running], [sweep])).toEqual({
      text: '$(sync~spin) seeds 3/1,200', tooltip: 'seeds: 3/1,200 runs finished · 1 failed', spoken: 'Sweep seeds, 3 of 1200 runs finished',
    });
    expect(runningText([], [sweep, sweep])?.text).toBe('$(sync~spin) 2 sweeps 6/2,400');
  });

  test('draws no icons that a name asks for', () => {
    expect(runningText([{ ...running, name: '$(bug)' }])?.text).toBe('$(sync~spin) $ (bug) 99 %');
  });
});

describe('messages', () => {
  // As VS Code finds links in them.
  const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;

  test.each(['Training "[here](command:circuits.delete)" failed.', '[a](command:b "c")', '[[a](file:///b)', '[a](https://b)[c](command:d)'])('hold no links: %s', message => {
    expect(message).toMatch(link);
    expect(withoutLinks(message)).not.toMatch(link);
  });

  test('stay as they are otherwise', () => {
    expect(withoutLinks('There is no head 5 in [0, 4] (of 4).')).toBe('There is no head 5 in [0, 4] (of 4).');
  });
});

describe('a choice of models', () => {
  const models = [running, modelSummary(), modelSummary({ id: 's', status: 'stopped', resumable: true })];
  test('offers those that the action fits', () => {
    const ids = (action: ModelAction) => modelItems(action, models).map(({ model }) => model);
    expect(ids('stop')).toEqual(['r']);
    expect(ids('pause')).toEqual(['r']);
    expect(ids('resume')).toEqual(['s']);
    expect(ids('retrain')).toEqual(['m', 's']);
    expect(ids('open')).toEqual(['r', 'm', 's']);
  });

  test('goes on from what is trained, and tells what each model comes from', () => {
    const tune = modelSummary({ id: 't', from: { id: 'm', name: 'then', checkpoint: 1000 } });
    const lost = modelSummary({ id: 'l', from: { id: 'gone', name: 'gone' } });
    expect(modelItems('fineTune', [...models, tune, lost]).map(({ detail }) => detail)).toEqual([
      'array-update · m', 'array-update · from array-update, step 1,000 · t', 'array-update · from gone (deleted) · l',
    ]);
  });

  test('a model keeps a name', () => {
    expect(problemOfName('mine')).toBeUndefined();
    expect(problemOfName('  ')).toBe('A model needs a name.');
    expect(problemOfName('x'.repeat(101))).toBe('A name has at most 100 characters.');
  });
});

describe("the panel's page", () => {
  const values = { nonce: 'n', cspSource: 'c', script: 's', style: '$&', panel: 'p' };
  test('has every placeholder filled, with the values as they are', () => {
    expect(fillPage('<{{nonce}} {{script}} {{style}} {{nonce}} {{cspSource}}>', values)).toBe('<n s $& n c>');
  });

  test('is refused when it asks for what there is not', () => {
    expect(() => fillPage('{{theme}}', values)).toThrow('"theme"');
  });
});

test('the diagnostics tell what runs where', () => {
  const report = diagnosticsReport({
    version: '0.1.0', editor: 'Code 1.139', system: 'linux', activationMilliseconds: 12.34, trusted: false,
    loopDelay: { median: 0.1, percentile99: 3.21, longest: 9 }, settings: { 'circuits.threads': 0 },
    engine: { kind: 'failed', problem: 'no' }, devices: [], models: [running],
  });
  expect(report).toContain('activated in 12.3 ms');
  expect(report).toContain('Workspace: restricted');
  expect(report).toContain('99th percentile 3.2 ms');
  expect(report).toContain('- `circuits.threads`: 0');
  expect(report).toContain('It failed: no');
  expect(report).toContain('- r: training, step 999/1,000');
});
