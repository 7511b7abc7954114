import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { CancelledError } from '../../../src/common/errors';
import type { Engine } from '../../../src/engine/engine';
import { importModel } from '../../../src/engine/imports';
import { processModel } from '../../../src/engine/processing';
import { int32 } from '../../../src/common/tensor';
import type { ProcessRequest } from '../../../src/protocol/engine';
import { modelRecord, trainingState, weights } from '../store/samples';
import { expectClose } from '../../support/close';
import { engineIn } from '../../support/engines';
import { configOf } from '../../support/models';
import { writeModelFile } from '../../support/weightFiles';
import { temporaryFolder } from '../store/folders';

const never = new AbortController().signal;
let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await temporaryFolder();
  engine = await engineIn(folder);
});

const mod7 = { kind: 'task', name: 'modular-arithmetic', parameters: { modulus: 7 } } as const;
const normalized = configOf({ d_vocab: 8, d_vocab_out: 7, n_ctx: 3, normalization_type: 'LN' });

async function imported(name = 'grokked') {
  const file = await writeModelFile(path.join(folder, `${name}.safetensors`), normalized);
  return (await importModel(engine, { file, binding: mod7 }, never)).model;
}

const process = (request: Pick<ProcessRequest, 'model'> & Partial<ProcessRequest>) => processModel(engine, { steps: ['fold-layer-norm'], ...request }, never);

async function logitsOf(id: string) {
  const tokens = int32([2, 3], Int32Array.of(1, 2, 7, 6, 5, 7));
  return engine.openModels.use(id, undefined, async ({ model }) => (await model.runWithCache(tokens, [])).logits.data);
}

test('a processed model is one of its own, bound to the same task, that computes the same', async () => {
  const original = await imported();
  const made = await process({ model: original.id });
  expect(made).toMatchObject({
    name: 'grokked, folded', status: 'finished', task: 'modular-arithmetic', metrics: original.metrics,
    source: { kind: 'processed', id: original.id, name: 'grokked', steps: ['fold-layer-norm'] },
  });
  const { config, parameters } = await engine.details(made.id);
  expect(config.normalization_type).toBe('LNPre');
  expect(parameters.map(({ name }) => name)).not.toContain('blocks.0.ln1.w');
  expectClose(await logitsOf(made.id), await logitsOf(original.id), { absolute: 1e-4 });
  expect((await engine.models()).map(({ id }) => id)).toContain(original.id);
});

test('the steps are done and told in TransformerLens\' order, and the same model is made once', async () => {
  const { id } = await imported();
  const all = await process({ model: id, steps: ['center-unembedding', 'fold-layer-norm', 'center-writing-weights'], name: ' easy to read ' });
  expect(all).toMatchObject({ name: 'easy to read', source: { steps: ['fold-layer-norm', 'center-writing-weights', 'center-unembedding'] } });
  expect(await process({ model: id, steps: ['fold-layer-norm', 'center-writing-weights', 'center-unembedding'] })).toEqual(all);
  expect(await process({ model: all.id, steps: ['center-unembedding'], name: 'x' }).then(({ source }) => source)).toMatchObject({ kind: 'processed' });
});

test('a checkpoint is processed with what was measured there, and of a run that has not ended the newest', async () => {
  const record = modelRecord({ status: 'stopped', name: 'a'.repeat(100) });
  await engine.store.create(record);
  for (const step of [100, 200]) await engine.store.writeCheckpoint(record.id, trainingState(step));
  await engine.store.appendMetrics(record.id, [{ step: 100, seconds: 1, testLoss: 0.5 }, { step: 200, seconds: 2, testLoss: 0.25 }]);
  const first = await process({ model: record.id, checkpoint: 100, steps: ['center-unembedding'] });
  expect(first).toMatchObject({ metrics: { testLoss: 0.5 }, source: { checkpoint: 100 } });
  expect(first.name).toBe(`${'a'.repeat(91)}, centred`);
  expect((await engine.store.readWeights(first.id)).get('embed.W_E')).toEqual(weights(100).get('embed.W_E'));
  expect(await process({ model: record.id, steps: ['center-unembedding'] })).toMatchObject({ metrics: { testLoss: 0.25 }, source: { checkpoint: 200 } });
});

test('what cannot be processed says why, and makes nothing', async () => {
  const record = modelRecord();
  await engine.store.create(record);
  await engine.store.writeWeights(record.id, weights(1));
  await expect(process({ model: record.id })).rejects.toThrow('This model does not normalize (normalization_type is null), so there is no LayerNorm to fold.');
  await expect(process({ model: record.id, steps: [] })).rejects.toThrow('There is nothing to do: name at least one of fold-layer-norm, center-writing-weights, center-unembedding, fold-value-biases.');
  await expect(process({ model: record.id, checkpoint: 7 })).rejects.toThrow('"clock" has no checkpoint at step 7; it has none at all.');
  await expect(process({ model: record.id, steps: ['center-unembedding'], name: ' ' })).rejects.toThrow('A model\'s name has 1 to 100 characters, and this one has 0.');
  await expect(processModel(engine, { model: record.id, steps: ['center-unembedding'] }, AbortSignal.abort())).rejects.toThrow(CancelledError);
  expect(await readdir(engine.store.folder)).toEqual([record.id]);
});

test('others have turns while the weights are worked on, and one that cancels ends it before anything is written', async () => {
  const { id } = await imported();
  const { store } = engine;
  const controller = new AbortController();
  const read = store.readWeights.bind(store);
  const add = vi.spyOn(store, 'add');
  vi.spyOn(store, 'readWeights').mockImplementation(async (...given) => {
    const weights = await read(...given);
    setImmediate(() => setImmediate(() => controller.abort()));
    return weights;
  });
  await expect(processModel(engine, { model: id, steps: ['fold-layer-norm'] }, controller.signal)).rejects.toThrow(CancelledError);
  expect(add).not.toHaveBeenCalled();
});
