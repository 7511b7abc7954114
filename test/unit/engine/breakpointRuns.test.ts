import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Engine, installationAt } from '../../../src/engine/engine';
import type { BreakpointHit } from '../../../src/protocol/engine';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../support/bundles';

// Real trainings and real analyses: a single head learns to find the largest of a few numbers within a second.

const accurate = { analysis: 'training-curves', scalar: 'testAccuracy', when: '> 0.6' };
const attends = { analysis: 'head-scores', params: { examples: 64 }, scalar: 'answer', when: '> 0.8' };

function maximum(breakpoints: readonly object[]): string {
  return JSON.stringify({
    name: 'maximum',
    task: 'max',
    model: { n_layers: 1, n_heads: 1, d_model: 32, d_head: 32, attn_only: true, biases: false },
    training: { steps: 120, batch: 128, learningRate: 0.01, evaluateEvery: 10, checkpointEvery: 20, evaluationExamples: 500 },
    breakpoints,
  });
}

describe('a training with breakpoints', () => {
  let bundles: Bundles;
  let folder: string;

  beforeAll(async () => {
    bundles = await buildBundles(trainerEntryPoints);
  });
  afterAll(() => bundles.dispose());
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'breakpoint-runs-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
  });

  async function engineOver(store: string): Promise<Engine> {
    const options = { device: 'cpu', threads: 1, background: false, trusted: false, log: () => undefined } as const;
    const engine = await Engine.open({ ...options, store: path.join(folder, store), installation: installationAt(bundles.folder) });
    onTestFinished(async () => {
      await engine.runs.stopAll();
      engine.dispose();
    });
    return engine;
  }

  function nextHit({ breakpoints }: Engine): Promise<BreakpointHit> {
    return new Promise(resolve => breakpoints.onHit(resolve));
  }

  async function start(engine: Engine, breakpoints: readonly object[]) {
    const { run } = await engine.runs.train({ text: maximum(breakpoints) });
    if (!run) throw new Error('it was trained before');
    return run;
  }

  test('pauses where its accuracy passes a bound, and ends bit for bit as one that nobody looked at', async () => {
    const [alone, engine] = [await engineOver('alone'), await engineOver('watched')];
    const undisturbed = await start(alone, []);
    const hit = nextHit(engine);
    const run = await start(engine, [accurate]);
    const { step, measured, before, paused } = await hit;
    expect(paused).toBe(true);
    expect(before).toBeLessThanOrEqual(0.6);
    expect(measured).toBeGreaterThan(0.6);
    expect(await engine.model(run.id)).toMatchObject({ status: 'paused', progress: { step } });
    const { checkpoints } = await engine.details(run.id);
    expect(checkpoints.at(-1)).toBe(step);
    // Nothing is measured after the checkpoint while it waits there.
    const rows = await engine.store.readMetrics(run.id);
    expect(rows.at(-1)?.step).toBe(step - 1);
    expect(rows.findLast(({ testAccuracy }) => testAccuracy !== undefined)?.testAccuracy).toBe(measured);

    await engine.runs.control(run.id, 'resume');
    expect([await run.ended, await undisturbed.ended]).toMatchObject([{ status: 'finished' }, { status: 'finished' }]);
    expect(run.id).toBe(undisturbed.id);
    expect(await engine.store.readWeights(run.id)).toEqual(await alone.store.readWeights(run.id));
    const measurements = async ({ store }: Engine) => (await store.readMetrics(run.id)).map(({ seconds: _, ...row }) => row);
    expect(await measurements(engine)).toEqual(await measurements(alone));
  }, 30_000);

  test('keeps the weights of the checkpoint at which a head attends to the answer', async () => {
    const engine = await engineOver('watched');
    const hit = nextHit(engine);
    const run = await start(engine, [{ ...attends, action: 'snapshot' }]);
    const { step, measured, copy } = await hit;
    expect(measured).toBeGreaterThan(0.8);
    expect(await run.ended).toMatchObject({ status: 'finished' });
    const kept = copy?.id ?? '';
    expect(await engine.store.readWeights(kept)).toEqual(await engine.store.readWeights(run.id, step));
    expect(await engine.model(kept)).toMatchObject({ name: `maximum @ ${step}`, status: 'finished', from: { id: run.id, name: 'maximum', checkpoint: step } });
    const { scalars } = await engine.analyses.run({ model: run.id, checkpoint: step, analysis: 'head-scores', params: attends.params }, { signal: new AbortController().signal, progress: () => undefined });
    expect(scalars['answer']).toBe(measured);
  }, 30_000);
});
