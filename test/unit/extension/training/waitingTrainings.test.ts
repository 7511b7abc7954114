import { expect, onTestFinished, test } from 'vitest';
import { Emitter } from '../../../../src/common/event';
import type { ModelListChange } from '../../../../src/extension/models/modelList';
import { WaitingTrainings } from '../../../../src/extension/training/waitingTrainings';
import type { ModelStatus, ModelSummary } from '../../../../src/protocol/model';
import { modelSummary } from '../models/models';

const base = { id: 'base', name: 'Base' };
const tune = { name: 'tune', request: { experiment: { bundled: 'tune' } } };

/** A list in which the base stands as told, and what the waiting trainings came to. */
function waiting(...statuses: readonly ModelStatus[]) {
  const changes = new Emitter<ModelListChange>();
  const known = new Map<string, ModelSummary>();
  const came: string[] = [];
  const become = (status: ModelStatus, id = 'base') => {
    const before = new Map(known);
    const model = modelSummary({ id, status });
    known.set(id, model);
    changes.fire({ structure: !before.has(id), changed: [model], before, removed: [] });
  };
  const trainings = new WaitingTrainings({ find: id => known.get(id), onChange: changes.event });
  trainings.onReady(({ name }) => came.push(`${name} begins`));
  trainings.onDrop(({ training: { name }, base: from, why }) => came.push(`${name} dropped: ${from.name} ${why}`));
  onTestFinished(() => trainings.dispose());
  for (const status of statuses) become(status);
  return { trainings, became: become, came, remove: () => changes.fire({ structure: true, changed: [], before: known, removed: ['base'] }) };
}

test('a training begins once, when its base has been trained', () => {
  const { trainings, became, came } = waiting('training');
  trainings.add(base, tune);
  became('training');
  became('finished', 'another');
  expect(came).toEqual([]);
  became('finished');
  became('finished');
  expect(came).toEqual(['tune begins']);
});

test('it begins at once when its base came to its end before it could wait', () => {
  const { trainings, came } = waiting('training', 'finished');
  trainings.add(base, tune);
  expect(came).toEqual(['tune begins']);
});

test('it waits through a pause, and for what has been resumed', () => {
  const { trainings, became, came } = waiting('stopped');
  trainings.add(base, tune);
  // A change that is older than the resumption.
  became('stopped');
  became('training');
  became('paused');
  became('training');
  expect(came).toEqual([]);
  became('finished');
  expect(came).toEqual(['tune begins']);
});

test.each([['stopped', 'was stopped'], ['interrupted', 'was interrupted'], ['failed', 'failed']] as const)('it is dropped with a base that is %s', (status, why) => {
  const { trainings, became, came } = waiting('training');
  trainings.add(base, tune);
  became(status);
  became('finished');
  expect(came).toEqual([`tune dropped: Base ${why}`]);
});

test('it is dropped with a base that fails before it was seen to train', () => {
  const { trainings, became, came } = waiting();
  trainings.add(base, tune);
  became('failed');
  expect(came).toEqual(['tune dropped: Base failed']);
});

test('it is dropped with a base that is deleted, and with it what waits for itself', () => {
  const { trainings, remove, came } = waiting('training');
  trainings.add({ id: 'tune', name: 'tune' }, { ...tune, name: 'second' });
  trainings.add(base, { ...tune, model: 'tune' });
  remove();
  expect(came).toEqual(['tune dropped: Base was deleted', 'second dropped: tune was not started']);
});

test('it does not begin any more once it was told not to, or when the window is gone', () => {
  const { trainings, became, came } = waiting('training');
  trainings.add(base, { ...tune, name: 'withdrawn' }).dispose();
  trainings.add(base, tune);
  trainings.dispose();
  became('finished');
  expect(came).toEqual([]);
});

test('what waits is told of while it does, each followed by what waits for it', () => {
  const { trainings, became } = waiting('training');
  const seen: string[] = [];
  const after = (model: string) => trainings.after(model).map(({ training }) => training.name);
  trainings.onChange(() => seen.push(after('base').join(', ')));
  trainings.add({ id: 'tune', name: 'tune' }, { ...tune, name: 'second' });
  trainings.add(base, { ...tune, model: 'tune' });
  trainings.add(base, { ...tune, name: 'other' });
  expect(seen).toEqual(['', 'tune, second', 'tune, second, other']);
  expect(trainings.all.map(one => `${one.training.name} after ${one.base.name}`)).toEqual(['second after tune', 'tune after Base', 'other after Base']);
  became('training');
  became('finished');
  expect(seen.slice(3)).toEqual(['']);
  expect(after('tune')).toEqual(['second']);
});

test('what is withdrawn takes with it what waits for it, and only as long as it waits itself', () => {
  const { trainings, became, came } = waiting('training');
  trainings.add({ id: 'tune', name: 'tune' }, { ...tune, name: 'second' });
  const leaving = trainings.add(base, { ...tune, model: 'tune' });
  const [first] = trainings.after('base');
  if (first) trainings.withdraw(first);
  expect(came).toEqual(['second dropped: tune was not started']);
  expect(trainings.all).toEqual([]);
  trainings.add({ id: 'tune', name: 'tune' }, { ...tune, name: 'third' });
  leaving.dispose();
  became('finished', 'tune');
  expect(came.slice(1)).toEqual(['third begins']);
});
