import { describe, expect, test } from 'vitest';
import { attributeComponents } from '../../../src/analysis/attribution/attribution';
import { contrastInputs } from '../../../src/analysis/attribution/logitContrast';
import { ablation } from '../../../src/analysis/ablation';
import { activationPatching } from '../../../src/analysis/activationPatching';
import { attention } from '../../../src/analysis/attention';
import { directLogitAttribution } from '../../../src/analysis/directLogitAttribution';
import { logitLens } from '../../../src/analysis/logitLens';
import { promptPairs } from '../../../src/analysis/pairs';
import { patchPaths, type PathRow } from '../../../src/analysis/patching/patchedPaths';
import { analyses } from '../../../src/analysis/registry';
import { runAnalysis } from '../../../src/analysis/run';
import { wordEmbeddings } from '../../../src/analysis/weights/weights';
import { UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import { float32, int32, type HostTensor } from '../../../src/common/tensor';
import { asFloat32 } from '../../../src/model/runnable';
import { forward } from '../../../src/model/transformer';
import type { AttentionFigure, LinesFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { noWork } from '../../support/patching';

/** Encoders for shortest paths: pairs of tokens, padding, norms after the sublayers, and a number for an answer. */
const shapes = {
  "the study's encoder": { normalization_type: 'LN', positional_embedding_type: 'none' },
  'one with positions and norms without weights': { normalization_type: 'RMSPre', positional_embedding_type: 'standard' },
  'attention alone': { normalization_type: 'LN', attn_only: true, d_mlp: undefined },
} as const;

const encoder = (model: object) =>
  prepared({
    task: { name: 'shortest-paths', vertices: 5, largest: 5, modulus: undefined, trainFraction: undefined },
    model: { n_layers: 3, attention_dir: 'bidirectional', normalization_position: 'after', ...model },
    training: { batch: 16, evaluationExamples: 64 },
  });
const study = () => contextOf(encoder(shapes["the study's encoder"]));

/** Rows of training, as the loop writes them. */
const metrics = [1, 2, 3].map(step => ({ step, seconds: step, trainLoss: 4 / step, testLoss: 5 / step, testAccuracy: 0.2 * step }));

describe.each(Object.entries(shapes))('of %s', (_, shape) => {
  const experiment = encoder(shape);
  const context = () => contextOf(experiment, { metrics, checkpoints: [1, 2, 3] });
  const applicable = analyses.filter(analysis => analysis.appliesTo(context().details));

  test.each(applicable.map(analysis => [analysis.id, analysis] as const))('%s gives figures of finite numbers', async (_, analysis) => {
    const { figures, scalars } = await runAnalysis(analysis, context(), {});
    expect(figures.length).toBeGreaterThan(0);
    expect(Object.keys(scalars).length).toBeGreaterThan(0);
  });
});

test('what does not apply to an encoder says what it needs', () => {
  const idle = analyses.filter(analysis => !analysis.appliesTo(study().details));
  expect(idle.map(({ id }) => id)).toEqual(expect.arrayContaining(['edge-attribution', 'attention-leak', 'position-similarity', 'fourier-embedding', 'permutation-invariance', 'qk-by-value']));
  for (const { id, needs } of idle) expect(needs, id).toBeDefined();
});

/** What the model predicts of some examples, and the right numbers. */
async function predictionsOf({ model, task }: ReturnType<typeof study>, count: number) {
  const { tokens, labels } = task.sample(new Random(1, 'predictions'), count);
  const T = tokens.shape[1] ?? 0;
  const { logits } = await model.runWithCache(tokens, []);
  return { tokens, labels, predicted: Array.from({ length: count }, (_, row) => logits.data[(row + 1) * T - 1] ?? Number.NaN) };
}

describe('attribution to the scalar', () => {
  test.each(Object.values(shapes))('gives each head and MLP what the prediction loses without it, all else held, norms\' scales too: %o', async shape => {
    const { model, task, details: { config } } = contextOf(encoder(shape));
    const { tokens, labels, predicted } = await predictionsOf({ ...study(), model, task }, 3);
    const [B = 0, T = 0] = tokens.shape;
    const { terms, values, total } = await attributeComponents(model, task, tokens, contrastInputs(task, labels, [0], { against: 'nothing', word: '' }));
    expectClose(total, predicted.map(value => value - (model.parameter('unembed.b_U').data[0] ?? 0)), { absolute: 1e-5 });

    const layers = Array.from({ length: config.n_layers }, (_, layer) => `blocks.${layer}`);
    const norms = config.attn_only ? ['ln1'] : ['ln1', 'ln2'];
    const held = layers.flatMap(at => [`${at}.hook_attn_out`, ...(config.attn_only ? [] : [`${at}.hook_mlp_out`]), ...norms.map(norm => `${at}.${norm}.hook_scale`)]);
    const { cache } = await model.runWithCache(tokens, [...held, ...layers.map(at => `${at}.attn.hook_result`)]);
    const valueOf = (hook: string) => cache.get(hook) ?? expect.fail(hook);
    for (const [index, { name, subject }] of terms.entries()) {
      const { layer, head } = subject ?? {};
      if (layer === undefined || !/^(L|MLP)/.test(name)) continue;
      const [changed, D] = [`blocks.${layer}.${head === undefined ? 'hook_mlp_out' : 'hook_attn_out'}`, config.d_model];
      const results = head === undefined ? valueOf(changed) : valueOf(`blocks.${layer}.attn.hook_result`);
      const rows = results.data.length / (B * T * D);
      const part = (at: number) => results.data[(Math.floor(at / D) * rows + (head ?? 0)) * D + (at % D)] ?? Number.NaN;
      const given = held.map((hook): HostTensor => hook === changed ? float32(valueOf(hook).shape, valueOf(hook).data.map((value, at) => value - part(at))) : valueOf(hook));
      const [logits] = await model.compute('all held', (weights, tokens, ...values) => [
        forward(config, weights, tokens ?? expect.fail(), { hook: (hook, value) => values[held.indexOf(hook)] ?? value }),
      ], [tokens, ...given]);
      const lost = predicted.map((value, row) => value - Number(logits?.data[(row + 1) * T - 1]));
      expectClose(values.subarray(index * B, (index + 1) * B), lost, { absolute: 2e-5 }, name);
    }
  });

  test('names the norms in the stream, and measures the predicted number', async () => {
    const { figures } = await runAnalysis(directLogitAttribution, study(), { examples: 8 });
    expect(figures[0]).toMatchObject({ kind: 'bars', y: { title: 'Predicted number' }, caption: expect.stringContaining('in the predicted number, b_U aside') as string });
    expect(figures[0]).toMatchObject({ x: { labels: expect.arrayContaining(['ln1 b 0', 'ln2 b 2']) as string[] } });
  });

  test.each(['mean output', 'largest wrong output', 'word'])('compares it with no other output: %s', async against => {
    await expect(runAnalysis(directLogitAttribution, study(), { against, word: 'distance' })).rejects.toThrow(
      new UserError(`This model predicts a number, which has no other outputs to be compared with; choose "nothing" in place of "${against}".`),
    );
  });
});

test('the logit lens ends with the mean prediction and its squared error, beside the truth', async () => {
  const context = study();
  const { figures: [lens, errors], scalars } = await runAnalysis(logitLens, context, { examples: 32 });
  const [predicted, right] = (lens as LinesFigure).series;
  expect(predicted?.y.at(-1)).toBe(scalars['final']);
  expect(right?.name).toBe('target: right');
  expect(right?.y[0]).toBeGreaterThanOrEqual(1);
  expect((errors as LinesFigure).series[0]?.y.at(-1)).toBe(scalars['finalError']);
  // At layer 0 the target's own embedding is read: so few targets, so few predictions.
  const first = await runAnalysis(logitLens, context, { prompt: '1-3 2-3 1-2 0-0 0-0 2-TARGET' });
  const [embedding, W_U, b_U] = [wordEmbeddings(context.model), context.model.parameter('unembed.W_U').data, context.model.parameter('unembed.b_U').data];
  const D = W_U.length;
  const row = embedding.data.subarray((2 * 7 + 6) * D, (2 * 7 + 7) * D);
  const expected = row.reduce((sum, value, at) => sum + value * (W_U[at] ?? 0), b_U[0] ?? 0);
  expectClose([(first.figures[0] as LinesFigure).series[0]?.y[0] ?? Number.NaN], [expected], { absolute: 1e-5 });
  const last = (first.figures[0] as LinesFigure).series[0]?.y.at(-1) ?? Number.NaN;
  expectClose([first.scalars['finalError'] ?? Number.NaN], [(last - 1) ** 2], { relative: 1e-5 });
});

describe('patching measures the predicted number', () => {
  const [clean, corrupted] = ['1-3 2-3 1-4 0-0 0-0 2-TARGET', '1-3 2-4 1-3 0-0 0-0 2-TARGET'];

  test('of the clean and of the corrupted run', async () => {
    const context = study();
    const { scalars } = await runAnalysis(activationPatching, context, { clean, corrupted: '1-3 2-4 3-4 0-0 0-0 2-TARGET', patch: 'residual stream' });
    const tokens = int32([2, 6], Int32Array.of(10, 17, 11, 0, 0, 20, 10, 18, 25, 0, 0, 20));
    const { logits } = await context.model.runWithCache(tokens, []);
    expectClose([scalars['cleanDifference'] ?? 0, scalars['corruptedDifference'] ?? 0], [logits.data[5] ?? 0, logits.data[11] ?? 0], { absolute: 1e-5 });
  });

  test('of prompts that fill the same positions', async () => {
    await expect(runAnalysis(activationPatching, study(), { clean, corrupted: '1-3 2-4 3-4 1-4 0-0 2-TARGET' })).rejects.toThrow(/leave different positions empty/);
    await expect(runAnalysis(activationPatching, study(), { clean: corrupted, corrupted: '1-3 2-4 1-3 0-0 0-0 3-TARGET' })).resolves.toBeDefined();
  });

  test('along a path of the stream, through its norms, one after another', async () => {
    const context = study();
    const { model, details: { config } } = context;
    const pairs = promptPairs(context, { clean, corrupted: '1-3 2-4 3-4 0-0 0-0 2-TARGET', corruption: '', pairs: 1, sample: 0, answer: 0 });
    const rows: readonly PathRow[] = [
      { sender: { kind: 'embedding' } }, { sender: { kind: 'component', component: { layer: 0, head: 1 } } },
      { sender: { kind: 'component', component: { layer: 1, head: undefined } }, position: 5 },
    ];
    const { recovered } = await patchPaths(model, pairs, { receiver: undefined, throughMlps: false, rows }, noWork);
    const [pair] = pairs;
    const both = int32([2, 6], Int32Array.from([...pair?.clean ?? [], ...pair?.corrupted ?? []]));
    const written = ['hook_embed', ...[0, 1, 2].flatMap(layer => [`blocks.${layer}.hook_attn_out`, `blocks.${layer}.hook_mlp_out`])];
    const { logits, cache } = await model.runWithCache(both, [...written, 'blocks.0.attn.hook_result']);
    const [high = 0, low = 0] = [logits.data[5], logits.data[11]];
    const D = config.d_model;
    for (const [index, hook] of ['hook_embed', 'blocks.0.hook_attn_out', 'blocks.1.hook_mlp_out'].entries()) {
      const given = written.map(name => {
        const { data } = cache.get(name) ?? expect.fail(name);
        const held = float32([1, 6, D], data.slice(6 * D));
        if (name !== hook) return held;
        const results = index === 1 ? cache.get('blocks.0.attn.hook_result')?.data ?? data : data;
        const at = (run: number, place: number) => index === 1 ? ((run * 6 + Math.floor(place / D)) * 2 + 1) * D + (place % D) : run * 6 * D + place;
        held.data.forEach((value, place) => {
          if (index < 2 || Math.floor(place / D) === 5) held.data[place] = value + (results[at(0, place)] ?? 0) - (results[at(1, place)] ?? 0);
        });
        return held;
      });
      const [output] = await model.compute('held', (weights, tokens, ...values) => [
        forward(config, weights, tokens ?? expect.fail(), { hook: (name, value) => values[written.indexOf(name)] ?? value }),
      ], [int32([1, 6], both.data.slice(6)), ...given]);
      expectClose([recovered[index] ?? Number.NaN], [(asFloat32(output).data[5] ?? 0) / (high - low) - low / (high - low)], { absolute: 1e-4, relative: 1e-4 }, hook);
    }
  });
});

test('ablation measures squared errors and rounded answers', async () => {
  const context = study();
  const { scalars, figures } = await runAnalysis(ablation, context, { examples: 16, components: '2.0', method: 'zero' });
  expect(figures.map(({ kind, ...rest }) => [kind, 'y' in rest ? rest.y : undefined])).toEqual([['bars', { title: 'Mean squared error' }], ['bars', { title: 'Fraction right when rounded' }]]);
  expect(scalars['lossBefore']).toBeGreaterThan(0);
  expect((scalars['loss'] ?? 0) - (scalars['lossBefore'] ?? 0)).toBeCloseTo(scalars['lossIncrease'] ?? Number.NaN, 10);
});

test('attention is averaged over the positions that hold something', async () => {
  const context = study();
  const prompt = '1-3 2-3 1-4 0-0 0-0 2-TARGET';
  const { figures: [figure], scalars } = await runAnalysis(attention, context, { prompt });
  const { heads } = figure as AttentionFigure;
  const rows = heads.flatMap(({ pattern }) => [0, 1, 2, 5].map(row => pattern.subarray(6 * row, 6 * row + 6)));
  for (const row of rows) expect([row[3], row[4]]).toEqual([0, 0]); // nobody attends to what holds nothing
  expect(scalars['largest']).toBeCloseTo(rows.reduce((sum, row) => sum + Math.max(...row), 0) / rows.length, 5);
});

test('the embedding of a word is that of its two parts', async () => {
  const { model, task } = study();
  const tokens = int32([1, 3], Int32Array.of(10, 17, 20));
  const { cache } = await model.runWithCache(tokens, ['hook_embed']);
  const { shape, data } = wordEmbeddings(model);
  const D = shape[1] ?? 0;
  expect(shape[0]).toBe(task.vocabulary.length);
  expect([...tokens.data].flatMap(token => [...data.subarray(token * D, (token + 1) * D)])).toEqual([...(cache.get('hook_embed')?.data ?? [])]);
});
