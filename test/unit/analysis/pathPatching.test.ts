import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { patchPaths, senderName, sendersBefore, type PathRow, type Receiver, type Sender } from '../../../src/analysis/patching/patchedPaths';
import type { PromptPair } from '../../../src/analysis/pairs';
import { pathPatching } from '../../../src/analysis/pathPatching';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { float32, int32, type HostTensor } from '../../../src/common/tensor';
import type { RunnableModel } from '../../../src/model/runnable';
import { forward } from '../../../src/model/transformer';
import type { ModelConfig } from '../../../src/protocol/config';
import type { BarsFigure, HeatmapFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { configOf } from '../../support/models';
import { activationsOf, metricOf, noWork, randomModel, smallPairs, togetherOf } from '../../support/patching';

const [pair, another] = smallPairs as readonly [PromptPair, PromptPair];
const models: readonly (readonly [string, ModelConfig])[] = [
  ['LN and an MLP', configOf({ n_layers: 3, normalization_type: 'LN', act_fn: 'gelu' })],
  ['no norm, shortformer, attention only', configOf({ n_layers: 3, attn_only: true, positional_embedding_type: 'shortformer' })],
  ['rotary positions and RMS', configOf({ normalization_type: 'RMS', positional_embedding_type: 'rotary' })],
  ['attention both ways, no norm', configOf({ attention_dir: 'bidirectional', biases: false })],
];

/** What a sender writes more in the clean run than in the corrupted one, at the row's positions: `[1, T, D]`. */
async function moreOf(model: RunnableModel, { clean, corrupted }: PromptPair, { sender, position }: PathRow): Promise<HostTensor<'float32'>> {
  const { layer, head } = sender.kind === 'embedding' ? { layer: 0, head: undefined } : sender.component;
  const hook = sender.kind === 'embedding' ? 'hook_embed' : head === undefined ? `blocks.${layer}.hook_mlp_out` : `blocks.${layer}.attn.hook_result`;
  const [from, to] = [(await activationsOf(model, corrupted, [hook]))(hook), (await activationsOf(model, clean, [hook]))(hook)];
  const [T, D, H] = [clean.length, model.config.d_model, model.config.n_heads];
  const more = float32([1, T, D]);
  more.data.forEach((_, at) => {
    const [place, index] = [Math.floor(at / D), at % D];
    const source = head === undefined ? at : (place * H + head) * D + index;
    if ((position ?? place) === place) more.data[at] = (to.data[source] ?? Number.NaN) - (from.data[source] ?? Number.NaN);
  });
  return more;
}

/**
 * The plain way to patch a direct path: what the sender writes more is added to the one reader's copy of the corrupted run's
 * residual stream, which nothing else sees.
 */
async function sharesOneByOne(model: RunnableModel, pair: PromptPair, receiver: Receiver | undefined, rows: readonly PathRow[]): Promise<number[]> {
  const { n_layers, n_heads: H, d_model: D } = model.config;
  const [high, low] = [await metricOf(model, pair.clean, pair), await metricOf(model, pair.corrupted, pair)];
  const shares: number[] = [];
  for (const row of rows) {
    const more = await moreOf(model, pair, row);
    const added = new Map<string, HostTensor<'float32'>>();
    if (!receiver) {
      added.set(`blocks.${n_layers - 1}.hook_resid_post`, more);
    } else {
      const copies = float32([1, pair.clean.length, H, D]); // the receiver's alone
      more.data.forEach((value, at) => (copies.data[(Math.floor(at / D) * H + receiver.head.head) * D + (at % D)] = value));
      added.set(`blocks.${receiver.head.layer}.hook_${receiver.input}_input`, copies);
    }
    shares.push(((await metricOf(model, pair.corrupted, pair, added, true)) - low) / (high - low));
  }
  return shares;
}

function rowsTo(config: ModelConfig, receiver: Receiver | undefined): readonly PathRow[] {
  return sendersBefore(config, receiver).flatMap((sender): PathRow[] => [{ sender }, ...[0, 1, 2, 3, 4].map(position => ({ sender, position }))]);
}

describe.each(models)('the direct paths of a model with %s', (_, config) => {
  const model = randomModel(config);
  const head = { layer: config.n_layers - 1, head: 1 };

  test.each([
    ['queries', { head, input: 'q' }],
    ['keys', { head, input: 'k' }],
    ['values', { head, input: 'v' }],
    ['keys of a head of layer 0', { head: { layer: 0, head: 2 }, input: 'k' }],
    ['logits', undefined],
  ] as const)("to a head's %s are what adding to that copy of the stream gives, one after another", async (_, receiver) => {
    const rows = rowsTo(config, receiver);
    const { recovered } = await patchPaths(model, [pair], { receiver, throughMlps: false, rows }, noWork);
    expectClose(recovered, await sharesOneByOne(model, pair, receiver, rows), { absolute: 1e-4, relative: 1e-4 });
    expect(recovered.some(share => Math.abs(share) > 0.001)).toBe(true);
  });

  test('in several passes and over several pairs count each by what lies between its runs', async () => {
    const receiver: Receiver = { head, input: 'v' };
    const rows = rowsTo(config, receiver);
    const paths = { receiver, throughMlps: false, rows };
    const [one, other] = [await patchPaths(model, [pair], paths, noWork), await patchPaths(model, [another], paths, noWork)];
    const { recovered } = await patchPaths(model, [pair, another], paths, noWork, 3000);
    expectClose(recovered, await togetherOf(model, [pair, another], [one.recovered, other.recovered]), { absolute: 1e-4, relative: 1e-4 });
  });
});

describe('paths through MLPs', () => {
  const model = randomModel(configOf({ n_layers: 3, normalization_type: 'LN', act_fn: 'gelu' }));
  const embedding: PathRow = { sender: { kind: 'embedding' } };

  test('let the MLPs between the two compute again, and hold every head', async () => {
    const receiver: Receiver = { head: { layer: 2, head: 0 }, input: 'k' };
    const rows = rowsTo(model.config, receiver).filter(({ position }) => position === undefined);
    const { recovered } = await patchPaths(model, [pair], { receiver, throughMlps: true, rows }, noWork);
    const [high, low] = [await metricOf(model, pair.clean, pair), await metricOf(model, pair.corrupted, pair)];
    for (const [index, row] of rows.entries()) {
      // The stream at the receiver with the heads before it held: by taking back what they write otherwise.
      const more = await heldStream(model, pair, row, receiver.head.layer);
      const copies = float32([1, 5, 3, 8]);
      more.data.forEach((value, at) => (copies.data[Math.floor(at / 8) * 24 + (at % 8)] = value));
      const share = (await metricOf(model, pair.corrupted, pair, new Map([['blocks.2.hook_k_input', copies]]), true) - low) / (high - low);
      expectClose([recovered[index] ?? Number.NaN], [share], { absolute: 1e-4 }, senderName(row.sender));
    }
  });

  test('differ from the direct ones', async () => {
    const receiver: Receiver = { head: { layer: 2, head: 0 }, input: 'v' };
    const [direct, through] = [
      await patchPaths(model, [pair], { receiver, throughMlps: false, rows: [embedding] }, noWork),
      await patchPaths(model, [pair], { receiver, throughMlps: true, rows: [embedding] }, noWork),
    ];
    expect(Math.abs((direct.recovered[0] ?? 0) - (through.recovered[0] ?? 0))).toBeGreaterThan(0.001);
  });
});

/** What the residual stream before a layer holds more than the corrupted run's, when heads stay as they are there: `[1, T, D]`. */
async function heldStream(model: RunnableModel, pair: PromptPair, row: PathRow, layer: number): Promise<HostTensor<'float32'>> {
  const attention = Array.from({ length: model.config.n_layers }, (_, at) => `blocks.${at}.hook_attn_out`);
  const before = `blocks.${layer}.hook_resid_pre`;
  const corrupted = await activationsOf(model, pair.corrupted, [...attention, before]);
  const more = await moreOf(model, pair, row);
  const place = row.sender.kind === 'embedding' ? 'hook_embed'
    : `blocks.${row.sender.component.layer}.${row.sender.component.head === undefined ? 'hook_mlp_out' : 'hook_attn_out'}`;
  const inputs = [...attention.map(corrupted), more];
  const [stream] = await model.compute(`held ${before} ${place}`, (weights, tokens, ...values) => {
    const seen: Tensor[] = [];
    forward(model.config, weights, tokens ?? tf.zeros([1, 1]), {
      hook: (name, value) => {
        if (name === before) seen.push(value);
        const held = values[attention.indexOf(name)] ?? value;
        return name === place ? tf.add(held, values.at(-1) ?? held) : held;
      },
    });
    return seen;
  }, [int32([1, 5], Int32Array.from(pair.corrupted)), ...inputs]);
  return float32([1, 5, 8], Float32Array.from(stream?.data ?? [], (value, at) => value - (corrupted(before).data[at] ?? 0)));
}

describe('the analysis', () => {
  const experiment = prepared({
    task: { name: 'array-update', length: 2, numbers: 6, modulus: undefined, trainFraction: undefined },
    model: { n_layers: 2, n_heads: 3 },
    training: { batch: 8 },
  });
  const run = (params: Readonly<Record<string, unknown>>) => runAnalysis(pathPatching, contextOf(experiment), params);

  test('draws a bar for each sender and, by position, a row', async () => {
    const { figures, scalars } = await run({ receiver: '1.0', input: 'keys', pairs: 2 });
    const [bars, heatmap] = figures as readonly [BarsFigure, HeatmapFigure];
    expect(bars.x.labels).toEqual(['Embedding', 'L0H0', 'L0H1', 'L0H2', 'MLP 0']);
    expect(bars.x.subjects).toEqual([{}, { layer: 0, head: 0 }, { layer: 0, head: 1 }, { layer: 0, head: 2 }, { layer: 0 }]);
    expect([heatmap.y.labels, heatmap.rows, heatmap.columns]).toEqual([bars.x.labels, 5, experiment.config.n_ctx]);
    expect(bars.title).toBe('To the keys of L1H0');
    expect(scalars['largest']).toBeCloseTo(Math.max(...(bars.series[0]?.values ?? [])), 6);
    expect(scalars['largestAtPosition']).toBeCloseTo(Math.max(...heatmap.values), 6);
  });

  test('of a sender alone is its row among all, without positions where they are not asked for', async () => {
    const [all, one] = [await run({ receiver: '1.2', input: 'values', pairs: 2 }), await run({ receiver: '1.2', input: 'values', pairs: 2, senders: 'mlp 0', byPosition: false })];
    const [bars, alone] = [all.figures[0], one.figures[0]] as readonly [BarsFigure, BarsFigure];
    expect(one.figures).toHaveLength(1);
    expectClose([...(alone.series[0]?.values ?? [])], [bars.series[0]?.values[4] ?? Number.NaN], { absolute: 1e-4 });
  });

  test('of the logits of a model of one layer has all of it before them', async () => {
    const { figures } = await runAnalysis(pathPatching, contextOf(prepared()), {});
    expect((figures[0] as BarsFigure).x.labels).toEqual(['Embedding', 'L0H0', 'L0H1', 'MLP 0']);
  });

  test.each([
    ['the receiver', '1.0', '1.0', 'L1H0'],
    ['a head beside it', '1.0', '1.2', 'L1H2'],
    ['an MLP behind it', '0.1', 'mlp 0', 'MLP 0'],
  ])('refuses %s as its sender', async (_, receiver, senders, name) => {
    const refused = run({ receiver, senders });
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(new RegExp(`^${name} does not come before L${receiver.replace('.', 'H')}, .* leave the senders empty for all that do: Embedding`));
  });

  test('names the nearest for heads that are not there', async () => {
    await expect(run({ receiver: '2.0' })).rejects.toThrow(/^There is no head "L2H0"/);
    await expect(run({ receiver: '1.0', senders: '0.7' })).rejects.toThrow(/^There is no head or MLP "L0H7"/);
  });
});

test('every component comes before the logits, and those of lower layers before a head', () => {
  const config = configOf();
  const names = (senders: readonly Sender[]) => senders.map(senderName);
  expect(names(sendersBefore(config, undefined))).toEqual(['Embedding', 'L0H0', 'L0H1', 'L0H2', 'MLP 0', 'L1H0', 'L1H1', 'L1H2', 'MLP 1']);
  expect(names(sendersBefore(config, { head: { layer: 1, head: 0 }, input: 'q' }))).toEqual(['Embedding', 'L0H0', 'L0H1', 'L0H2', 'MLP 0']);
  expect(names(sendersBefore(config, { head: { layer: 0, head: 0 }, input: 'q' }))).toEqual(['Embedding']);
});
