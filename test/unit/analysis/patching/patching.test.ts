import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { patchSites, type Site } from '../../../../src/analysis/patching/patching';
import { allSweeps, wholeHeadSweep } from '../../../../src/analysis/patching/patchingSweeps';
import { allHeads } from '../../../../src/analysis/heads';
import type { PromptPair } from '../../../../src/analysis/pairs';
import { CancelledError, UserError } from '../../../../src/common/errors';
import { RunnableModel } from '../../../../src/model/runnable';
import type { ModelConfig } from '../../../../src/protocol/config';
import { expectClose } from '../../../support/close';
import { configFromFixture, readFixture, type FixtureTensors } from '../../../support/fixtures';
import { configOf, randomParameters } from '../../../support/models';
import { noWork, patchedModels, patchedOneByOne, randomModel, smallPairs, togetherOf } from '../../../support/patching';
import { onnx } from '../../../support/runtimes';

const [pair, another] = smallPairs as readonly [PromptPair, PromptPair];
const positions = (length: number) => Array.from({ length }, (_, position) => String(position));

/** Everything that can be patched: by position and at all of them, layers and heads. */
function everySite(config: ModelConfig, T: number): readonly Site[] {
  const byPosition = allSweeps(config, allHeads(config), positions(T)).flatMap(({ sites }) => sites);
  const layers = Array.from({ length: config.n_layers }, (_, layer): Site => ({ activation: 'attn_out', layer }));
  return [...byPosition, ...wholeHeadSweep(allHeads(config)).sites, ...layers];
}

/** The shares, and in how many passes they were computed. */
async function patchedIn(room: number, model: RunnableModel, pairs: readonly PromptPair[], sites: readonly Site[]) {
  let passes = 0;
  const { recovered } = await patchSites(
    model, pairs, sites, { ...noWork, progress: () => (passes += 1 / pairs.length) }, room,
  );
  return { recovered, passes: Math.round(passes) };
}

describe.each(patchedModels)('patching a model with %s', (_, config) => {
  const model = randomModel(config);
  const sites = everySite(config, 5);

  test('in one batch is what patching one site after another is', async () => {
    const { recovered } = await patchSites(model, [pair], sites, noWork);
    expectClose(recovered, await patchedOneByOne(model, pair, sites), { absolute: 1e-4, relative: 1e-5 });
    expect(Math.max(...recovered.map(Math.abs))).toBeGreaterThan(0.1);
  });

  test('in several passes is the same', async () => {
    const { recovered } = await patchSites(model, [pair], sites, noWork);
    const several = await patchedIn(3000, model, [pair], sites);
    expect(several.passes).toBeGreaterThan(2);
    expectClose(several.recovered, recovered, { absolute: 1e-4, relative: 1e-5 });
  });

  test('over pairs the logit differences are averaged, and then normalised', async () => {
    const [one, other] = [await patchedOneByOne(model, pair, sites), await patchedOneByOne(model, another, sites)];
    const { recovered } = await patchSites(model, [pair, another], sites, noWork);
    expectClose(recovered, await togetherOf(model, [pair, another], [one, other]), { absolute: 1e-4, relative: 1e-4 });
  });

  test('at the residual stream before the first layer, all of it is the clean run', async () => {
    const stream: readonly Site[] = [{ activation: 'resid_pre', layer: 0 }];
    // Shortformer positions are not in the stream, but alike in both runs.
    expectClose((await patchSites(model, [pair], stream, noWork)).recovered, [1], { absolute: 1e-5 });
  });
});

describe('patching', () => {
  const model = randomModel(configOf({ n_layers: 3 }));

  test('whole heads of a shorter prompt, after a longer one, takes all of its positions', async () => {
    const { sites } = wholeHeadSweep(allHeads(model.config));
    const shorter = { ...pair, clean: pair.clean.slice(0, 3), corrupted: pair.corrupted.slice(0, 3), position: 2 };
    for (const each of [pair, shorter, pair]) {
      expectClose((await patchSites(model, [each], sites, noWork)).recovered, await patchedOneByOne(model, each, sites), { absolute: 1e-4 });
    }
  });

  test.each(['causal', 'bidirectional'] as const)('at another answer of a %s model, after one, reads that answer', async attention_dir => {
    const both = randomModel(configOf({ attention_dir }));
    const { sites } = wholeHeadSweep(allHeads(both.config));
    for (const position of [3, 2, 4]) {
      const moved = { ...pair, position };
      expectClose((await patchSites(both, [moved], sites, noWork)).recovered, await patchedOneByOne(both, moved, sites), { absolute: 1e-4, relative: 1e-4 });
    }
  });

  test('of a site that cannot reach the answer brings back exactly nothing', async () => {
    const sites: readonly Site[] = [
      { activation: 'z', layer: 2, head: 0, position: 1 }, // only position 3 is read
      { activation: 'k', layer: 0, head: 0, position: 4 }, // behind it
      { activation: 'z', layer: 0, head: 0, position: 0 }, // before the prompts differ
    ];
    expect([...(await patchSites(model, [pair], sites, noWork)).recovered]).toEqual([0, 0, 0]);
    expect([...(await patchSites(model, [pair], sites, noWork, 1)).recovered]).toEqual([0, 0, 0]);
  });

  test('gives the logit differences of both runs, also with nothing to patch', async () => {
    const { clean, corrupted } = await patchSites(model, [pair], [], noWork);
    const { logits } = await model.runWithCache({ dtype: 'int32', shape: [2, 5], data: Int32Array.from([...pair.clean, ...pair.corrupted]) }, []);
    const at = (row: number, output: number) => logits.data[(row * 5 + 3) * 6 + output] ?? Number.NaN;
    expectClose([clean, corrupted], [at(0, 2) - at(0, 5), at(1, 2) - at(1, 5)], { absolute: 1e-5 });
  });

  test('over pairs of which the model tells one apart is measured by that one', async () => {
    const model = randomModel(configOf({ normalization_type: 'LN' }));
    // The prompts differ only behind the answer: nothing lies between the two runs.
    const alike = { ...pair, corrupted: [...pair.clean.slice(0, 4), 0] };
    const sites = everySite(model.config, 5);
    const [one, both] = [await patchSites(model, [pair], sites, noWork), await patchSites(model, [alike, pair], sites, noWork)];
    expectClose(both.recovered, one.recovered, { absolute: 1e-4 });
  });

  test('of a model that answers both prompts alike is refused, not divided by nothing', async () => {
    const config = configOf();
    const parameters = randomParameters(config);
    parameters.get('unembed.W_U')?.data.fill(0);
    const indifferent = new RunnableModel(config, parameters, onnx);
    const patching = patchSites(indifferent, [pair], everySite(config, 5), noWork);
    await expect(patching).rejects.toThrow(UserError);
    await expect(patching).rejects.toThrow(/^The model answers clean and corrupted prompts alike: .* Choose prompts, or a corruption, that it tells apart\.$/);
  });

  test('ends when it is cancelled between two passes', async () => {
    const controller = new AbortController();
    const told: number[] = [];
    const progress = (fraction: number) => {
      told.push(fraction);
      controller.abort();
    };
    const patching = patchSites(model, [pair], everySite(model.config, 5), { signal: controller.signal, progress }, 2000);
    await expect(patching).rejects.toThrow(CancelledError);
    expect(told).toHaveLength(1);
  });
});

describe("patching is what TransformerLens' own functions give", () => {
  const document = v.object({ positions: v.record(v.string(), v.number()), correct: v.number(), wrong: v.number() });
  const parts = ['resid_pre', 'attn_out', 'mlp_out', 'z', 'q', 'k', 'v', 'pattern'] as const;

  async function open(name: string): Promise<{ readonly model: RunnableModel; readonly pair: PromptPair; readonly tensors: FixtureTensors }> {
    const [fixture, stored] = [await readFixture('patching'), await readFixture(`models/${name}`)];
    const { positions, correct, wrong } = v.parse(document, fixture.document);
    const tokens = fixture.tensors.int32(`${name}.tokens`);
    const T = tokens.shape[1] ?? 0;
    const [clean, corrupted] = [[...tokens.data.subarray(0, T)], [...tokens.data.subarray(T)]];
    const model = new RunnableModel(configFromFixture(stored.document), stored.tensors.group('state'), onnx);
    return { model, pair: { clean, corrupted, position: positions[name] ?? 0, correct, wrong }, tensors: fixture.tensors };
  }

  test.each([
    'layer-norm-gelu-2-layers',
    'shortformer-attention-only-2-layers',
    'rms-rotary-silu-2-layers',
    'bidirectional-layer-norm-pre-gelu-new-2-layers',
  ])('%s', async name => {
    const { model, pair, tensors } = await open(name);
    const { n_layers: L, n_heads: H, attn_only } = model.config;
    const T = pair.clean.length;
    const { clean, corrupted } = await patchSites(model, [pair], [], noWork);
    expectClose([clean, corrupted], tensors.float32(`${name}.differences`).data, { absolute: 1e-4 });
    for (const activation of parts) {
      if (activation === 'mlp_out' && attn_only) continue;
      // [layer, pos], [layer, pos, head], or of patterns [layer, head, dest]
      const [outer, inner] = activation === 'pattern' ? [H, T] : [T, H];
      const isOfHead = !['resid_pre', 'attn_out', 'mlp_out'].includes(activation);
      const sites = Array.from({ length: L * outer * (isOfHead ? inner : 1) }, (_, at): Site => {
        if (!isOfHead) return { activation, layer: Math.floor(at / T), position: at % T };
        const [first, second] = [Math.floor(at / inner) % outer, at % inner];
        const [position, head] = activation === 'pattern' ? [second, first] : [first, second];
        return { activation, layer: Math.floor(at / (outer * inner)), head, position };
      });
      const { recovered } = await patchSites(model, [pair], sites, noWork);
      expectClose(recovered, tensors.float32(`${name}.${activation}`).data, { absolute: 1e-4 }, activation);
    }
    const every = (['z', 'q', 'k', 'v', 'pattern'] as const).flatMap(activation =>
      allHeads(model.config).map(({ layer, head }): Site => ({ activation, layer, head })));
    const { recovered } = await patchSites(model, [pair], every, noWork);
    expectClose(recovered, tensors.float32(`${name}.every`).data, { absolute: 1e-4 }, 'every');
  });
});
