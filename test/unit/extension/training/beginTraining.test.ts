import { expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../../src/common/errors';
import { Emitter } from '../../../../src/common/event';
import { BeginTraining } from '../../../../src/extension/training/beginTraining';
import type { ModelListChange } from '../../../../src/extension/models/modelList';
import { TooLongError, UntrainedOriginError } from '../../../../src/extension/refusals';
import { WaitingTrainings } from '../../../../src/extension/training/waitingTrainings';
import { controlModel, type TrainRequest, type UntrainedOrigin } from '../../../../src/protocol/engine';
import type { ModelStatus, ModelSummary } from '../../../../src/protocol/model';
import { modelSummary } from '../models/models';

const settled = () => new Promise<void>(resolve => setImmediate(resolve));
const training = (name: string) => ({ name, request: { experiment: { bundled: name } } });
const originOf = (name: string): UntrainedOrigin => ({ id: name, name, request: { experiment: { bundled: name }, seed: 1 } });

/**
 * An engine that trains experiments by their names: `tune<base` once the base is finished, and one that is `slow` only by
 * force. The user answers every question in the order given.
 */
function engineWith(answers: readonly boolean[], ...stored: readonly Partial<ModelSummary>[]) {
  const changes = new Emitter<ModelListChange>();
  const known = new Map(stored.map(changed => modelSummary({ name: changed.id ?? '', ...changed })).map(model => [model.id, model]));
  const told: string[] = [];
  const left = [...answers];
  const become = async (id: string, status: ModelStatus) => {
    const before = new Map(known);
    const model = modelSummary({ id, name: id, status });
    known.set(id, model);
    changes.fire({ structure: !before.has(id), changed: [model], before, removed: [] });
    await settled();
  };
  const trained = async ({ experiment, seed, device, force }: TrainRequest) => {
    const name = 'bundled' in experiment ? experiment.bundled : '';
    const base = /<(.*)$/.exec(name)?.[1];
    if (name === 'broken') throw new UserError('It is broken.');
    if (base !== undefined && known.get(base)?.status !== 'finished') throw new UntrainedOriginError(`${name} starts from ${base}.`, originOf(base));
    if (name.startsWith('slow') && !force) throw new TooLongError(`${name} would take about 35 hours.`);
    told.push(['train', name, seed ?? '', device ?? '', force ? 'force' : ''].filter(word => word !== '').join(' '));
    await become(name, 'training');
    return { model: modelSummary({ id: name, name }), cached: false };
  };
  const request = async (type: { readonly method: string }, params: never) => {
    if (type.method !== controlModel.method) return trained(params);
    const { model, action } = params as { readonly model: string; readonly action: string };
    told.push(`${action} ${model}`);
    return null;
  };
  const models = { load: async () => [...known.values()], find: (id: string) => known.get(id), onChange: changes.event };
  const waiting = new WaitingTrainings(models);
  const beginning = new BeginTraining({
    engine: { request: request as never }, models, waiting,
    ask: async (question, _, button) => {
      told.push(`${question} [${button}]`);
      return left.shift() ?? false;
    },
    opened: ({ name }) => told.push(`opened ${name}`),
    waits: ({ name }, base) => told.push(`${name} waits for ${base}`),
    begun: async ({ model }) => void told.push(`begun ${model.name}`),
    dropped: ({ name }, base, why) => told.push(`dropped ${name}: ${base} ${why}`),
    guard: work => void Promise.resolve(work()).catch((error: unknown) => told.push(String(error))),
  });
  onTestFinished(() => {
    beginning.dispose();
    waiting.dispose();
  });
  return { beginning, told, become, said: () => told.splice(0) };
}

test('what would take days is trained when the user insists, and not otherwise', async () => {
  const { beginning, said } = engineWith([false, true]);
  expect(await beginning.begin(training('slow'))).toBeUndefined();
  expect(said()).toEqual(['slow would take about 35 hours. [Train Anyway]']);
  expect(await beginning.begin(training('slow'))).toMatchObject({ answer: { model: { name: 'slow' } } });
  expect(said()).toEqual(['slow would take about 35 hours. [Train Anyway]', 'train slow force']);
});

test('the base is trained first, with its seed and where the fine-tuning is wanted, and then the fine-tuning by itself', async () => {
  const { beginning, become, said } = engineWith([true]);
  const wanted = training('tune<base');
  const begun = await beginning.begin({ ...wanted, request: { ...wanted.request, device: 'cpu' } });
  expect(begun).toMatchObject({ answer: { model: { name: 'base' } } });
  expect(said()).toEqual(['tune<base starts from base. [Train base First]', 'train base 1 cpu', 'tune<base waits for base']);
  await become('base', 'finished');
  expect(said()).toEqual(['train tune<base cpu', 'begun tune<base']);
});

test('nothing is trained when the user does not want the base', async () => {
  const { beginning, said } = engineWith([false]);
  expect(await beginning.begin(training('tune<base'))).toBeUndefined();
  expect(said()).toEqual(['tune<base starts from base. [Train base First]']);
});

test('the fine-tuning is cancelled with its base', async () => {
  const { beginning, become, said } = engineWith([true]);
  await beginning.begin(training('tune<base'));
  said();
  await become('base', 'stopped');
  await become('base', 'finished');
  expect(said()).toEqual(['dropped tune<base: base was stopped']);
});

test.each([
  ['under way is waited for', { status: 'training' }, 'Wait for base', []],
  ['stopped short is resumed', { status: 'stopped', resumable: true }, 'Resume base First', ['resume base']],
  ['with nothing to go on from is trained again', { status: 'failed' }, 'Train base First', ['retrain base']],
] as const)('a base %s', async (_, changes, button, done) => {
  const { beginning, become, said } = engineWith([true], { id: 'base', ...changes });
  expect(await beginning.begin(training('tune<base'))).toBe('waits');
  expect(said()).toEqual([`tune<base starts from base. [${button}]`, ...done, 'tune<base waits for base']);
  await become('base', 'training');
  await become('base', 'finished');
  expect(said()).toEqual(['train tune<base', 'begun tune<base']);
});

test('a whole line of models is trained one after the other', async () => {
  const { beginning, become, said } = engineWith([true, true]);
  await beginning.begin(training('last<middle<first'));
  expect(said()).toEqual([
    'last<middle<first starts from middle<first. [Train middle<first First]', 'middle<first starts from first. [Train first First]',
    'train first 1', 'middle<first waits for first', 'last<middle<first waits for middle<first',
  ]);
  await become('first', 'finished');
  expect(said()).toEqual(['train middle<first 1', 'begun middle<first']);
  await become('middle<first', 'finished');
  expect(said()).toEqual(['train last<middle<first', 'begun last<middle<first']);
});

test('what waits for a base that could not begin is dropped', async () => {
  const { beginning, become, said } = engineWith([true, true, false]);
  await beginning.begin(training('last<slow<first'));
  said();
  await become('first', 'finished');
  expect(said()).toEqual(['slow<first would take about 35 hours. [Train Anyway]', 'dropped last<slow<first: slow<first was not started']);
});

test('any other refusal is the caller\'s to show', async () => {
  await expect(engineWith([]).beginning.begin(training('broken'))).rejects.toThrow('It is broken.');
});
