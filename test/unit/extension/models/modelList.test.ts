import { expect, test } from 'vitest';
import { Emitter } from '../../../../src/common/event';
import type { EngineState } from '../../../../src/extension/engine';
import { ModelList, type ModelListChange } from '../../../../src/extension/models/modelList';
import { getModel, listModels, type ModelsChanged } from '../../../../src/protocol/engine';
import type { ModelSummary } from '../../../../src/protocol/model';
import { modelDetails, modelSummary } from './models';

/** An engine that answers from a list, and counts how often it is asked. */
class ListedEngine {
  readonly states = new Emitter<EngineState>();
  readonly changes = new Emitter<ModelsChanged>();
  readonly onStateChange = this.states.event;
  readonly onModelsChanged = this.changes.event;
  readonly asked: string[] = [];
  models: readonly ModelSummary[] = [];
  problem: Error | undefined;

  readonly request = (type: { readonly method: string }): Promise<never> => {
    this.asked.push(type.method);
    if (this.problem) return Promise.reject(this.problem);
    const answer: unknown = type.method === listModels.method ? this.models : modelDetails({ layers: 1, heads: 1, attentionOnly: true, checkpoints: [] });
    return Promise.resolve(answer as never);
  };
}

function listing(...models: readonly ModelSummary[]) {
  const engine = new ListedEngine();
  engine.models = models;
  let time = 0;
  const list = new ModelList(engine, () => time);
  const changes: ModelListChange[] = [];
  list.onChange(change => changes.push(change));
  return { engine, list, changes, pass: (milliseconds: number) => (time += milliseconds) };
}

test('asks for nothing before it is wanted, and once for all who want it', async () => {
  const { engine, list } = listing(modelSummary());
  expect(engine.asked).toEqual([]);
  await Promise.all([list.load(), list.load(), list.refresh()]);
  await list.load();
  expect(engine.asked).toEqual([listModels.method]);
});

test('lists the newest first', async () => {
  const { list } = listing(modelSummary({ id: 'old', createdAt: 1 }), modelSummary({ id: 'new', createdAt: 2 }));
  expect((await list.load()).map(({ id }) => id)).toEqual(['new', 'old']);
});

test('tells a change of a row from one of the list', async () => {
  const { engine, list, changes } = listing(modelSummary());
  await list.load();
  engine.changes.fire({ changed: [modelSummary({ name: 'renamed' })], removed: [] });
  engine.changes.fire({ changed: [modelSummary({ id: 'another' })], removed: [] });
  engine.changes.fire({ changed: [], removed: ['m'] });
  engine.changes.fire({ changed: [], removed: ['unknown'] });
  expect(changes.map(({ structure }) => structure)).toEqual([true, false, true, true, false]);
  expect(changes[1]?.before.get('m')?.name).toBe('array-update');
  expect(list.models.map(({ id }) => id)).toEqual(['another']);
});

test('knows who comes from whom, as models come and go, and by which name', async () => {
  const tune = modelSummary({ id: 't', name: 'tune', from: { id: 'm', name: 'then' } });
  const { engine, list } = listing(tune);
  await list.load();
  expect(list.baseOf('t')).toBeUndefined();
  engine.changes.fire({ changed: [modelSummary()], removed: [] });
  expect(list.families.tunedFrom('m')).toEqual(['t']);
  engine.changes.fire({ changed: [modelSummary({ name: 'renamed' })], removed: [] });
  expect(list.baseOf('t')?.name).toBe('renamed');
  engine.changes.fire({ changed: [], removed: ['m'] });
  expect([list.baseOf('t'), list.families.tunedFrom('m')]).toEqual([undefined, []]);
});

test('reads anew what an engine knows that has started again', async () => {
  const { engine, list } = listing(modelSummary({ status: 'training' }));
  engine.states.fire({ kind: 'ready', info: {} as never });
  expect(engine.asked).toEqual([]);
  await list.load();
  expect(list.running).toHaveLength(1);
  engine.models = [modelSummary({ status: 'interrupted' })];
  const read = new Promise(resolve => list.onChange(resolve));
  engine.states.fire({ kind: 'ready', info: {} as never });
  await read;
  expect(list.running).toEqual([]);
});

test('names the nearest models for one that is gone', async () => {
  const { list } = listing(modelSummary({ id: 'array-1' }));
  await expect(list.get('array-2')).rejects.toThrow('There is no model "array-2"; the nearest is "array-1".');
});

test('opens a finished model once, and a running one at most once a second', async () => {
  const { engine, list, pass } = listing(modelSummary(), modelSummary({ id: 'r', status: 'training' }));
  await list.load();
  const opened = () => engine.asked.filter(method => method === getModel.method).length;
  await list.details('m');
  await list.details('m');
  expect(opened()).toBe(1);
  await list.details('r');
  for (const step of [1, 2, 3]) {
    engine.changes.fire({ changed: [modelSummary({ id: 'r', status: 'training', progress: { step, steps: 9 } })], removed: [] });
    await list.details('r');
  }
  expect(opened()).toBe(2);
  pass(1000);
  await list.details('r');
  expect(opened()).toBe(3);
  engine.changes.fire({ changed: [modelSummary({ id: 'r', status: 'finished' })], removed: [] });
  await list.details('r');
  expect(opened()).toBe(4);
});

test('asks again for what could not be opened', async () => {
  const { engine, list } = listing(modelSummary());
  await list.load();
  engine.problem = new Error('unreadable');
  await expect(list.details('m')).rejects.toThrow('unreadable');
  engine.problem = undefined;
  await expect(list.details('m')).resolves.toBeDefined();
});
