import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Store } from '../../../src/store/store';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../support/bundles';
import { tinyExperiment } from '../engine/experiments';
import { runHere, type Outcome } from './commandLine';

describe('experiments that start from others', { timeout: 120_000 }, () => {
  let bundles: Bundles;
  let folder: string;

  beforeAll(async () => {
    bundles = await buildBundles(trainerEntryPoints);
    folder = await mkdtemp(path.join(tmpdir(), 'cli-'));
    await writeFile(path.join(folder, 'base.circuit.json'), tinyExperiment({ name: 'base', steps: 20 }));
    await write('tuned', { from: './base.circuit.json' });
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(folder, { recursive: true });
  });

  const fileOf = (name: string) => path.join(folder, `${name}.circuit.json`);

  /** A tiny experiment without a model of its own. */
  async function write(name: string, more: object, { steps = 10 } = {}): Promise<string> {
    const { model: _, ...rest } = JSON.parse(tinyExperiment({ name, steps })) as Record<string, unknown>;
    await writeFile(fileOf(name), JSON.stringify({ ...rest, ...more }));
    return fileOf(name);
  }

  function circuits(store: string, ...words: readonly string[]): Promise<Outcome> {
    return runHere(bundles.folder, [...words, '--store', path.join(folder, store)]);
  }

  async function json(store: string, ...words: readonly string[]) {
    const { code, out, err } = await circuits(store, ...words, '--json');
    expect(code, err).toBe(0);
    return JSON.parse(out);
  }

  test('train what they start from first, with the same seed, and start from its weights', async () => {
    const { code, out, err } = await circuits('first', 'train', fileOf('tuned'), '--seed', '3', '--steps', '0', '--json');
    expect(code, err).toBe(0);
    expect(err).toContain('It starts from "base" (seed 3), which is trained first.');
    const tuned = JSON.parse(out);
    const base = await json('first', 'train', fileOf('base'), '--seed', '3');
    expect(base.cached).toBe(true);
    expect(await json('first', 'show', 'tuned')).toMatchObject({ from: { id: base.id, name: 'base' }, seed: 3, progress: { step: 0, steps: 0 }, checkpoints: [0] });
    // Nothing was trained: it is the other, down to the last bit.
    const store = await Store.open(path.join(folder, 'first'));
    expect(await store.readWeights(tuned.id)).toEqual(await store.readWeights(base.id));
    expect((await circuits('first', 'show', 'tuned')).out).toContain(`fine-tuned from base (${base.id})`);
    expect((await circuits('first', 'models')).out).toMatch(/fine-tuned from/);
    const { models } = await json('first', 'models');
    expect(models.map(({ name, from }: { name: string; from?: object }) => [name, from])).toEqual([['tuned', { id: base.id, name: 'base' }], ['base', undefined]]);
  });

  test('start from a checkpoint, or from a stored model', async () => {
    const base = await json('second', 'train', fileOf('base'));
    const early = await json('second', 'train', await write('early', { from: { model: base.id.slice(0, 8), checkpoint: 10 } }), '--steps', '0');
    const store = await Store.open(path.join(folder, 'second'));
    expect(await store.readWeights(early.id)).toEqual(await store.readWeights(base.id, 10));
    const missing = await circuits('second', 'train', await write('missing', { from: { model: 'base', checkpoint: 7 } }));
    expect(missing).toMatchObject({ code: 2, err: expect.stringContaining('"base" has no checkpoint at step 7; the nearest are at 10 and 20.') });
  });

  test('a claim can be about another experiment, which is trained too', async () => {
    const learns = { claim: 'it learns', analysis: 'training-curves', scalar: 'testLoss', expect: '< 100' };
    // The other starts from this one, which is no cycle.
    await write('chained', { from: 'claiming.circuit.json' });
    const file = fileOf('claiming');
    await writeFile(file, JSON.stringify({
      ...JSON.parse(tinyExperiment({ name: 'claiming' })),
      claims: [learns, { ...learns, claim: 'so does the other', of: 'chained.circuit.json' }],
    }));
    const { experiments: [verified] } = await json('third', 'verify', file, '--seed', '1');
    expect(verified.claims).toMatchObject([{ claim: 'it learns', ok: true }, { claim: 'so does the other', of: 'chained.circuit.json', ok: true }]);
    expect(verified.claims[0].measured).not.toBe(verified.claims[1].measured);
    const { models } = await json('third', 'models');
    expect(models.map(({ name }: { name: string }) => name).sort()).toEqual(['chained', 'claiming']);
    const { id } = models.find(({ name }: { name: string }) => name === 'chained');
    expect(verified.claims.map(({ model }: { model?: string }) => model)).toEqual([undefined, id]);
    expect((await circuits('third', 'verify', file, '--seed', '1')).out).toMatch(new RegExp(`of\\s+measured[^]*chained\\.circuit\\.json \\(${id}\\)`));
    // What is changed here is not changed there.
    const refused = (changes: string, change: string) => `${changes} ${change} this experiment alone, and not "chained.circuit.json", which some of its claims are about; make the change in a copy of the file without those claims.\n`;
    expect(await circuits('third', 'verify', file, '--steps', '5')).toMatchObject({ code: 2, out: '', err: refused('--steps', 'changes') });
    expect((await circuits('third', 'verify', file, '--seed', '1', '--set', 'claims.0.expect=< 1000')).code).toBe(0);
    expect(await circuits('third', 'verify', file, '--steps', '5', '--set', 'training.batch=4')).toMatchObject({ code: 2, out: '', err: refused('--steps and --set', 'change') });
  });

  test('a sweep over seeds trains what each run starts from', async () => {
    const file = await write('swept', { from: 'base.circuit.json', sweep: { seed: [0, 1] } });
    const { rows } = await json('fourth', 'sweep', file);
    expect(rows).toMatchObject([{ seed: 0, status: 'finished' }, { seed: 1, status: 'finished' }]);
    const { models } = await json('fourth', 'models');
    expect(models.map(({ name }: { name: string }) => name.slice(0, 5)).sort()).toEqual(['base', 'base', 'swept', 'swept']);
  });

  describe('what would take days', () => {
    const refusal = /Training "[^"]+" would take about [\d,]+ (hours|days) on this CPU; train it on a GPU, or force it with --force\./;
    /** By its steps it takes days; by its loss, which is soon below this bound, it ends when it is first measured. */
    const long = {
      model: { n_layers: 1, n_heads: 2, d_model: 512, d_head: 256, attn_only: true, biases: true },
      training: { steps: 1_000_000_000, checkpointEvery: 0, evaluateEvery: 1, batch: 'full', stopWhen: { metric: 'trainLoss', below: 1000 } },
    };

    beforeAll(() => write('long', long));

    test('is refused, unless it is forced', async () => {
      const train = ['train', fileOf('long'), '--device', 'cpu'];
      const refused = await circuits('fifth', ...train);
      expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(refusal) });
      expect(await json('fifth', 'models')).toEqual({ models: [] });
      const { id } = await json('fifth', ...train, '--force');
      expect(await json('fifth', 'show', id)).toMatchObject({ name: 'long', status: 'finished' });
    });

    test('is refused, unless it is forced, where something short starts from it', async () => {
      const train = ['train', await write('short', { from: 'long.circuit.json' }), '--device', 'cpu'];
      const refused = await circuits('sixth', ...train);
      expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(refusal) });
      expect(refused.err).toContain('"long"');
      expect(await json('sixth', 'models')).toEqual({ models: [] });
      await json('sixth', ...train, '--force');
      const { models } = await json('sixth', 'models');
      expect(models).toMatchObject([{ name: 'short', status: 'finished' }, { name: 'long', status: 'finished' }]);
    });

    test('is refused, unless it is forced, in a sweep and where its runs start from it', async () => {
      const sweep = { sweep: { seed: [0, 1] } };
      const runs = await write('runs', { ...long, ...sweep });
      const refused = JSON.parse((await circuits('seventh', 'sweep', runs, '--json')).out);
      expect(refused.rows).toMatchObject(Array.from({ length: 2 }, () => ({ status: 'failed', problem: expect.stringMatching(refusal) })));
      expect(await json('seventh', 'models')).toEqual({ models: [] });
      const tuned = await write('tuned-runs', { ...long, ...sweep, from: 'long.circuit.json' });
      expect(await circuits('seventh', 'sweep', tuned)).toMatchObject({ code: 2, err: expect.stringMatching(refusal) });
      expect((await json('seventh', 'sweep', tuned, '--force')).rows).toMatchObject([{ seed: 0, status: 'finished' }, { seed: 1, status: 'finished' }]);
      expect((await json('seventh', 'models')).models).toHaveLength(4);
    });
  });
});
