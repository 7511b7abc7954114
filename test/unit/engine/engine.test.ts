import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CancellationTokenSource, ResponseError, type CancellationToken } from 'vscode-jsonrpc';
import type { AnalysisResult } from '../../../src/protocol/analysis';
import * as protocol from '../../../src/protocol/engine';
import type { ModelPoint } from '../../../src/protocol/analysis';
import type { ModelSummary } from '../../../src/protocol/model';
import { Store } from '../../../src/store/store';
import { buildBundles, type Bundles } from '../../support/bundles';
import { ended } from '../../support/processes';
import { startEngine, trainersOf, type EngineProcess } from './engineProcess';
import { tinyExperiment } from './experiments';

const long = 1_000_000;

describe('the engine process', () => {
  let bundles: Bundles;
  let folder: string;

  beforeAll(async () => {
    bundles = await buildBundles({ engine: 'src/engine/main.ts', trainer: 'test/unit/engine/fakeTrainer.ts', parent: 'test/unit/engine/parentProcess.ts' });
  });
  afterAll(() => bundles.dispose());
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'engine-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
  });

  async function engineHere(): Promise<EngineProcess> {
    const engine = await startEngine(bundles.folder, folder);
    onTestFinished(async () => {
      await engine.end();
      await Promise.all(trainersOf(engine).map(trainer => ended(trainer)));
    });
    return engine;
  }

  function trainTiny({ connection }: EngineProcess, options: Parameters<typeof tinyExperiment>[0] = {}) {
    return connection.sendRequest(protocol.train, { experiment: { text: tinyExperiment(options) } });
  }

  /** Resolves with the first summary of a model that satisfies `holds`. */
  function told({ connection }: EngineProcess, holds: (model: ModelSummary) => boolean): Promise<ModelSummary> {
    return new Promise(resolve => {
      const listening = connection.onNotification(protocol.modelsChanged, ({ changed }) => {
        const model = changed.find(holds);
        if (!model) return;
        listening.dispose();
        resolve(model);
      });
    });
  }

  test('says at once what it has', async () => {
    const { info, startedIn, child } = await engineHere();
    expect(startedIn).toBeLessThan(1500);
    expect(info.processId).toBe(child.pid);
    expect(info.tasks.map(task => task.id)).toContain('modular-arithmetic');
    expect(info.analyses.map(analysis => analysis.id)).toContain('attention');
    expect(info.experiments).toEqual(expect.arrayContaining(['array-update', 'modular-subtraction']));
  });

  test('tries its devices out when it is asked to', async () => {
    const { connection } = await engineHere();
    const devices = await connection.sendRequest(protocol.listDevices);
    expect(devices.map(({ device }) => device)).toEqual(['cpu', 'webgpu', 'tensorflow']);
    expect(devices[0]).toMatchObject({ available: true });
    for (const { description } of devices) expect(description).not.toBe('');
  });

  test('trains, and tells of it at most about ten times a second', async () => {
    const engine = await engineHere();
    let notices = 0;
    const counting = engine.connection.onNotification(protocol.modelsChanged, () => void notices++);
    const start = performance.now();
    const { model, cached } = await trainTiny(engine, { steps: 1000, checkpointEvery: 500 });
    counting.dispose();
    expect(cached).toBe(false);
    expect(model.status).toBe('training');

    let told = 0;
    const done = new Promise<ModelSummary>(resolve => {
      engine.connection.onNotification(protocol.modelsChanged, ({ changed }) => {
        told++;
        const finished = changed.find(({ status }) => status === 'finished');
        if (finished) resolve(finished);
      });
    });
    expect(await done).toMatchObject({ id: model.id, progress: { step: 1000 } });
    const seconds = (performance.now() - start) / 1000;
    expect(notices + told).toBeGreaterThan(5);
    expect(notices + told).toBeLessThanOrEqual(10 * seconds + 3);
    expect(await engine.connection.sendRequest(protocol.listModels)).toMatchObject([{ id: model.id, status: 'finished' }]);
    expect(await engine.connection.sendRequest(protocol.getModel, { model: model.id })).toMatchObject({ checkpoints: [500, 1000] });
  });

  test('sweeps, tells of it at most about ten times a second, and keeps the sweep', async () => {
    const { connection } = await engineHere();
    const sweep = (values: object, more: object = {}) => ({
      experiment: { text: JSON.stringify({ ...JSON.parse(tinyExperiment()), sweep: values }) }, options: { executor: 'local', parallel: 2 }, ...more,
    }) as const;
    const request = sweep({ seed: [0, 1, 2], 'training.steps': 300 });
    expect(await connection.sendRequest(protocol.planSweep, request)).toEqual({ name: 'tiny', fields: ['seed', 'training.steps'], runs: 3, finished: 0 });
    let notices = 0;
    const start = performance.now();
    const finished = new Promise(resolve => {
      connection.onNotification(protocol.sweepChanged, ({ summary }) => {
        notices++;
        if (summary.status === 'finished') resolve(summary.id);
      });
    });
    const { id, rows } = await connection.sendRequest(protocol.startSweep, request);
    expect(rows).toHaveLength(3);
    expect(await finished).toBe(id);
    expect(notices).toBeGreaterThan(3);
    expect(notices).toBeLessThanOrEqual(10 * (performance.now() - start) / 1000 + 3);
    expect(await connection.sendRequest(protocol.listSweeps)).toMatchObject([{ id, status: 'finished', counts: { finished: 3 } }]);
    expect((await connection.sendRequest(protocol.getSweep, { sweep: id })).rows.map(({ status }) => status)).toEqual(['finished', 'finished', 'finished']);
    const [curve] = await connection.sendRequest(protocol.getSweepCurves, { sweep: id, metric: 'trainLoss', runs: [2] });
    expect(curve).toMatchObject({ run: 2, steps: expect.any(Float64Array), values: expect.any(Float64Array) });
    // The loss that the last step began with.
    expect(curve?.steps.at(-1)).toBe(299);
    const wrong = connection.sendRequest(protocol.getSweepCurves, { sweep: id, metric: 'trainLoss', runs: [3] });
    await expect(wrong).rejects.toMatchObject({ code: protocol.userErrorCode, message: 'The sweep "tiny" has no run 4; it has 3.' });
    await connection.sendRequest(protocol.controlSweep, { sweep: id, action: 'forget' });
    expect(await connection.sendRequest(protocol.listSweeps)).toEqual([]);

    const refused = (sent: object) => expect(connection.sendRequest(protocol.startSweep.method, sent)).rejects;
    await refused(sweep({ 'model.d_modle': [8] })).toMatchObject({ code: protocol.userErrorCode, message: expect.stringContaining('"d_model"') });
    await refused(sweep({ seed: [0] }, { options: { executor: 'cloud', parallel: 0 } })).toMatchObject({ code: protocol.userErrorCode, message: expect.stringContaining('"options.executor"') });
    await refused(sweep({ seed: [0] }, { options: { executor: 'local', parallel: -1 } })).toMatchObject({ code: protocol.userErrorCode });
  });

  test('pauses a run at a breakpoint that was set while it goes on, tells of it, and steps on from there', async () => {
    const engine = await engineHere();
    const { connection } = engine;
    const { model } = await trainTiny(engine, { steps: long, checkpointEvery: 20 });
    const spreads = { analysis: 'attention', params: { examples: 2 }, scalar: 'entropy', when: '> 0', action: 'pause' } as const;
    const reached = new Promise<protocol.BreakpointHit>(resolve => connection.onNotification(protocol.breakpointReached, resolve));
    await connection.sendRequest(protocol.setBreakpoints, { model: model.id, breakpoints: [spreads] });
    expect(await connection.sendRequest(protocol.getBreakpoints, { model: model.id })).toEqual([spreads]);
    const hit = await reached;
    expect(hit).toMatchObject({ model: model.id, name: 'tiny', breakpoint: spreads, measured: expect.any(Number), paused: true });
    expect(hit.step % 20).toBe(0);
    expect((await connection.sendRequest(protocol.getModel, { model: model.id })).summary).toMatchObject({ status: 'paused', progress: { step: hit.step } });

    const stepped = told(engine, ({ status, progress }) => status === 'paused' && progress.step === hit.step + 20);
    await connection.sendRequest(protocol.controlModel, { model: model.id, action: 'step' });
    await stepped;
    const refused = (breakpoints: readonly object[]) => expect(connection.sendRequest(protocol.setBreakpoints.method, { model: model.id, breakpoints })).rejects;
    await refused([{ ...spreads, analysis: 'atention' }]).toMatchObject({ code: protocol.userErrorCode, message: expect.stringContaining('the nearest') });
    await refused([{ ...spreads, colour: 'red' }]).toMatchObject({ code: protocol.userErrorCode, message: expect.stringContaining('breakpoints/set is wrong at "breakpoints.0.colour"') });
  });

  test('tells of what other processes do to the store', async () => {
    const engine = await engineHere();
    const { model } = await trainTiny(engine);
    await told(engine, ({ status }) => status === 'finished');
    const renamed = told(engine, ({ name }) => name === 'renamed elsewhere');
    const store = await Store.open(folder);
    await store.rename(model.id, 'renamed elsewhere');
    await renamed;
    const removed = new Promise(resolve => {
      engine.connection.onNotification(protocol.modelsChanged, ({ removed }) => {
        if (removed.includes(model.id)) resolve(undefined);
      });
    });
    await store.remove(model.id);
    await removed;
  });

  test('sends figures with their numbers as typed arrays, of a model that still trains', async () => {
    const engine = await engineHere();
    const { model } = await trainTiny(engine, { steps: long, checkpointEvery: 100_000 });
    const curves = await engine.connection.sendRequest(protocol.analyze, { model: model.id, analysis: 'training-curves', params: {} });
    const [loss] = curves.figures;
    expect(loss?.kind === 'lines' && loss.series[0]?.x).toBeInstanceOf(Float64Array);
    // Its weights are not there yet.
    await expect(engine.connection.sendRequest(protocol.analyze, { model: model.id, analysis: 'attention', params: {} }))
      .rejects.toMatchObject({ code: protocol.userErrorCode, message: expect.stringContaining('no weights yet') });
    await engine.connection.sendRequest(protocol.controlModel, { model: model.id, action: 'stop' });
    const attention = await engine.connection.sendRequest(protocol.analyze, { model: model.id, analysis: 'attention', params: { examples: 2 } });
    const [patterns] = attention.figures;
    expect(patterns?.kind === 'attention' && patterns.heads[0]?.pattern).toBeInstanceOf(Float32Array);
  });

  test('puts two checkpoints side by side, over the same examples, and says what is wrong with the other', async () => {
    const engine = await engineHere();
    const { model } = await trainTiny(engine, { steps: 20, checkpointEvery: 10 });
    await told(engine, ({ status }) => status === 'finished');
    const compared = (against: ModelPoint, params: Readonly<Record<string, string | number>> = { examples: 3 }) =>
      engine.connection.sendRequest(protocol.analyze, { model: model.id, analysis: 'attention', params, checkpoint: 20, against });
    const { comparison } = await compared({ model: model.id, checkpoint: 10 });
    const alone = await engine.connection.sendRequest(protocol.analyze, { model: model.id, analysis: 'attention', params: { examples: 3 }, checkpoint: 10 });
    expect(comparison).toMatchObject({ names: ['step 20', 'step 10'], scalars: alone.scalars, figures: alone.figures });
    expect(comparison && 'differences' in comparison && comparison.differences[0]?.[0]).toMatchObject({ kind: 'heatmap', title: expect.stringContaining('L0H0'), values: expect.any(Float32Array) });

    await expect(compared({ model: model.id, checkpoint: 11 })).resolves.toMatchObject({ figures: [{ kind: 'attention' }], comparison: { problem: expect.stringContaining('11') } });
    await expect(compared({ model: 'ffffffff' })).resolves.toMatchObject({ figures: [{ kind: 'attention' }], comparison: { problem: expect.stringContaining('There is no model') } });
  });

  test('says what the positions and tokens of a model are called, and nothing of heads that still train', async () => {
    const engine = await engineHere();
    const { model } = await trainTiny(engine, { steps: long });
    const words = await engine.connection.sendRequest(protocol.getWords, { model: model.id });
    expect(words.positions).toHaveLength(3);
    expect(words.answerPositions).toEqual([2]);
    expect(words.vocabulary.slice(0, 7)).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    expect(await engine.connection.sendRequest(protocol.getBadges, { model: model.id })).toEqual([]);
  });

  test('answers a flood, and runs no more analyses than it can', async () => {
    const engine = await engineHere();
    const { model } = await trainTiny(engine);
    await told(engine, ({ status }) => status === 'finished');
    const analyses = Array.from({ length: 300 }, () =>
      engine.connection.sendRequest(protocol.analyze, { model: model.id, analysis: 'attention', params: { examples: 1 } }).then(() => 'done', (error: Error) => error.message));
    const lists = Array.from({ length: 2000 }, () => engine.connection.sendRequest(protocol.listModels));
    for (const list of await Promise.all(lists)) expect(list).toHaveLength(1);
    const answers = await Promise.all(analyses);
    expect(answers.filter(answer => answer === 'done').length).toBeGreaterThanOrEqual(66);
    expect(new Set(answers)).toEqual(new Set(['done', '64 analyses are waiting already; try again when some of them are done.']));
  });

  test('runs no analysis that is cancelled while it waits', async () => {
    const engine = await engineHere();
    const { model } = await trainTiny(engine);
    await told(engine, ({ status }) => status === 'finished');
    const source = new CancellationTokenSource();
    const asked = Array.from({ length: 40 }, () =>
      engine.connection.sendRequest(protocol.analyze, { model: model.id, analysis: 'attention', params: { examples: 4096 } }, source.token).then(() => 'done', (error: unknown) => error));
    source.cancel();
    const cancelled = (await Promise.all(asked)).filter(answer => answer instanceof ResponseError && answer.code === -32800);
    expect(cancelled.length).toBeGreaterThan(30);
  });

  describe('an analysis of every checkpoint', () => {
    /** Asks for it of a model with 40 checkpoints, and tells of its partial results as they come. */
    async function measure(engine: EngineProcess, onPartial: (partial: AnalysisResult, fraction: number) => void, token?: CancellationToken) {
      const text = tinyExperiment({ steps: 40, checkpointEvery: 1 }).replace('"modulus":7', '"modulus":97');
      const finished = told(engine, ({ status }) => status === 'finished');
      const { model } = await engine.connection.sendRequest(protocol.train, { experiment: { text } });
      await finished;
      const listening = engine.connection.onProgress(protocol.analysisProgress, 'measures', ({ fraction, partial }) => {
        if (partial) onPartial(partial, fraction);
      });
      onTestFinished(() => listening.dispose());
      const asked = performance.now();
      const result = await engine.connection.sendRequest(protocol.analyze, { model: model.id, analysis: 'progress-measures', params: {}, progress: 'measures' }, token);
      return { result, milliseconds: performance.now() - asked };
    }

    const stepsOf = ({ figures: [losses] }: AnalysisResult) => [...(losses?.kind === 'lines' ? losses.series[0]?.x ?? [] : [])];

    test('shows figures that sharpen while it works, at most about ten times a second', async () => {
      const engine = await engineHere();
      const shown: number[][] = [];
      const { result, milliseconds } = await measure(engine, partial => shown.push(stepsOf(partial)));
      expect(stepsOf(result)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
      expect(shown.length).toBeGreaterThan(0);
      expect(shown.length).toBeLessThanOrEqual(milliseconds / 100 + 1);
      for (const [index, steps] of shown.entries()) {
        expect(steps).toEqual([...steps].sort((a, b) => a - b));
        expect([steps[0], steps.at(-1)]).toEqual([1, 40]);
        expect(steps.length).toBeGreaterThan(shown[index - 1]?.length ?? 1);
      }
    });

    test('ends when it is cancelled, and the engine goes on', async () => {
      const engine = await engineHere();
      const source = new CancellationTokenSource();
      const fractions: number[] = [];
      const cancelled = measure(engine, (_, fraction) => {
        fractions.push(fraction);
        source.cancel();
      }, source.token);
      await expect(cancelled).rejects.toMatchObject({ code: -32800 });
      const seen = fractions.length;
      expect(fractions.at(-1)).toBeLessThan(1);
      expect(await engine.connection.sendRequest(protocol.listModels)).toHaveLength(1);
      expect(fractions).toHaveLength(seen);
    });
  });

  test.each([
    ['a model that does not exist', protocol.getModel, { model: '0123456789abcdef' }, /There is no model/],
    ['a path for a model', protocol.getModel, { model: '../../etc' }, /models\/get is wrong at "model"/],
    ['an unknown field', protocol.renameModel, { model: '0123456789abcdef', name: 'x', owner: 'y' }, /models\/rename is wrong at "owner"/],
    ['an unknown action', protocol.controlModel, { model: '0123456789abcdef', action: 'explode' }, /models\/control is wrong at "action"/],
    ['a bundled experiment that does not exist', protocol.train, { experiment: { bundled: 'aray-update' } }, /There is no bundled experiment "aray-update"; the nearest is "array-update"/],
    ['an experiment larger than a file may be', protocol.train, { experiment: { text: ' '.repeat(2 << 20) } }, /models\/train is wrong/],
    ['nothing', protocol.analyze, null, /analyses\/run is wrong/],
  ])('answers %s with one sentence', async (_, type, params, sentence) => {
    const { connection } = await engineHere();
    const error: unknown = await connection.sendRequest(type.method, params).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: protocol.userErrorCode, message: expect.stringMatching(sentence) });
  });

  test('says what is wrong with an experiment, and where', async () => {
    const { connection } = await engineHere();
    const problemsOf = async (source: protocol.ExperimentText) => (await connection.sendRequest(protocol.experimentStanding, source)).problems;
    expect(await problemsOf({ text: tinyExperiment() })).toEqual([]);
    const problems = await problemsOf({ text: tinyExperiment().replace('"modulus":7', '"modulus":1') });
    expect(problems).toMatchObject([{ path: ['task', 'modulus'] }]);
    const claims = '"claims":[{"claim":"it attends","analysis":"atention","scalar":"entropy","expect":"> 0"}]';
    expect(await problemsOf({ text: tinyExperiment().replace('"seed":0', `"seed":0,${claims}`) })).toMatchObject([{ path: ['claims', 0, 'analysis'] }]);
    expect(await problemsOf({ text: '{ "name": ' })).toHaveLength(1);
  });

  test('says how an experiment stands, before it is trained and after', async () => {
    const engine = await engineHere();
    const { connection } = engine;
    const text = tinyExperiment();
    expect(await connection.sendRequest(protocol.experimentStanding, { text })).toEqual({ problems: [], trains: { id: expect.any(String), name: 'tiny', seed: 0, steps: 20 } });
    const { model } = await connection.sendRequest(protocol.train, { experiment: { text } });
    expect(await connection.sendRequest(protocol.experimentStanding, { text })).toMatchObject({ trains: { id: model.id }, model: { id: model.id } });
    expect(await connection.sendRequest(protocol.experimentStanding, { text: text.replace('"steps":20', '"steps":21') })).toMatchObject({ before: { id: model.id } });
    expect(await connection.sendRequest(protocol.experimentStanding, { text: '{ "name": ' })).toMatchObject({ problems: [{ path: [] }] });
  });

  test('keeps its runs when it hears nonsense', async () => {
    const engine = await engineHere();
    const { model } = await trainTiny(engine, { steps: long });
    for (const message of ['nonsense', 7, {}, { jsonrpc: '2.0' }, { jsonrpc: '2.0', id: 1, method: 7 }, { jsonrpc: '2.0', id: 'x', method: 'no/such' }, []]) engine.child.send(message);
    expect(await engine.connection.sendRequest(protocol.listModels)).toMatchObject([{ id: model.id, status: 'training' }]);
  });

  test('does not start over a store that cannot be used', async () => {
    const file = path.join(bundles.folder, 'engine.js');
    const error: unknown = await startEngine(bundles.folder, file).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: protocol.userErrorCode });
    expect(String(error)).toContain(`${file} cannot hold models`);
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)('ends with its trainers when its parent is ended by %s, and loses nothing', async signal => {
    const parent = fork(path.join(bundles.folder, 'parent.js'), [bundles.folder, folder], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [started] = (await once(parent, 'message')) as [{ engine: number; trainer: number; model: string }];
    parent.kill(signal);
    await Promise.all([ended(started.engine), ended(started.trainer)]);
    const store = await Store.open(folder);
    expect(await store.summary(await store.read(started.model))).toMatchObject({ status: 'interrupted', resumable: true });
    expect(await store.isLocked(started.model)).toBe(false);
  }, 30_000);

  test('ends when it is stopped and its channel stays open', async () => {
    const engine = await engineHere();
    await trainTiny(engine, { steps: long });
    const exit = once(engine.child, 'exit');
    engine.child.kill('SIGTERM');
    await exit;
  });
});
