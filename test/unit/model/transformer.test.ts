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
  options: ForwardOptions = {},
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
        outputs(forward(config, weights, tokens, { hook: withMask(fixture, hook), wantsResult: true, ...options }), index),
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

describe.each(modelFixtures)('%s with a copy of the stream for each reader', name => {
  const changed = (hook: string, wanted: string, value: Tensor) => (hook === wanted ? halved(value) : value);

  test('gives the same logits as without', async () => {
    const fixture = await open(name);
    const [split] = await run(fixture, [unchanged], undefined, { splitInputs: true });
    expectCloseToScale(split?.data ?? [], fixture.tensors.float32('logits').data, tolerance);
  });

  test('shows the stream itself, and what is done to one copy reaches that reader alone', async () => {
    const fixture = await open(name);
    const { config, tensors } = fixture;
    const [H, D] = [config.n_heads, config.d_model];
    const stream = tensors.float32('cache.blocks.0.hook_resid_pre');
    const parts = ['q', 'k', 'v'] as const;
    const readers = parts.map(part => `blocks.0.hook_${part}_input`);
    /** Head 1's copy alone is changed. */
    const isHead = (head: number) => tf.tensor(Array.from({ length: H }, (_, at) => Number(at === head)), [H, 1]);
    for (const [index, reader] of readers.entries()) {
      const seen = new Map<string, Tensor>();
      const record = (hook: string, value: Tensor) => {
        seen.set(hook, value);
        return hook === reader ? tf.add(tf.mul(value, tf.sub(1, isHead(1))), tf.mul(halved(value), isHead(1))) : value;
      };
      const get = (hook: string) => seen.get(hook) ?? expect.fail(`${hook} was not met`);
      const [copies, ...values] = await run(fixture, [record], () => [get(reader), ...parts.map(part => get(`blocks.0.attn.hook_${part}`)), get('blocks.0.hook_resid_pre')], { splitInputs: true });
      expect(copies?.shape).toEqual([...stream.shape.slice(0, 2), H, D]);
      copies?.data.forEach((value, at) => {
        const source = stream.data[Math.floor(at / (H * D)) * D + (at % D)] ?? Number.NaN;
        if (Math.abs(value - source) > 1e-5) expect.fail(`the copy holds ${value} for ${source}`);
      });
      expectCloseToScale(values[3]?.data ?? [], stream.data, tolerance, 'the stream');
      parts.forEach((part, at) => {
        const [cached, now] = [tensors.float32(`cache.blocks.0.attn.hook_${part}`), values[at]];
        const K = config.d_head;
        const differs = Array.from({ length: H }, (_, head) => cached.data.some((value, place) => Math.floor(place / K) % H === head && Math.abs(value - Number(now?.data[place])) > 1e-3));
        expect(differs, part).toEqual(Array.from({ length: H }, (_, head) => at === index && head === 1));
      });
    }
  });

  test('lets an MLP read another stream than the one that goes on', async () => {
    const fixture = await open(name);
    if (fixture.config.attn_only) return;
    const seen = new Map<string, Tensor>();
    const hook = (name: string, value: Tensor) => {
      seen.set(name, value);
      return changed(name, 'blocks.0.hook_mlp_in', value);
    };
    const get = (name: string) => seen.get(name) ?? expect.fail(`${name} was not met`);
    const [middle, out, after] = await run(fixture, [hook], () => ['resid_mid', 'mlp_out', 'resid_post'].map(at => get(`blocks.0.hook_${at}`)), { splitInputs: true });
    expectCloseToScale(middle?.data ?? [], fixture.tensors.float32('cache.blocks.0.hook_resid_mid').data, tolerance);
    expectCloseToScale(after?.data ?? [], Array.from(middle?.data ?? [], (value, at) => value + Number(out?.data[at])), tolerance);
    const before = fixture.tensors.float32('cache.blocks.0.hook_mlp_out').data;
    expect(before.some((value, at) => Math.abs(value - Number(out?.data[at])) > 1e-3)).toBe(true);
  });
});

describe.each(modelFixtures.filter(name => !name.startsWith('additive-mask') && !name.startsWith('bidirectional')))('%s run on its last positions', name => {
  test.each([1, 3])('without the first %d gives their logits, when keys and values of those are put back', async from => {
    const fixture = await open(name);
    const { tensors } = fixture;
    const cut = (hook: string, value: Tensor) => {
      if (hook === 'hook_embed' || hook === 'hook_pos_embed') return tf.slice(value, [0, from, 0], [-1, -1, -1]);
      if (!/hook_[kv]$/.test(hook)) return value;
      const { data, shape } = tensors.float32(`cache.${hook}`);
      return tf.concat([tf.slice(tf.tensor(data, [...shape]), [0, 0, 0, 0], [-1, from, -1, -1]), value], 1);
    };
    const [logits] = await run(fixture, [cut]);
    const { data, shape } = tensors.float32('logits');
    const [B = 0, T = 0, U = 0] = shape;
    expect(logits?.shape).toEqual([B, T - from, U]);
    const expected = Array.from({ length: B }, (_, row) => [...data.subarray((row * T + from) * U, (row + 1) * T * U)]).flat();
    expectCloseToScale(logits?.data ?? [], expected, tolerance);
  });
});
