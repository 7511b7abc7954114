import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { Breakpoints, type BreakpointHost } from '../../../src/engine/breakpoints';
import type { Run } from '../../../src/engine/run';
import { Runs, type TrainOrder } from '../../../src/engine/runs';
import type { AnalysisRequest, AnalysisResult } from '../../../src/protocol/analysis';
import type { BreakpointHit } from '../../../src/protocol/engine';
import type { Breakpoint } from '../../../src/protocol/experiment';
import { Store } from '../../../src/store/store';
import { buildBundles, type Bundles } from '../../support/bundles';
import { tinyExperiment } from './experiments';

/** Measured by the fake analyses below: the entropy at a checkpoint is the fraction of 100 steps that it lies at. */
const entropy = (changes: Partial<Breakpoint> = {}): Breakpoint => ({ analysis: 'attention', params: {}, scalar: 'entropy', action: 'pause', ...changes });

function experimentWith(breakpoints: readonly Breakpoint[], options: Parameters<typeof tinyExperiment>[0] = {}): string {
  return JSON.stringify({ ...JSON.parse(tinyExperiment({ steps: 60, ...options })), breakpoints });
}

describe('breakpoints', () => {
  let bundles: Bundles;
  let folder: string;
  let store: Store;
  let runs: Runs;
  let breakpoints: Breakpoints;
  let lines: string[];
  let hits: BreakpointHit[];
  let asked: AnalysisRequest[];
  let measure: (request: AnalysisRequest, signal: AbortSignal) => Promise<AnalysisResult>;

  beforeAll(async () => {
    bundles = await buildBundles({ trainer: 'test/unit/engine/fakeTrainer.ts' });
  });
  afterAll(() => bundles.dispose());
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'breakpoints-'));
    [lines, hits, asked] = [[], [], []];
    measure = ({ checkpoint = 0 }) => Promise.resolve({ figures: [], scalars: { entropy: checkpoint / 100 } });
    store = await Store.open(folder);
    const log = (line: string) => void lines.push(line);
    runs = new Runs(store, { trainer: path.join(bundles.folder, 'trainer.js'), device: 'cpu', threads: 1, background: true, log });
    const analyses: BreakpointHost['analyses'] = {
      runFirst: (request, signal) => {
        asked.push(request);
        return measure(request, signal);
      },
    };
    breakpoints = new Breakpoints({ store, runs, analyses, log });
    breakpoints.onHit(hit => hits.push(hit));
    runs.watchCheckpoints(breakpoints);
    onTestFinished(async () => {
      await runs.stopAll();
      runs.dispose();
      breakpoints.dispose();
      await rm(folder, { recursive: true, force: true });
    });
  });

  async function start(text: string, order: Partial<TrainOrder> = {}): Promise<Run> {
    const { run } = await runs.train({ text, ...order });
    if (!run) throw new Error('it was trained before');
    return run;
  }

  /** Resolves with the newest of so many hits. */
  function hit(count = 1): Promise<BreakpointHit> {
    return new Promise(resolve => {
      const look = () => {
        const [found] = hits.slice(count - 1);
        if (found) resolve(found);
        return found !== undefined;
      };
      if (look()) return;
      const listening = breakpoints.onHit(() => look() && listening.dispose());
    });
  }

  /** Resolves when the run is paused. */
  function paused(run: Run): Promise<void> {
    return new Promise(resolve => {
      const listening = run.onChange(() => {
        if (!run.isPaused) return;
        listening.dispose();
        resolve();
      });
    });
  }

  async function summaryOf(id: string) {
    return runs.summary(await store.read(id));
  }

  /** What is bit for bit the same for two runs that trained the same. */
  async function numbersOf(id: string) {
    return { metrics: await store.readMetrics(id), weights: await store.readWeights(id), checkpoints: await store.checkpoints(id) };
  }

  test('pause a run at the very checkpoint at which a bound is crossed, and continued it ends as one that was not', async () => {
    const undisturbed = await start(tinyExperiment({ steps: 60 }));
    await undisturbed.ended;
    const numbers = await numbersOf(undisturbed.id);
    await store.remove(undisturbed.id);

    const run = await start(experimentWith([entropy({ when: '> 0.25' })]));
    expect(run.id).toBe(undisturbed.id);
    expect(await hit()).toEqual({ model: run.id, name: 'tiny', step: 30, breakpoint: entropy({ when: '> 0.25' }), measured: 0.3, before: 0.2, paused: true });
    expect(await summaryOf(run.id)).toMatchObject({ status: 'paused', progress: { step: 30, steps: 60 } });
    expect(await store.read(run.id)).toMatchObject({ status: 'paused', progress: { step: 30 } });
    expect(await store.checkpoints(run.id)).toEqual([10, 20, 30]);

    await runs.control(run.id, 'resume');
    expect(await run.ended).toMatchObject({ status: 'finished' });
    expect(hits).toHaveLength(1);
    expect(await numbersOf(run.id)).toEqual(numbers);
  });

  test('step from checkpoint to checkpoint, of a run that nobody watches too', async () => {
    const run = await start(tinyExperiment({ steps: 60 }));
    await runs.control(run.id, 'pause');
    await runs.control(run.id, 'step');
    await paused(run);
    const { step } = run.progress;
    expect(step % 10).toBe(0);
    await runs.control(run.id, 'step');
    await paused(run);
    expect(run.progress.step).toBe(step + 10);
    await runs.control(run.id, 'resume');
    expect(await run.ended).toMatchObject({ status: 'finished' });
    expect(asked).toEqual([]);
  });

  test('let a run go on with another process, which compares with the checkpoint it goes on from', async () => {
    const text = experimentWith([entropy({ when: '> 0.25' })]);
    const run = await start(text);
    await hit();
    await run.stop();
    expect(await summaryOf(run.id)).toMatchObject({ status: 'stopped', resumable: true, progress: { step: 30 } });
    asked = [];

    const resumed = await runs.resume(run.id);
    expect(await resumed.ended).toMatchObject({ status: 'finished' });
    expect(asked.map(({ checkpoint }) => checkpoint)).toEqual([30, 40, 50]);
    expect(hits).toHaveLength(1);
  });

  test.each<[string, Partial<Breakpoint>, readonly number[], readonly number[]]>([
    ['once while it stays beyond the bound', { when: '>= 0.5' }, [0.1, 0.5, 0.6, 0.7, 0.9], [20]],
    ['again where it is crossed anew', { when: '>= 0.5' }, [0.1, 0.5, 0.4, 0.7, 0.9], [20, 40]],
    ['at the first checkpoint where it holds there', { when: '< 0.5' }, [0.1, 0.2, 0.9, 0.9, 0.2], [10, 50]],
    ['where it moves far enough, up or down', { changesBy: 0.25 }, [0.9, 0.5, 0.5, 0.75, 0.7], [20, 40]],
  ])('are reached %s', async (_, condition, entropies, steps) => {
    measure = ({ checkpoint = 0 }) => Promise.resolve({ figures: [], scalars: { entropy: entropies[checkpoint / 10 - 1] ?? 0 } });
    const run = await start(experimentWith([entropy({ ...condition, action: 'snapshot' })]));
    await run.ended;
    await breakpoints.settled();
    expect(hits.map(({ step }) => step)).toEqual(steps);
  });

  test('run an analysis once a checkpoint, however many are about it with the same parameters', async () => {
    const run = await start(experimentWith([entropy({ when: '> 5' }), entropy({ changesBy: 5, params: { examples: 64 } }), entropy({ when: '> 6', params: { examples: 3 } })]));
    await run.ended;
    const examples = (at: number) => asked.filter(({ checkpoint }) => checkpoint === at).map(({ params }) => params['examples']);
    expect(examples(10)).toHaveLength(2);
    expect(asked).toHaveLength(10);
  });

  test('keep the model of the checkpoint as a model of its own, and the run goes on', async () => {
    const run = await start(experimentWith([entropy({ when: '> 0.25', action: 'snapshot' })]));
    const { copy, ...reached } = await hit();
    expect(reached).toMatchObject({ model: run.id, step: 30, paused: false });
    expect(await run.ended).toMatchObject({ status: 'finished' });
    const kept = await store.read(copy?.id ?? '');
    expect(kept).toMatchObject({ name: 'tiny @ 30', status: 'finished', progress: { steps: 0 }, experiment: { from: { id: run.id, checkpoint: 30 }, training: { steps: 0 } } });
    expect(kept.experiment.breakpoints).toBeUndefined();
    expect(copy?.name).toBe('tiny @ 30');
  });

  test('train a copy on beside the run, for the steps that were left and as they say', async () => {
    const run = await start(experimentWith([entropy({ when: '> 0.25', action: 'fork', set: ['training.learningRate=0.0001'] })]));
    const { copy } = await hit();
    await breakpoints.settled();
    expect(await run.ended).toMatchObject({ status: 'finished' });
    const fork = await store.read(copy?.id ?? '');
    expect(fork).toMatchObject({ name: 'tiny from 30 (training.learningRate=0.0001)', status: 'finished', progress: { step: 30, steps: 30 } });
    expect(fork.experiment).toMatchObject({ from: { id: run.id, checkpoint: 30 }, training: { steps: 30, learningRate: 1e-4 } });
  });

  test('make no crowd of copies, and say so once', async () => {
    const run = await start(experimentWith([entropy({ changesBy: 0.001, action: 'fork' })], { steps: 130 }));
    await run.ended;
    await breakpoints.settled();
    expect(hits.map(({ copy, problem }) => copy?.name ?? problem)).toEqual([
      ...[20, 30, 40, 50, 60, 70, 80, 90].map(step => `tiny from ${step}`),
      '8 copies were made for it already; no more are made while this run goes on.',
    ]);
  });

  test('say why no copy could be made, and the run goes on', async () => {
    const run = await start(experimentWith([entropy({ when: '> 0.25', action: 'fork', set: ['from=nowhere'] })], { name: 'tiny' }), { ignoreBreakpoints: true });
    expect(await run.ended).toMatchObject({ status: 'finished' });
    expect(asked).toEqual([]);
    const again = await start(experimentWith([entropy({ when: '> 0.25', action: 'snapshot' })], { seed: 1 }));
    const found = store.checkpoints.bind(store);
    store.checkpoints = () => Promise.reject(new UserError('The checkpoint is gone.'));
    expect(await hit()).toMatchObject({ problem: expect.stringMatching(/gone|not trained/) });
    store.checkpoints = found;
    expect(await again.ended).toMatchObject({ status: 'finished' });
  });

  test.each([
    ['a sentence for people', new UserError('The prompts are too long.'), 'The prompts are too long.'],
    ['a defect', new TypeError('cannot read'), 'TypeError: cannot read'],
  ])('that cannot be measured, for %s, say so once and stop nothing', async (_, error, words) => {
    measure = () => Promise.reject(error);
    const unmeasured: unknown[] = [];
    breakpoints.onUnmeasured(told => unmeasured.push(told));
    const run = await start(experimentWith([entropy({ when: '> 0.25' })]));
    expect(await run.ended).toMatchObject({ status: 'finished' });
    expect(asked).toHaveLength(5);
    expect(lines.filter(line => line.includes('breakpoint'))).toEqual([expect.stringContaining(`tiny: the breakpoint entropy > 0.25 could not be looked at: ${words}`)]);
    expect(unmeasured).toEqual([{ model: run.id, name: 'tiny', step: expect.any(Number) as number, breakpoint: entropy({ when: '> 0.25' }), problem: error.message }]);
  });

  describe('set while a run goes on', () => {
    test('are looked at from its next checkpoint on, and kept with the model', async () => {
      const run = await start(tinyExperiment({ steps: 1_000_000 }));
      const always = entropy({ when: '> 0', breakpoint: 'at once' });
      await breakpoints.set(run.id, [always]);
      expect(await hit()).toMatchObject({ breakpoint: always, paused: true });
      expect(await summaryOf(run.id)).toMatchObject({ status: 'paused', progress: { step: hits[0]?.step } });
      expect(await breakpoints.get(run.id)).toEqual([always]);
      expect((await Store.open(folder).then(other => other.read(run.id))).experiment.breakpoints).toEqual([always]);

      await breakpoints.set(run.id, []);
      await runs.control(run.id, 'step');
      await paused(run);
      expect(hits).toHaveLength(1);
    });

    test('count where they are the same as before, and not where they are others, while they are looked at', async () => {
      const [same, other] = [entropy({ when: '> 0.05' }), entropy({ when: '> 0.08' })];
      let setDuring: readonly Breakpoint[] = [{ ...same }];
      measure = async ({ model, checkpoint = 0 }) => {
        await breakpoints.set(model, setDuring);
        return { figures: [], scalars: { entropy: checkpoint / 100 } };
      };
      const run = await start(experimentWith([same]));
      expect(await hit()).toMatchObject({ step: 10, breakpoint: same, paused: true });
      await run.stop();

      setDuring = [other];
      const another = await start(experimentWith([same], { seed: 1 }));
      expect(await hit(2)).toMatchObject({ step: 20, breakpoint: other, paused: true });
      await another.stop();
    });

    test('let a run go on that holds for those that were set before', async () => {
      let release = () => {};
      const looking = new Promise<void>(begun => {
        measure = () => new Promise(resolve => {
          begun();
          release = () => resolve({ figures: [], scalars: { entropy: 1 } });
        });
      });
      const run = await start(experimentWith([entropy({ when: '> 0.25' })]));
      await looking;
      await breakpoints.set(run.id, []);
      expect(await run.ended).toMatchObject({ status: 'finished' });
      release();
      expect(hits).toEqual([]);
    });

    test('are refused where they are wrong, or would never be looked at', async () => {
      const run = await start(tinyExperiment());
      await expect(breakpoints.set(run.id, [entropy({ scalar: 'entropie', when: '> 1' })])).rejects.toThrow('breakpoints.0.scalar: There is no scalar of analysis "attention" called "entropie"; the nearest is "entropy".');
      await run.ended;
      await expect(breakpoints.set(run.id, [entropy({ when: '> 1' })])).rejects.toThrow('"tiny" is not being trained, and would come to no breakpoint.');
      await expect(breakpoints.get('0123456789abcdef')).rejects.toThrow(/There is no model/);
    });
  });

  test('of an experiment replace those of a run that it resumes, unless it says nothing of them', async () => {
    const run = await start(experimentWith([entropy({ when: '> 0.25' })]));
    await hit();
    await run.stop();
    await runs.train({ text: tinyExperiment({ steps: 60 }) });
    expect(await breakpoints.get(run.id)).toEqual([entropy({ when: '> 0.25' })]);
    await runs.train({ text: experimentWith([entropy({ when: '> 0.45' })]) });
    expect(await breakpoints.get(run.id)).toEqual([entropy({ when: '> 0.45' })]);
    await runs.resume(run.id);
    expect(await hit(2)).toMatchObject({ step: 50, before: 0.4, measured: 0.5 });
  });

  test('that are wrong keep a run from starting', async () => {
    await expect(runs.train({ text: experimentWith([entropy()]) })).rejects.toThrow(/^breakpoints\.0: A breakpoint takes one condition/);
    expect(await store.list()).toEqual([]);
  });

  test('hold nothing for ever: a run whose starter is gone ends, and can be resumed', async () => {
    const looking = new Promise<void>(begun => {
      measure = () => new Promise(() => begun());
    });
    const run = await start(experimentWith([entropy({ when: '> 0.25' })]));
    await looking;
    runs.dispose();
    await run.ended;
    expect(await store.summary(await store.read(run.id))).toMatchObject({ status: 'interrupted', resumable: true, progress: { step: 10 } });
  });

  test('stop at once while the checkpoint is still looked at', async () => {
    let isAborted = false;
    const looking = new Promise<void>(begun => {
      measure = (_, signal) => new Promise((_resolve, reject) => {
        begun();
        signal.addEventListener('abort', () => {
          isAborted = true;
          reject(new UserError('aborted'));
        });
      });
    });
    const run = await start(experimentWith([entropy({ when: '> 0.25' })]));
    await looking;
    await runs.control(run.id, 'stop');
    expect(isAborted).toBe(true);
    expect(await summaryOf(run.id)).toMatchObject({ status: 'stopped', resumable: true, progress: { step: 10 } });
    expect(hits).toEqual([]);
  });
});
