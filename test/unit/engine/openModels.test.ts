import { rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { OpenModels } from '../../../src/engine/openModels';
import { UserError } from '../../../src/common/errors';
import type { Runtime } from '../../../src/compile/runtime';
import { Store } from '../../../src/store/store';
import { int32 } from '../../../src/common/tensor';
import { randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';
import { temporaryFolder } from '../store/folders';
import type { ModelOrigin } from '../../../src/protocol/model';
import { config, experiment, modelRecord, trainingState } from '../store/samples';

const record = modelRecord();
const prompt = int32([1, 2], Int32Array.from([0, 1]));

let store: Store;
let models: OpenModels;
/** Functions that were compiled, and runtimes that were opened and closed. */
let [compiled, opened, closed] = [new Set<unknown>(), 0, 0];

beforeEach(async () => {
  [compiled, opened, closed] = [new Set(), 0, 0];
  store = await Store.open(await temporaryFolder());
  await store.create(record);
  for (const step of [10, 20, 30]) await store.writeCheckpoint(record.id, { ...trainingState(step), parameters: randomParameters(config, step) });
  models = new OpenModels(store, async () => {
    opened++;
    const runtime: Runtime = {
      description: 'counting',
      compile: (name, fn, inputs) => {
        compiled.add(fn);
        return onnx.compile(name, fn, inputs);
      },
      dispose: () => void closed++,
    };
    return Promise.resolve(runtime);
  });
});

const embeddingAt = (step: number) => randomParameters(config, step).get('embed.W_E')?.data ?? expect.fail();

describe('the model that an open one started from', () => {
  const startingFrom = (from: ModelOrigin) => modelRecord({ experiment: experiment({ from }) });

  test('has the weights that it had there; one that started from none has none', async () => {
    const tuned = startingFrom({ id: record.id, name: record.name, checkpoint: 20 });
    await store.create(tuned);
    await store.writeCheckpoint(tuned.id, { ...trainingState(5), parameters: randomParameters(config, 5) });
    await models.use(tuned.id, undefined, async ({ model, base }) => {
      const origin = await base();
      expect(origin?.parameter('embed.W_E').data).toEqual(embeddingAt(20));
      const [own, others] = await Promise.all([model, origin].map(async each => (await each?.runWithCache(prompt, []))?.logits.data));
      expect(others).not.toEqual(own);
    });
    await models.use(record.id, undefined, async ({ base }) => expect(await base()).toBeUndefined());
  });

  test('is missed in a sentence when it is gone', async () => {
    const tuned = startingFrom({ id: '0123456789abcdef', name: 'base' });
    await store.create(tuned);
    await models.use(tuned.id, undefined, async ({ base }) => {
      await expect(base()).rejects.toThrow(new UserError('"base" (0123456789abcdef), which this model starts from, is gone; train it again.'));
    });
  });
});

describe('an open model', () => {
  test('is the newest there is, or as it was at a checkpoint', async () => {
    await models.use(record.id, undefined, async ({ model, details }) => {
      expect(details.checkpoints).toEqual([10, 20, 30]);
      expect(model.parameter('embed.W_E').data).toEqual(embeddingAt(30));
      return Promise.resolve();
    });
    await models.use(record.id, 10, async ({ model, atCheckpoint }) => {
      expect(model.parameter('embed.W_E').data).toEqual(embeddingAt(10));
      expect((await atCheckpoint(20)).parameter('embed.W_E').data).toEqual(embeddingAt(20));
    });
  });

  test('compiles once for all of its checkpoints, whose logits are their own', async () => {
    const logits = new Set<string>();
    for (const step of [10, 20, 30, 20]) {
      await models.use(record.id, step, async ({ model }) => logits.add(String((await model.runWithCache(prompt, [])).logits.data)));
    }
    expect([logits.size, compiled.size, opened]).toEqual([3, 1, 1]);
  });

  test('is closed with what was compiled when others have taken its place, but not while it is used', async () => {
    const others = [1, 2, 3, 4].map(seed => modelRecord({ experiment: { ...record.experiment, seed } }));
    for (const other of others) {
      await store.create(other);
      await store.writeCheckpoint(other.id, { ...trainingState(1), parameters: randomParameters(config) });
    }
    await models.use(record.id, undefined, async ({ model }) => {
      await model.runWithCache(prompt, []);
      for (const other of others) await models.use(other.id, undefined, () => Promise.resolve());
      expect(closed).toBe(0);
    });
    await expect.poll(() => closed).toBe(1);
  });
});

describe('a checkpoint', () => {
  test('that there is not is an error with the nearest', async () => {
    await expect(models.use(record.id, 12, () => Promise.resolve())).rejects.toThrow(/no checkpoint at step 12; the nearest are at 10 and 20/);
    await models.use(record.id, 10, async ({ atCheckpoint }) => expect(atCheckpoint(40)).rejects.toThrow(/no checkpoint at step 40/));
  });

  test('that was cut short is an error with its file, and the others go on', async () => {
    const file = path.join(store.pathOf(record.id), 'checkpoints', '20.safetensors');
    await truncate(file, 200);
    await expect(models.use(record.id, 20, () => Promise.resolve())).rejects.toThrow(UserError);
    await expect(models.use(record.id, 20, () => Promise.resolve())).rejects.toThrow(file);
    await models.use(record.id, 10, async ({ atCheckpoint }) => expect(await atCheckpoint(30)).toBeDefined());
  });

  test('that is the newest and was cut short is missed by whoever reads its weights, and by nobody else', async () => {
    const file = path.join(store.pathOf(record.id), 'checkpoints', '30.safetensors');
    await truncate(file, 200);
    await models.use(record.id, undefined, async ({ model, atCheckpoint }) => {
      expect(() => model.parameter('embed.W_E')).toThrow(file);
      await expect(model.runWithCache(prompt, [])).rejects.toThrow(UserError);
      expect((await atCheckpoint(20)).parameter('embed.W_E').data).toEqual(embeddingAt(20));
    });
    await expect(models.use(record.id, 30, () => Promise.resolve())).rejects.toThrow(file);
  });

  test('that comes back is read again', async () => {
    const file = path.join(store.pathOf(record.id), 'checkpoints', '20.safetensors');
    await rm(file);
    await expect(models.use(record.id, 20, () => Promise.resolve())).rejects.toThrow(UserError);
    await store.writeCheckpoint(record.id, { ...trainingState(20), parameters: randomParameters(config, 5) });
    await models.use(record.id, 20, async ({ model }) => Promise.resolve(expect(model.parameter('embed.W_E').data).toEqual(embeddingAt(5))));
  });
});
