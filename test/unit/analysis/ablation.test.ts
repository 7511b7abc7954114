import { describe, expect, test } from 'vitest';
import { ablation } from '../../../src/analysis/ablation';
import { ablatedRuns, ablationMethods } from '../../../src/analysis/patching/ablatedRuns';
import { rowsAtOnce } from '../../../src/analysis/patching/patchingPasses';
import { allComponents, componentName, type Component } from '../../../src/analysis/heads';
import type { AnalysisContext } from '../../../src/analysis/define';
import { runAnalysis } from '../../../src/analysis/run';
import { CancelledError, UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import type { HostTensor } from '../../../src/common/tensor';
import { RunnableModel } from '../../../src/model/runnable';
import type { BarsFigure } from '../../../src/protocol/figure';
import { expectClose, expectCloseToScale } from '../../support/close';
import { configFromFixture, readFixture } from '../../support/fixtures';
import { onnx } from '../../support/runtimes';
import { contextOfModel } from './attributionFixtures';

const models = ['layer-norm-gelu-2-layers', 'shortformer-attention-only-2-layers', 'rms-rotary-silu-2-layers'] as const;

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(ablation, { ...context, random: new Random(0, 'analysis') }, { examples: 3, ...params });
  const [loss, accuracy] = figures as readonly BarsFigure[];
  return { loss: loss ?? expect.fail(), accuracy: accuracy ?? expect.fail(), scalars };
}

/** The fixture's model with changed weights, and its tokens. */
async function withWeights(name: string, change: (state: Map<string, HostTensor<'float32'>>) => void) {
  const { document, tensors } = await readFixture(`models/${name}`);
  const state = new Map([...tensors.group('state')].map(([key, value]) => [key, { ...value, data: value.data.slice() }]));
  change(state);
  return { model: new RunnableModel(configFromFixture(document), state, onnx), tokens: tensors.int32('tokens') };
}

/** The model that writes nothing at a component: W_O of the head, or W_out and b_out of the MLP, are zero. */
function silence({ layer, head }: Component) {
  return (state: Map<string, HostTensor<'float32'>>) => {
    const of = (key: string) => state.get(`blocks.${layer}.${key}`) ?? expect.fail(key);
    if (head === undefined) {
      of('mlp.W_out').data.fill(0);
      of('mlp.b_out').data.fill(0);
      return;
    }
    const { shape, data } = of('attn.W_O');
    const size = (shape[1] ?? 0) * (shape[2] ?? 0);
    data.fill(0, head * size, (head + 1) * size);
  };
}

/** Rows of `logits [B, T, U]` at the answer positions. */
function atAnswers({ shape, data }: HostTensor<'float32'>, positions: readonly number[]): number[] {
  const [B = 0, T = 0, U = 0] = shape;
  return Array.from({ length: B }, (_, row) => positions.flatMap(at => [...data.subarray((row * T + at) * U, (row * T + at + 1) * U)])).flat();
}

/** Cross-entropy in nats, the plain way. */
function lossOf(logits: readonly number[], right: number): number {
  return Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - (logits[right] ?? Number.NaN);
}

describe.each(models)('ablation of %s', name => {
  test('by zero is the model whose component has no output weights', async () => {
    const context = await contextOfModel(name);
    const { tokens } = context.task.sample(context.random, 3);
    const { without } = await ablatedRuns(context, tokens, 'zero');
    for (const component of allComponents(context.details.config)) {
      const edited = await withWeights(name, silence(component));
      const { logits } = await edited.model.runWithCache(tokens, []);
      const expected = atAnswers(logits, context.task.answerPositions);
      expectCloseToScale((await without([component])).data, expected, 1e-5, componentName(component));
    }
  });

  test('of several components silences them together, and of none leaves the model as it is', async () => {
    const context = await contextOfModel(name);
    const { tokens } = context.task.sample(context.random, 3);
    const both = [{ layer: 0, head: 1 }, { layer: 1, head: 2 }];
    const { whole, without } = await ablatedRuns(context, tokens, 'zero');
    const { model } = await withWeights(name, state => both.forEach(component => silence(component)(state)));
    const [edited, own] = [await model.runWithCache(tokens, []), await context.model.runWithCache(tokens, [])];
    expectCloseToScale((await without(both)).data, atAnswers(edited.logits, context.task.answerPositions), 1e-5);
    expectCloseToScale(whole.data, atAnswers(own.logits, context.task.answerPositions), 1e-6);
  });

  test('says loss and accuracy of every answer before and after', async () => {
    const context = await contextOfModel(name);
    const { tokens, labels } = context.task.sample(context.random, 3);
    const { model } = await withWeights(name, silence({ layer: 0, head: 0 }));
    const measured = async (runnable: RunnableModel) => {
      const { logits } = await runnable.runWithCache(tokens, []);
      const rows = atAnswers(logits, context.task.answerPositions);
      const U = logits.shape[2] ?? 0;
      return [0, 1].map(answer => {
        const each = [0, 1, 2].map(example => {
          const at = example * 2 + answer;
          const [row, right] = [rows.slice(at * U, (at + 1) * U), labels.data[at] ?? 0];
          return { loss: lossOf(row, right), right: Number(row.indexOf(Math.max(...row)) === right) };
        });
        return { loss: each.reduce((sum, { loss }) => sum + loss, 0) / 3, accuracy: each.reduce((sum, { right }) => sum + right, 0) / 3 };
      });
    };
    const [before, after] = [await measured(context.model), await measured(model)];
    const { loss, accuracy, scalars } = await run(context, { components: '0.0', method: 'zero' });
    const expected = [before, after];
    loss.series.forEach(({ values }, at) => expectClose(values, expected[at]?.map(each => each.loss) ?? [], { absolute: 1e-5 }));
    accuracy.series.forEach(({ values }, at) => expectClose(values, expected[at]?.map(each => each.accuracy) ?? [], { absolute: 1e-12 }));
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(scalars['lossBefore']).toBeCloseTo(mean(before.map(each => each.loss)), 5);
    expect(scalars['loss']).toBeCloseTo(mean(after.map(each => each.loss)), 5);
    expect(scalars['lossIncrease']).toBeCloseTo(mean(after.map(each => each.loss)) - mean(before.map(each => each.loss)), 5);
    expect(scalars['accuracy']).toBeCloseTo(mean(after.map(each => each.accuracy)), 12);
  });

  test('of each component alone agrees with each chosen alone, and reports the costliest', async () => {
    const context = await contextOfModel(name);
    const all = await run(context, { method: 'resample' });
    const costs: number[] = [];
    for (const [at, component] of allComponents(context.details.config).entries()) {
      const one = await run(context, { method: 'resample', components: componentName(component) });
      const [whole, rest] = one.loss.series;
      const increases = [...(rest?.values ?? [])].map((value, answer) => value - (whole?.values[answer] ?? Number.NaN));
      expect(all.loss.x.labels[at]).toBe(componentName(component));
      expectClose(all.loss.series.map(({ values }) => values[at] ?? Number.NaN), increases, { absolute: 1e-9 });
      costs.push(one.scalars['lossIncrease'] ?? Number.NaN);
    }
    expect(all.scalars['lossIncrease']).toBeCloseTo(Math.max(...costs), 9);
  });
});

describe('ablation puts back', () => {
  // In the last layer nothing comes after but the norm and the unembedding, so that the logits tell what was put back.
  const name = 'shortformer-attention-only-2-layers';
  const head = { layer: 1, head: 1 };

  async function logitsOf(method: Parameters<typeof ablatedRuns>[2]) {
    const context = await contextOfModel(name);
    const { tokens } = context.task.sample(context.random, 3);
    const { whole, without } = await ablatedRuns({ ...context, random: new Random(0, 'ablation') }, tokens, method);
    const replaced = await without([head]);
    const silenced = await (await ablatedRuns(context, tokens, 'zero')).without([head]);
    const size = whole.data.length / 3;
    const rows = (data: Float32Array) => [0, 1, 2].map(row => data.subarray(row * size, (row + 1) * size));
    /** What the head adds to the logits of each example, as it is and with the replacement. */
    const adds = (data: Float32Array) => rows(data).map((row, at) => row.map((logit, index) => logit - (rows(silenced.data)[at]?.[index] ?? Number.NaN)));
    return { own: adds(whole.data), put: adds(replaced.data) };
  }

  test('the mean over the examples at each position', async () => {
    const { own, put } = await logitsOf('mean');
    const mean = Float32Array.from(own[0] ?? [], (_, at) => own.reduce((sum, row) => sum + (row[at] ?? Number.NaN), 0) / 3);
    put.forEach(row => expectClose(row, mean, { absolute: 1e-5 }));
  });

  test('what the head writes for another example, of each example once', async () => {
    const { own, put } = await logitsOf('resample');
    const taken = put.map(row => own.findIndex(candidate => candidate.every((value, at) => Math.abs(value - (row[at] ?? Number.NaN)) < 1e-5)));
    expect([...taken].sort()).toEqual([0, 1, 2]);
    taken.forEach((from, example) => expect(from).not.toBe(example));
  });

  test('the values read with the mean pattern', async () => {
    const context = await contextOfModel(name);
    const { tokens } = context.task.sample(context.random, 3);
    const { put } = await logitsOf('mean pattern');
    const { cache } = await context.model.runWithCache(tokens, ['blocks.1.attn.hook_pattern', 'blocks.1.attn.hook_v']);
    const [pattern, values] = [cache.get('blocks.1.attn.hook_pattern'), cache.get('blocks.1.attn.hook_v')];
    const { n_heads: H, d_head: K, d_model: D, d_vocab_out: U } = context.details.config;
    const T = tokens.shape[1] ?? 0;
    const [W_O, W_U] = [context.model.parameter('blocks.1.attn.W_O').data, context.model.parameter('unembed.W_U').data];
    const expected = [0, 1, 2].map(example => context.task.answerPositions.flatMap(position => {
      const z = Array.from({ length: K }, (_, k) => Array.from({ length: T }, (__, source) => {
        const weights = [0, 1, 2].map(row => pattern?.data[((row * H + head.head) * T + position) * T + source] ?? Number.NaN);
        return (weights.reduce((sum, weight) => sum + weight, 0) / 3) * (values?.data[((example * T + source) * H + head.head) * K + k] ?? Number.NaN);
      }).reduce((sum, value) => sum + value, 0));
      const written = Array.from({ length: D }, (_, d) => z.reduce((sum, value, k) => sum + value * (W_O[(head.head * K + k) * D + d] ?? Number.NaN), 0));
      return Array.from({ length: U }, (_, u) => written.reduce((sum, value, d) => sum + value * (W_U[d * U + u] ?? Number.NaN), 0));
    }));
    put.forEach((row, example) => expectClose(row, expected[example] ?? [], { absolute: 1e-5 }));
  });
});

test.each(ablationMethods)('ablation by %s is the same a few examples at a time', async method => {
  const context = await contextOfModel('layer-norm-gelu-2-layers');
  const { tokens } = context.task.sample(context.random, 5);
  const components = [{ layer: 0, head: 1 }, { layer: 1, head: 2 }];
  const logits = async (room?: number) => {
    const { whole, without } = await ablatedRuns({ ...context, random: new Random(0, 'ablation') }, tokens, method, room);
    return [...whole.data, ...(await without(components)).data];
  };
  const { config } = context.details;
  const T = tokens.shape[1] ?? 0;
  const room = (2.5 * 1e9) / rowsAtOnce(config, T, T, 1e9); // for two examples
  expectCloseToScale(await logits(room), await logits(), 1e-6);
});

describe('ablation refuses in one sentence', () => {
  test.each([
    ['a component that is not there', { components: '0.0, mlp 2' }, /^There is no head or MLP "MLP 2"; the nearest are /],
    ['an MLP by its pattern', { components: 'mlp 1', method: 'mean pattern' }, /^MLP 1 has no attention pattern; /],
    ['the mean of one example', { examples: 1 }, /^With one example "mean" puts back what was taken out; use at least 2 examples, or "zero"\.$/],
    ['another example where there is one', { examples: 1, method: 'resample', components: '0.0' }, /^With one example "resample" puts back /],
  ])('%s', async (_, params, message) => {
    const context = await contextOfModel('layer-norm-gelu-2-layers');
    await expect(run(context, params)).rejects.toThrow(UserError);
    await expect(run(context, params)).rejects.toThrow(message);
  });

  test('an ablation that changes nothing, as of a head that writes nothing', async () => {
    const { model } = await withWeights('layer-norm-gelu-2-layers', silence({ layer: 1, head: 0 }));
    const context = { ...await contextOfModel('layer-norm-gelu-2-layers'), model };
    await expect(run(context, { components: '1.0' })).rejects.toThrow(
      /^Replacing L1H0 \(mean\) changes no logit where an answer is read; choose other components, or another method\.$/,
    );
    await expect(run(context)).resolves.toBeDefined();
  });
});

test('ablation stops between components when it is cancelled', async () => {
  const controller = new AbortController();
  const context = await contextOfModel('layer-norm-gelu-2-layers');
  const fractions: number[] = [];
  const progress = (fraction: number) => {
    fractions.push(fraction);
    if (fractions.length === 2) controller.abort();
  };
  await expect(run({ ...context, signal: controller.signal, progress })).rejects.toThrow(CancelledError);
  expect(fractions).toHaveLength(2);
});
