import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { HostTensor } from '../../../src/common/tensor';
import type { Runtime } from '../../../src/compile/runtime';
import { hookNames } from '../../../src/model/names';
import { parameterSpecs } from '../../../src/model/parameters';
import { RunnableModel } from '../../../src/model/runnable';
import { forward, type ForwardOptions } from '../../../src/model/transformer';
import type { ModelConfig } from '../../../src/protocol/config';
import { expectCloseToScale } from '../../support/close';
import { configFromFixture, modelFixtures, readFixture, type FixtureTensors } from '../../support/fixtures';
import { eager, onnx, runOnce } from '../../support/runtimes';

/** Of the largest number in a tensor. */
const tolerance = 2e-5;

interface Fixture {
  readonly config: ModelConfig;
  readonly tensors: FixtureTensors;
  readonly state: ReadonlyMap<string, HostTensor<'float32'>>;
}

async function open(name: string): Promise<Fixture> {
  const { document, tensors } = await readFixture(`models/${name}`);
  return { config: configFromFixture(document), tensors, state: tensors.group('state') };
}

/**
 * One of the fixtures adds −1.5 to a score. A configuration's mask knows only what is allowed and what is not, so that
 * model is a bidirectional one here, to whose scores the fixture's mask is added at their hook.
 */
function withMask(
  { tensors }: Fixture,
  hook: NonNullable<ForwardOptions['hook']>,
): NonNullable<ForwardOptions['hook']> {
  if (!tensors.has('additive_mask')) return hook;
  const { data, shape } = tensors.float32('additive_mask');
  return (name, value) =>
    hook(name, name.endsWith('hook_attn_scores') ? tf.add(value, tf.tensor(data, [...shape])) : value);
}

/** Runs `forward` once for each hook; the graph that they share is computed once. */
function run(
  fixture: Fixture,
  hooks: readonly NonNullable<ForwardOptions['hook']>[],
  outputs: (logits: Tensor, index: number) => Tensor[] = logits => [logits],
) {
  const { config, state, tensors } = fixture;
  const names = [...state.keys()];
  return runOnce(
    onnx,
    (...inputs) => {
      const byName = new Map(names.map((name, index) => [name, inputs[index]]));
      const weights = (name: string) => byName.get(name) ?? expect.fail(`the fixture has no ${name}`);
      const tokens = inputs[names.length] ?? expect.fail('no tokens');
      return hooks.flatMap((hook, index) =>
        outputs(forward(config, weights, tokens, { hook: withMask(fixture, hook), wantsResult: true }), index),
      );
    },
    [...state.values(), tensors.int32('tokens')],
  );
}

const unchanged = (_: string, value: Tensor) => value;

describe.each(modelFixtures)('%s', name => {
  test('has the parameters of the state dict, under the same names and in the same shapes', async () => {
    const { config, state } = await open(name);
    const shapes = (entries: Iterable<readonly [string, readonly number[]]>) =>
      Object.fromEntries([...entries].sort(([a], [b]) => a.localeCompare(b)));
    expect(shapes(parameterSpecs(config).map(spec => [spec.name, spec.shape]))).toEqual(
      shapes([...state].map(([key, { shape }]) => [key, shape])),
    );
  });

  test('has the hook points that TransformerLens caches', async () => {
    const { config, tensors } = await open(name);
    expect([...hookNames(config)].sort()).toEqual([...tensors.group('cache').keys()].sort());
  });

  test('gives the logits and every activation', async () => {
    const fixture = await open(name);
    const { config, tensors } = fixture;
    const seen = new Map<string, Tensor>();
    const record = (hook: string, value: Tensor) => {
      seen.set(hook, value);
      return value;
    };
    const hooks = hookNames(config);
    const [logits, ...values] = await run(fixture, [record], made => [
      made,
      ...hooks.map(hook => seen.get(hook) ?? expect.fail(`${hook} was not met`)),
    ]);
    expect([...seen.keys()]).toEqual(hooks);
    expectCloseToScale(logits?.data ?? [], tensors.float32('logits').data, tolerance, 'logits');
    hooks.forEach((hook, index) => {
      const cached = tensors.float32(`cache.${hook}`);
      expect(values[index]?.shape, hook).toEqual(cached.shape);
      expectCloseToScale(values[index]?.data ?? [], cached.data, tolerance, hook);
    });
  });

  test('takes what a hook gives instead of what it saw', async () => {
    const fixture = await open(name);
    const hooks = hookNames(fixture.config);
    // A few at a time: ONNX Runtime takes much longer over one large graph than over several small ones.
    for (let from = 0; from < hooks.length; from += 8) {
      const some = hooks.slice(from, from + 8);
      const logits = await run(
        fixture,
        some.map(wanted => (hook: string, value: Tensor) => (hook === wanted ? halved(value) : value)),
      );
      some.forEach((hook, index) =>
        expectCloseToScale(logits[index]?.data ?? [], fixture.tensors.float32(`halved.${hook}`).data, tolerance, hook),
      );
    }
  });
});

/** Components 0, 2, 4 … of the last axis halved. */
function halved(x: Tensor): Tensor {
  const last = x.shape.at(-1) ?? 1;
  return tf.mul(x, tf.tensor1d(Array.from({ length: last }, (_, at) => (at % 2 === 0 ? 0.5 : 1))));
}

describe('through RunnableModel', () => {
  const cases: readonly (readonly [string, string, Runtime])[] = [
    ...modelFixtures
      .filter(name => !name.startsWith('additive-mask'))
      .map(name => [name, 'ONNX Runtime', onnx] as const),
    ['layer-norm-gelu-2-layers', 'tfjs', eager],
    ['rms-pre-partial-rotary-relu-1-layer', 'tfjs', eager],
    ['shortformer-attention-only-2-layers', 'tfjs', eager],
  ];

  test.each(cases)('%s on %s: logits and cache', async (name, _, runtime) => {
    const fixture = await open(name);
    const { config, state, tensors } = fixture;
    const model = new RunnableModel(config, state, runtime);
    const hooks = hookNames(config);
    const { logits, cache } = await model.runWithCache(tensors.int32('tokens'), hooks);
    expectCloseToScale(logits.data, tensors.float32('logits').data, tolerance, 'logits');
    expect([...cache.keys()]).toEqual(hooks);
    for (const [hook, value] of cache)
      expectCloseToScale(value.data, tensors.float32(`cache.${hook}`).data, tolerance, hook);
  });
});

test('forward without options is the plain pass', async () => {
  const fixture = await open('plain-relu-1-layer');
  const [plain] = await run(fixture, [unchanged]);
  expectCloseToScale(plain?.data ?? [], fixture.tensors.float32('logits').data, tolerance);
});
