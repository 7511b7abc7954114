import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CancellationTokenSource } from 'vscode-jsonrpc';
import * as protocol from '../../../src/protocol/engine';
import type { Verification, VerifyNews, VerifyRequest } from '../../../src/protocol/engine';
import type { ModelSummary } from '../../../src/protocol/model';
import { Store } from '../../../src/store/store';
import { buildBundles, type Bundles } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { ended } from '../../support/processes';
import { startEngine, trainersOf, type EngineProcess } from './engineProcess';
import { tinyExperiment } from './experiments';

const learns = { claim: 'it learns', analysis: 'training-curves', scalar: 'trainLoss', expect: '< 100' };
const flies = { claim: 'it flies', analysis: 'training-curves', scalar: 'trainLoss', expect: '< 0' };
const spreads = { claim: 'it spreads its attention', analysis: 'attention', scalar: 'entropy', expect: '> 0' };
const wrong = { claim: 'it is wrong', analysis: 'training-curves', scalar: 'trainLos', expect: '> 0' };

describe('verifying claims', () => {
  let bundles: Bundles;
  let folder: string;
  let engine: EngineProcess;

  beforeAll(async () => {
    bundles = await buildBundles({ engine: 'src/engine/main.ts', trainer: 'test/unit/engine/fakeTrainer.ts' });
  });
  afterAll(() => bundles.dispose());
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'verifying-'));
    engine = await startEngine(bundles.folder, path.join(folder, 'store'));
    const { child } = engine;
    const started = engine;
    onTestFinished(async () => {
      await started.end();
      await Promise.all([...trainersOf(started), child.pid ?? 0].map(processId => ended(processId)));
      await rm(folder, { recursive: true });
    });
  });

  function experiment(claims: readonly object[], { steps = 20, ...more }: Record<string, unknown> & { readonly steps?: number } = {}) {
    return { text: JSON.stringify({ ...JSON.parse(tinyExperiment({ steps })), claims, ...more }), folder };
  }

  let requests = 0;
  async function verify(text: { readonly text: string; readonly folder: string }, more: Partial<VerifyRequest> = {}, news: VerifyNews[] = [], cancelling = new CancellationTokenSource()): Promise<readonly Verification[]> {
    const progress = `verification ${++requests}`;
    const listening = engine.connection.onProgress(protocol.verifyProgress, progress, each => void news.push(each));
    try {
      return await engine.connection.sendRequest(protocol.verifyClaims, { experiment: text, train: true, ...more, progress }, cancelling.token);
    } finally {
      listening.dispose();
    }
  }

  const models = (): Promise<readonly ModelSummary[]> => engine.connection.sendRequest(protocol.listModels);

  test('trains what is not trained, and tells of all that happens', async () => {
    const news: VerifyNews[] = [];
    const [verification, ...rest] = await verify(experiment([learns, flies, spreads], { steps: 400 }), {}, news);
    const [model] = await models();
    expect(rest).toEqual([]);
    expect(verification).toEqual({
      name: 'tiny', id: model?.id, seed: 0, claims: [
        { index: 0, claim: 'it learns', measured: expect.any(Number), expect: '< 100', ok: true },
        { index: 1, claim: 'it flies', measured: expect.any(Number), expect: '< 0', ok: false },
        { index: 2, claim: 'it spreads its attention', measured: expect.any(Number), expect: '> 0', ok: true },
      ],
    });
    const kinds = news.map(({ kind }) => kind);
    expect(kinds.filter((kind, at) => kind !== kinds[at - 1])).toEqual(['training', 'running', 'outcome', 'running', 'outcome']);
    const trainings = news.filter(each => each.kind === 'training');
    expect(trainings.at(-1)).toMatchObject({ model: model?.id, name: 'tiny', progress: { step: 400, steps: 400 } });
    // A step takes a millisecond, and news of it comes ten times a second.
    expect(trainings.length).toBeLessThan(100);
    expect(news.filter(each => each.kind === 'running').map(({ analysis }) => analysis)).toEqual(['Training curves', 'Attention']);
    expect(news.filter(each => each.kind === 'outcome').map(({ outcome }) => outcome)).toEqual(verification?.claims);

    // Trained once, it is only measured, and only where it was asked for.
    const again: VerifyNews[] = [];
    expect(await verify(experiment([learns, flies, spreads], { steps: 400 }), { claims: [2] }, again)).toEqual([{ ...verification, claims: [verification?.claims[2]] }]);
    expect(again.map(({ kind }) => kind)).toEqual(['running', 'outcome']);
  });

  test('trains nothing unless it is asked to, and says what is not trained', async () => {
    const problem = '"tiny" is not trained yet.';
    const unmeasured = { measured: null, ok: false, problem };
    expect(await verify(experiment([learns, spreads]), { train: false })).toMatchObject([{ problem, claims: [unmeasured, unmeasured] }]);
    expect(await models()).toEqual([]);
    const other = experiment([learns, { ...learns, of: 'other.circuit.json' }]);
    await writeFile(path.join(folder, 'other.circuit.json'), tinyExperiment({ name: 'other', steps: 30 }));
    await verify(other, { claims: [0] });
    expect(await verify(other, { train: false })).toMatchObject([{ claims: [{ ok: true }, { measured: null, problem: '"other" is not trained yet.' }] }]);
    expect(await verify(other)).toMatchObject([{ claims: [{ ok: true }, { ok: true, model: expect.any(String) }] }]);
  });

  test('what is wrong with a claim is its problem alone, and nothing is trained for it', async () => {
    const unknown = { index: 1, measured: null, ok: false, problem: expect.stringMatching(/^There is no scalar .*"trainLos"; the nearest .*"trainLoss"/) };
    expect(await verify(experiment([learns, wrong]), { claims: [1] })).toMatchObject([{ claims: [unknown] }]);
    expect(await models()).toEqual([]);
    expect(await verify(experiment([learns, wrong, flies]))).toMatchObject([{ claims: [{ index: 0, ok: true }, unknown, { index: 2, ok: false }] }]);
    await expect(verify(experiment([learns]), { claims: [1] })).rejects.toMatchObject({ code: protocol.userErrorCode, message: 'This experiment has no claim 1, counted from 0.' });
    await expect(verify({ text: '{ "task": ', folder })).rejects.toMatchObject({ code: protocol.userErrorCode });
  });

  test('measures a checkpoint, of claims that one can be asked of', async () => {
    const text = experiment([spreads, learns]);
    const [end] = await verify(text);
    const [early] = await verify(text, { checkpoint: 10, train: false });
    expect(early?.claims).toEqual([
      { ...end?.claims[0], measured: expect.any(Number) },
      { index: 1, claim: 'it learns', measured: null, expect: '< 100', ok: false, problem: expect.stringMatching(/whole training, and not about one checkpoint\.$/) },
    ]);
    expect(await verify(text, { checkpoint: 11, train: false })).toMatchObject([{ claims: [{ measured: null, problem: expect.stringMatching(/^"tiny" has no checkpoint at step 11/) }, {}] }]);
  });

  test('measures a checkpoint of what is still being trained', async () => {
    const text = experiment([spreads], { steps: 1_000_000 });
    const { model: { id } } = await engine.connection.sendRequest(protocol.train, { experiment: text });
    const step = await eventually('a checkpoint', async () => (await engine.connection.sendRequest(protocol.getModel, { model: id })).checkpoints.at(-1));
    expect(await verify(text, { checkpoint: step })).toMatchObject([{ claims: [{ ok: true }] }]);
    expect(await verify(text, { train: false })).toMatchObject([{ problem: expect.stringMatching(/^"tiny" is not trained to its end yet: it is at step \d+ of 1000000\.$/) }]);
    expect(await models()).toMatchObject([{ status: 'training' }]);
  });

  test('cancelled, it stops what it has started, and that alone', async () => {
    const text = experiment([learns], { steps: 1_000_000 });
    const cancelling = new CancellationTokenSource();
    const news: VerifyNews[] = [];
    const verifying = verify(text, {}, news, cancelling);
    await eventually('its training', () => Promise.resolve(news.find(({ kind }) => kind === 'training')));
    // Whoever waits for the same training, and does not own it, lets it go on.
    const leaving = new CancellationTokenSource();
    const second: VerifyNews[] = [];
    const waiting = verify(text, {}, second, leaving);
    await eventually('its training too', () => Promise.resolve(second.find(({ kind }) => kind === 'training')));
    leaving.cancel();
    await expect(waiting).rejects.toMatchObject({ code: -32800 });
    expect(await models()).toMatchObject([{ status: 'training' }]);
    cancelling.cancel();
    await expect(verifying).rejects.toMatchObject({ code: -32800 });
    expect(await models()).toMatchObject([{ status: 'stopped', resumable: true }]);
  });

  test('says when somebody else has stopped its training, and goes on with it when it is asked again', async () => {
    const news: VerifyNews[] = [];
    const text = experiment([learns], { steps: 2000 });
    const verifying = verify(text, {}, news);
    const { model } = await eventually('its training', () => Promise.resolve(news.find(each => each.kind === 'training')));
    await engine.connection.sendRequest(protocol.controlModel, { model, action: 'stop' });
    expect(await verifying).toMatchObject([{ problem: expect.stringMatching(/^"tiny" was stopped at step \d+ of 2000\.$/), claims: [{ measured: null }] }]);
    expect(await verify(text)).toMatchObject([{ claims: [{ ok: true }] }]);
  });

  test('refuses what takes days with a code of its own, so that it can be asked whether that is meant', async () => {
    const long = { model: { n_layers: 1, n_heads: 2, d_model: 512, d_head: 256, attn_only: true, biases: true }, training: { steps: 1_000_000_000, batch: 'full', checkpointEvery: 0 } };
    await expect(verify(experiment([learns], long))).rejects.toMatchObject({ code: protocol.tooLongCode });
    expect(await models()).toEqual([]);
    const cancelling = new CancellationTokenSource();
    const news: VerifyNews[] = [];
    const forced = verify(experiment([learns], long), { force: true }, news, cancelling);
    await eventually('its training', () => Promise.resolve(news.find(({ kind }) => kind === 'training')));
    cancelling.cancel();
    await expect(forced).rejects.toMatchObject({ code: -32800 });
  });

  test('verifies the runs of a sweep by the claims\' places in the file, and trains only those that are asked something', async () => {
    const text = experiment([{ ...flies, where: { seed: 1 } }, learns], { sweep: { seed: [0, 1, 2] } });
    expect(await verify(text, { claims: [0] })).toMatchObject([{ seed: 1, claims: [{ index: 0, ok: false, measured: expect.any(Number) }] }]);
    expect(await (await Store.open(path.join(folder, 'store'))).list()).toHaveLength(1);
    const all = await verify(text);
    expect(all.map(({ name, seed, claims }) => [name, seed, claims.map(({ index, ok }) => [index, ok])])).toEqual([
      ['tiny: seed 0', 0, [[1, true]]], ['tiny: seed 1', 1, [[0, false], [1, true]]], ['tiny: seed 2', 2, [[1, true]]],
    ]);
  });
});
