import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { UnknownNameError, UserError } from '../../../src/common/errors';
import { float32, int32, type HostTensor } from '../../../src/common/tensor';
import { headName } from '../../../src/model/names';
import { asFloat32, RunnableModel } from '../../../src/model/runnable';
import { forward } from '../../../src/model/transformer';
import { expectClose } from '../../support/close';
import { configOf, randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';

const config = configOf({ mask: ['x....', 'xx...', '.xx..', 'xxxx.', 'xxxxx'] });
const parameters = randomParameters(config);
const model = new RunnableModel(config, parameters, onnx);
const tokens = int32([2, 5], Int32Array.of(0, 1, 2, 3, 4, 5, 6, 0, 1, 2));

async function refusalOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof UserError ? error.message : `not for people: ${String(error)}`;
  }
  return 'nothing';
}

test('a head is called by its layer and number', () => {
  expect(headName(0, 3)).toBe('L0H3');
});

describe('runs', () => {
  test('with the hooks that are asked for, each once', async () => {
    const { logits, cache } = await model.runWithCache(tokens, [
      'blocks.1.hook_resid_post',
      'hook_embed',
      'blocks.1.hook_resid_post',
    ]);
    expect(logits.shape).toEqual([2, 5, 6]);
    expect([...cache].map(([name, { shape }]) => [name, shape])).toEqual([
      ['blocks.1.hook_resid_post', [2, 5, 8]],
      ['hook_embed', [2, 5, 8]],
    ]);
  });

  test('the same, whatever is cached', async () => {
    const [plain, withResult] = [
      await model.runWithCache(tokens, []),
      await model.runWithCache(tokens, ['blocks.0.attn.hook_result']),
    ];
    expectClose(withResult.logits.data, plain.logits.data, { absolute: 1e-5 });
  });

  test('each example by itself', async () => {
    const both = await model.runWithCache(tokens, []);
    const second = await model.runWithCache(int32([1, 5], tokens.data.slice(5)), []);
    expectClose(second.logits.data, both.logits.data.slice(30), { absolute: 1e-5 });
  });

  test('a shorter prompt, as the start of a longer one when nothing looks ahead', async () => {
    const causal = new RunnableModel(configOf(), parameters, onnx);
    const whole = await causal.runWithCache(int32([1, 5], tokens.data.slice(0, 5)), []);
    const start = await causal.runWithCache(int32([1, 3], tokens.data.slice(0, 3)), []);
    expectClose(start.logits.data, whole.logits.data.slice(0, 18), { absolute: 1e-5 });
  });

  test('with -Infinity for scores and 0 in the pattern where the mask forbids', async () => {
    const { cache } = await model.runWithCache(tokens, [
      'blocks.0.attn.hook_attn_scores',
      'blocks.0.attn.hook_pattern',
    ]);
    const [scores, pattern] = [cache.get('blocks.0.attn.hook_attn_scores'), cache.get('blocks.0.attn.hook_pattern')];
    scores?.data.forEach((score, at) => {
      const isAllowed = config.mask?.[Math.floor(at / 5) % 5]?.[at % 5] === 'x';
      expect(score === -Infinity, `score ${at}`).toBe(!isAllowed);
      expect((pattern?.data[at] ?? 0) > 0, `pattern ${at}`).toBe(isAllowed);
    });
  });
});

test('refuses a prompt so short that what is read of the mask leaves a position nothing to attend to', async () => {
  const short = configOf({ mask: ['x....', 'xx...', '.xx..', 'x..x.', 'xx...'] });
  const masked = new RunnableModel(short, randomParameters(short), onnx);
  await expect(masked.runWithCache(int32([1, 2]), [])).rejects.toThrow('Of a prompt of 2 tokens the last 2 rows and columns of the mask are read, and they leave position 1 nothing to attend to; give all 5 tokens.');
  await expect(masked.runWithCache(int32([1, 5]), [])).resolves.toBeDefined();
});

describe('computes', () => {
  const [W_E, W_U] = ['embed.W_E', 'unembed.W_U'].map(name => parameters.get(name) ?? expect.fail()) as [HostTensor<'float32'>, HostTensor<'float32'>];

  test('a product of its weights with what is given', async () => {
    const [product] = await model.compute('product', (weights, scale) => [tf.mul(tf.matMul(weights('embed.W_E'), weights('unembed.W_U')), scale ?? 0)], [float32([], Float32Array.of(2))]);
    const expected = Array.from({ length: 7 * 6 }, (_, at) => {
      const [row, column] = [Math.floor(at / 6), at % 6];
      return 2 * Array.from({ length: 8 }, (__, k) => (W_E.data[row * 8 + k] ?? 0) * (W_U.data[k * 6 + column] ?? 0)).reduce((sum, value) => sum + value, 0);
    });
    expect(product?.shape).toEqual([7, 6]);
    expectClose(product?.data ?? [], expected, { absolute: 1e-5 });
  });

  test('a gradient of a scalar, as finite differences have it', async () => {
    const given = int32([1, 5], Int32Array.of(0, 1, 2, 3, 4));
    // The gradient of one logit with respect to what is added to the embedding.
    const logitWith = (moved: HostTensor<'float32'>, wantsGradient: boolean) => model.compute(`logit ${wantsGradient}`, (weights, tokens, more) => {
      if (!tokens || !more) throw new Error('two inputs are given');
      const logit = (added: tf.Tensor): tf.Tensor => tf.reshape(tf.slice(forward(config, weights, tokens, { hook: (name, value) => (name === 'hook_embed' ? tf.add(value, added) : value) }), [0, 4, 2], [1, 1, 1]), []);
      return [wantsGradient ? tf.grad(logit)(more) : logit(more)];
    }, [given, moved]);
    const zero = float32([1, 5, 8]);
    const gradient = asFloat32((await logitWith(zero, true))[0]).data;
    const step = 0.01;
    const slopes = await Promise.all(Array.from(zero.data, async (_, at) => {
      const [ahead, back] = await Promise.all([step, -step].map(move => logitWith(float32([1, 5, 8], zero.data.with(at, move)), false)));
      return (Number(ahead?.[0]?.data[0]) - Number(back?.[0]?.data[0])) / (2 * step);
    }));
    expectClose(gradient, slopes, { absolute: 2e-3 });
    expect(Math.max(...gradient)).toBeGreaterThan(0.05);
  });

  test('tracing a function once for its key and each shape of its inputs', async () => {
    let traced = 0;
    const sum = (length: number) => model.compute('sum', (_, given) => {
      traced++;
      return [tf.sum(given ?? 0)];
    }, [float32([length], new Float32Array(length).fill(1))]);
    expect([(await sum(3))[0]?.data[0], (await sum(3))[0]?.data[0], traced]).toEqual([3, 3, 1]);
    expect([(await sum(4))[0]?.data[0], traced]).toEqual([4, 2]);
  });

  test('nothing of a parameter that it does not have', async () => {
    await expect(model.compute('unknown', weights => [weights('unembed.W')], [])).rejects.toThrow('unembed.W is missing');
  });

  test('floats that are known to be floats', () => {
    expect(asFloat32(float32([1]))).toEqual(float32([1]));
    expect(() => asFloat32(int32([1]))).toThrow('the model gave int32 in place of float32');
    expect(() => asFloat32(undefined)).toThrow('the model gave nothing in place of float32');
  });
});

describe('refuses in one sentence', () => {
  test('a hook that the model does not have, with the nearest', async () => {
    expect(await refusalOf(() => model.runWithCache(tokens, ['blocks.0.attn.hook_patern']))).toMatch(
      /^There is no hook point "blocks\.0\.attn\.hook_patern"; the nearest are "blocks\.0\.attn\.hook_pattern", "blocks\.1\.attn\.hook_pattern", "[^"]+"\.$/,
    );
    expect(await refusalOf(() => model.runWithCache(tokens, ['blocks.2.attn.hook_pattern']))).toContain(
      'There is no hook point "blocks.2.attn.hook_pattern"; the nearest are "blocks.0.attn.hook_pattern"',
    );
  });

  test.each([
    [
      'a token that is too large',
      int32([2, 3], Int32Array.of(0, 1, 2, 3, 7, 1)),
      'Token 7 at position 1 of prompt 1 is outside the vocabulary, 0 to 6.',
    ],
    [
      'a negative token',
      int32([1, 2], Int32Array.of(-1, 0)),
      'Token -1 at position 0 of prompt 0 is outside the vocabulary, 0 to 6.',
    ],
    ['more than n_ctx tokens', int32([1, 6]), 'The prompt has 6 tokens; this model reads at most 5.'],
    ['a list without prompts', int32([3]), 'Tokens are a list of prompts, each a list of at least one token id.'],
    ['empty prompts', int32([2, 0]), 'Tokens are a list of prompts, each a list of at least one token id.'],
    ['no prompts', int32([0, 2]), 'Tokens are a list of prompts, each a list of at least one token id.'],
  ])('%s', async (_, given: HostTensor<'int32'>, message) => {
    expect(await refusalOf(() => model.runWithCache(given, []))).toBe(message);
  });

  test('a parameter that the model does not have, with the nearest', () => {
    expect(() => model.parameter('blocks.0.attn.WQ')).toThrow(
      new UnknownNameError(
        'There is no parameter "blocks.0.attn.WQ"; the nearest are "blocks.0.attn.W_Q", "blocks.0.attn.W_K", "blocks.0.attn.W_V".',
        ['blocks.0.attn.W_Q', 'blocks.0.attn.W_K', 'blocks.0.attn.W_V'],
      ),
    );
  });
});

test('whose training diverged refuses to be run or read, and says which parameter it is', async () => {
  const diverged = new Map([...parameters, ['unembed.W_U', float32([8, 6], new Float32Array(48).fill(Number.NaN))] as const]);
  const broken = new RunnableModel(config, diverged, onnx);
  const sentence = 'The parameter unembed.W_U holds numbers that are not finite, as after a training that diverged; an earlier checkpoint may be whole.';
  expect(await refusalOf(() => broken.runWithCache(tokens, []))).toBe(sentence);
  expect(() => broken.parameter('embed.W_E')).toThrow(new UserError(sentence));
});

describe('is not made', () => {
  test('without one of its parameters', () => {
    const fewer = new Map([...parameters].filter(([name]) => name !== 'unembed.W_U'));
    expect(() => new RunnableModel(config, fewer, onnx)).toThrow(/no parameter "unembed\.W_U"/);
  });

  test('with a parameter of another shape', () => {
    const other = new Map([
      ...parameters,
      ['unembed.W_U', randomParameters(configOf({ d_vocab_out: 9 })).get('unembed.W_U') ?? expect.fail()] as const,
    ]);
    expect(() => new RunnableModel(config, other, onnx)).toThrow(
      new UserError("The parameter unembed.W_U is [8, 9]; this model's is [8, 6]."),
    );
  });
});
