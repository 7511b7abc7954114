import { expect, onTestFinished, test, vi } from 'vitest';
import { BatchesAhead } from '../../../../src/engine/batchesAhead';
import { hashOf } from '../../../../src/store/taskSnapshots';
import { rememberModule } from '../../../../src/tasks/modules';
import { prepared } from '../../../support/experiments';
import { moduleSource, opened } from './modules';

test('nothing is looked after where the bundle that runs modules is missing', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const snapshot = opened({ 'task.mjs': moduleSource() }).describe();
  const module = hashOf(snapshot);
  const { resolved } = prepared({ training: { batch: 8 } });
  const experiment = { task: rememberModule(module, snapshot).task, resolved: { ...resolved, task: { name: 'task.mjs', parameters: {}, module } } };
  expect(() => new BatchesAhead(experiment, { sampler: '', taskModule: '/nowhere/taskModule.js' })).toThrow('which draws the batches, is missing');
  expect(vi.getTimerCount()).toBe(0);
});
