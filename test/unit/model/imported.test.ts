import { describe, expect, test } from 'vitest';
import { hookNames } from '../../../src/model/names';
import { RunnableModel } from '../../../src/model/runnable';
import { expectClose } from '../../support/close';
import { importedFixtures, readImported, readRun, readShort, withImported } from '../../support/imported';
import { eager, onnx } from '../../support/runtimes';

/** Of logits and activations alike, whose largest are between 1 and 25. */
const tolerance = { absolute: 1e-4 };

describe.each(importedFixtures)('%s', name => {
  test('has the very weights that TransformerLens ran', async () => {
    const [{ weights }, run] = await Promise.all([readImported(name), readRun(name)]);
    const state = run.group('state');
    expect([...weights.keys()].sort()).toEqual([...state.keys()].sort());
    for (const [parameter, value] of weights) expect(value, parameter).toEqual(state.get(parameter));
  });

  test.each([['ONNX Runtime', onnx], ['plain tfjs', eager]] as const)('computes on %s what TransformerLens cached', async (_, runtime) => {
    const [{ config, weights }, run] = await Promise.all([readImported(name), readRun(name)]);
    const model = new RunnableModel(config, weights, runtime);
    const { logits, cache } = await model.runWithCache(run.int32('tokens'), hookNames(config));
    expectClose(logits.data, run.float32('logits').data, tolerance, 'logits');
    const cached = run.group('cache');
    expect([...cache.keys()].sort()).toEqual([...cached.keys()].sort());
    for (const [hook, value] of cache) {
      expect(value.shape, hook).toEqual(cached.get(hook)?.shape);
      expectClose(value.data, cached.get(hook)?.data ?? [], tolerance, hook);
    }
  });
});

test.each([3, 5])('of %i tokens a mask of its own is read from its end, as TransformerLens does', async T => {
  const [{ config, weights }, short] = await Promise.all([readImported('custom-mask-1-layer'), readShort('custom-mask-1-layer')]);
  for (const runtime of [onnx, eager]) {
    const { logits, cache } = await new RunnableModel(config, weights, runtime).runWithCache(short.int32(`${T}.tokens`), hookNames(config));
    expectClose(logits.data, short.float32(`${T}.logits`).data, tolerance, 'logits');
    const cached = short.group(`${T}.cache`);
    expect([...cache.keys()].sort()).toEqual([...cached.keys()].sort());
    for (const [hook, { data }] of cache) expectClose(data, cached.get(hook)?.data ?? [], tolerance, hook);
  }
});

test('a file of checkpoints gives each of them, with its losses, and the logits of all', async () => {
  const run = await readRun('checkpoints');
  await withImported('checkpoints', async ({ config, checkpoints, metrics }) => {
    expect(checkpoints.map(({ step }) => step)).toEqual([0, 100, 200]);
    for (const { step, weights } of checkpoints) {
      const { logits } = await new RunnableModel(config, await weights(), onnx).runWithCache(run.int32('tokens'), []);
      expectClose(logits.data, run.float32(`logits.${step}`).data, tolerance, `logits at ${step}`);
    }
    expect(metrics?.find(({ step }) => step === 100)).toMatchObject({ testLoss: 1 / 101, trainLoss: 1 / 202 });
  });
});
