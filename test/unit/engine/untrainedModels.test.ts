import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine';
import { importModel } from '../../../src/engine/imports';
import { experimentOf } from '../../../src/engine/runs';
import { standingOf } from '../../../src/engine/standing';
import { modelText } from '../../../src/engine/words/model';
import { modelsTable } from '../../../src/engine/words/models';
import { idOf } from '../../../src/store/modelRecord';
import { engineIn } from '../../support/engines';
import { configOf } from '../../support/models';
import { writeModelFile } from '../../support/weightFiles';
import { temporaryFolder } from '../store/folders';
import { tinyExperiment } from './experiments';

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await temporaryFolder();
  engine = await engineIn(folder);
});

/** Sizes of modular arithmetic with a modulus of 7. */
const modular = configOf({ d_vocab: 8, d_vocab_out: 7, n_ctx: 3 });

async function imported(config = modular) {
  const file = await writeModelFile(path.join(folder, 'tiny.safetensors'), config);
  return (await importModel(engine, { file }, new AbortController().signal)).model;
}

/** What a tiny experiment without a model of its own would train. */
async function startingFrom(from: unknown, task = { name: 'modular-arithmetic', modulus: 7 }) {
  const { model: _, ...rest } = JSON.parse(tinyExperiment()) as Record<string, unknown>;
  const text = JSON.stringify({ ...rest, task, from });
  return experimentOf({ text }, await engine.runs.origins.lookUp({ text }));
}

describe('a model that was imported', () => {
  test('can be neither resumed nor trained again, and comes to no breakpoints', async () => {
    const { id } = await imported();
    const whence = 'it was imported from tiny.safetensors, with weights as TransformerLens has them. An experiment can start from it, with "from".';
    await expect(engine.runs.control(id, 'resume')).rejects.toThrow(`"tiny" has no training to resume: ${whence}`);
    await expect(engine.runs.control(id, 'retrain')).rejects.toThrow(`"tiny" has no training to do again: ${whence}`);
    await expect(engine.breakpoints.set(id, [])).rejects.toThrow(`"tiny" has no run that could come to a breakpoint: ${whence}`);
    for (const action of ['stop', 'pause', 'step'] as const) await expect(engine.runs.control(id, action)).rejects.toThrow('"tiny" is not being trained.');
    expect(await engine.model(id)).toMatchObject({ status: 'finished' });
  });

  test('is renamed and deleted as any other', async () => {
    const { id } = await imported();
    expect((await engine.store.rename(id, 'mine')).source).toMatchObject({ file: 'tiny.safetensors' });
    await engine.runs.control(id, 'delete');
    expect(await engine.models()).toEqual([]);
  });

  test('is not what an experiment of its name has trained before', async () => {
    await imported();
    const standing = await standingOf(engine, { text: tinyExperiment({ name: 'tiny' }) });
    expect(standing.model ?? standing.before).toBeUndefined();
  });

  test('can be started from, with its architecture', async () => {
    const { id } = await imported();
    const experiment = await startingFrom('tiny');
    const { resolved, config, origin } = experiment;
    expect(resolved.from).toEqual({ id, name: 'tiny' });
    expect(config).toEqual(modular);
    expect(origin?.isUntrained).toBe(true);
    expect(idOf(resolved)).not.toBe(id);
    await engine.runs.checkOrigins([experiment]);
    await expect(engine.runs.checkOrigins([await startingFrom({ model: 'tiny', checkpoint: 5 })])).rejects.toThrow('"tiny" has no checkpoint at step 5; it has none at all.');
  });

  test('says which tasks can be trained from it, where one cannot', async () => {
    await imported(configOf({ d_vocab: 8, d_vocab_out: 7, n_ctx: 10 }));
    await expect(startingFrom('tiny')).rejects.toThrow('pos_embed.W_pos is [3, 8] here and [10, 8] in "tiny"; the task that fits has 8 words, 7 answers to choose from and 10 positions.');
  });

  test('says in words where it comes from', async () => {
    const { id } = await imported();
    expect(modelsTable(await engine.models())).toMatch(/tiny .* imported /);
    const text = modelText(await engine.details(id), '');
    expect(text).toContain(`tiny (${id}), imported from tiny.safetensors, with weights as TransformerLens has them`);
    expect(text).not.toContain('step 0 of 0');
  });
});
