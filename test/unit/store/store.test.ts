import { failingAt, readOnly } from './faults';
import { cp, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { CancelledError, UserError } from '../../../src/common/errors';
import { float32, int32 } from '../../../src/common/tensor';
import { encodeSafetensors } from '../../../src/store/safetensors';
import { Store } from '../../../src/store/store';
import { copyOf, temporaryFolder } from './folders';
import { added, before, operationNames, operations, other, prepare } from './operations';
import { config, experiment, modelRecord, trainingState, weights } from './samples';

let store: Store;
let log: string[];
beforeEach(async () => {
  log = [];
  store = await Store.open(path.join(await temporaryFolder(), 'models'), problem => log.push(problem));
});

/** A model of its own for every seed. */
const numbered = (seed: number, name: string, createdAt = seed) => modelRecord({ experiment: experiment({ seed, name }), createdAt });

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return error instanceof UserError ? error.message : '';
}

describe('opening', () => {
  test('makes the folder, and takes one that is there', async () => {
    expect(path.isAbsolute(store.folder)).toBe(true);
    await store.create(before);
    expect(await (await Store.open(path.relative(process.cwd(), store.folder))).list()).toEqual([before]);
  });

  test('says what is wrong with a place that cannot be a folder', async () => {
    const file = path.join(store.folder, 'file');
    await writeFile(file, '');
    expect(await messageOf(Store.open(file))).toBe(`${file} cannot hold models: it is not a folder.`);
    expect(await messageOf(Store.open(path.join(file, 'models')))).toBe(`There is no folder ${file} to write models in.`);
  });

  test('is at the model, when a model is given by its folder', async () => {
    await store.create(before);
    expect((await Store.openFor(store.pathOf(before.id), 'elsewhere')).folder).toBe(store.folder);
    expect((await Store.openFor('a name', store.folder)).folder).toBe(store.folder);
  });
});

describe('listing', () => {
  test('gives every model, newest first, and nothing else that lies about', async () => {
    const records = [numbered(1, 'a', 10), numbered(2, 'b', 30), numbered(3, 'c', 20)];
    for (const record of records) await store.create(record);
    await writeFile(path.join(store.folder, 'notes.txt'), 'mine');
    await mkdir(path.join(store.folder, 'empty'));
    expect((await store.list()).map(({ name }) => name)).toEqual(['b', 'c', 'a']);
    expect(log).toEqual([]);
  });

  test('is not broken by a broken record: it is logged, and shown as failed', async () => {
    await store.create(before);
    const broken = numbered(1, 'broken');
    await store.create(broken);
    const file = path.join(store.pathOf(broken.id), 'model.json');
    await truncate(file, 100);
    expect(await store.list()).toEqual([before]);
    expect(log).toEqual([`${file} is not JSON.`]);
    expect(await store.summaries()).toContainEqual(expect.objectContaining({
      id: broken.id, name: broken.id, status: 'failed', problem: `${file} is not JSON.`, resumable: false, path: store.pathOf(broken.id),
    }));
    expect(await messageOf(store.read(broken.id))).toBe(`${file} is not JSON.`);
    expect(await messageOf(store.update(broken.id, { name: 'whole' }))).toBe(`${file} is not JSON.`);
    await store.remove(broken.id);
    expect(await store.summaries()).toHaveLength(1);
  });

  test('does not read a record that is too large to be one, or is a folder', async () => {
    await store.create(before);
    const file = path.join(store.pathOf(before.id), 'model.json');
    await truncate(file, 2 ** 40);
    expect((await store.summaries())[0]).toMatchObject({ status: 'failed', problem: `${file} is not a model's record.` });
    await rm(file);
    await mkdir(file);
    expect((await store.summaries())[0]).toMatchObject({ status: 'failed', problem: `${file} is not a model's record.` });
  });

  test('names a copied folder by its own name', async () => {
    await store.create(before);
    await cp(store.pathOf(before.id), store.pathOf('my-copy'), { recursive: true });
    expect((await store.list()).map(({ id }) => id).sort()).toEqual([before.id, 'my-copy'].sort());
    expect((await store.update('my-copy', { name: 'Copy' })).id).toBe('my-copy');
    expect((await store.read(before.id)).name).toBe('before');
  });

  const outside = ['..', '.', '', '../models', '/etc', 'a/b', 'a\\b', '.trash-1', 'nul\0'];
  test.each(outside)('never leaves its folder for the id %j', async id => {
    expect(() => store.pathOf(id)).toThrow(UserError);
    expect(await messageOf(store.read(id))).toContain('There is no model');
    await expect((async () => store.remove(id))()).rejects.toThrow(UserError);
  });
});

describe('a model that says it is training', () => {
  test('is interrupted, and resumable from its checkpoint, when nobody holds its lock', async () => {
    await store.create(modelRecord({ status: 'training' }));
    const { id } = before;
    expect((await store.list())[0]).toMatchObject({ status: 'interrupted' });
    expect((await store.details(id)).summary).toMatchObject({ status: 'interrupted', resumable: false });
    await store.writeCheckpoint(id, trainingState(10));
    expect((await store.details(id)).summary).toMatchObject({ status: 'interrupted', resumable: true });
    expect(await readFile(path.join(store.pathOf(id), 'model.json'), 'utf8'), 'a reader writes nothing').toContain('"training"');
  });

  test('is training while somebody does', async () => {
    await store.create(modelRecord({ status: 'paused' }));
    const lock = await store.lock(before.id);
    expect(await store.isLocked(before.id)).toBe(true);
    expect((await store.summaries())[0]).toMatchObject({ status: 'paused', resumable: false });
    lock.dispose();
    lock.dispose();
    expect(await store.isLocked(before.id)).toBe(false);
    expect((await store.summaries())[0]).toMatchObject({ status: 'interrupted' });
  });

  test('cannot be removed or replaced, nor trained twice', async () => {
    await store.create(before);
    const lock = await store.lock(before.id);
    const busy = `Another process is training the model in ${store.pathOf(before.id)}; stop it there first.`;
    expect(await Promise.all([
      messageOf(store.remove(before.id)),
      messageOf(store.create(before, { replace: true })),
      messageOf(store.lock(before.id)),
    ])).toEqual([busy, busy, busy]);
    expect(await store.list()).toEqual([before]);
    expect((await readdir(store.folder))).toEqual([before.id]);
    lock.dispose();
    await store.remove(before.id);
  });
});

describe('finding', () => {
  const [old, fresh] = [numbered(1, 'clock', 10), numbered(2, 'clock', 20)];

  test('by id, by name (the newest of equal ones), by the beginning of the id, by folder', async () => {
    for (const record of [old, fresh]) await store.create(record);
    expect((await store.find(old.id)).id).toBe(old.id);
    expect((await store.find('clock')).id).toBe(fresh.id);
    expect((await store.find(old.id.slice(0, 6))).id).toBe(old.id);
    expect((await store.find(store.pathOf(old.id))).id).toBe(old.id);
    expect((await store.find(`${path.relative(process.cwd(), store.pathOf(old.id))}${path.sep}`)).id).toBe(old.id);
    await symlink(store.folder, `${store.folder}-link`);
    expect((await store.find(path.join(`${store.folder}-link`, old.id))).id).toBe(old.id);
  });

  test('a name counts before the beginning of an id, because it is whole', async () => {
    await store.create(old);
    await store.create(numbered(3, old.id.slice(0, 3)));
    expect((await store.find(old.id.slice(0, 3))).name).toBe(old.id.slice(0, 3));
  });

  test('says which ids begin alike', async () => {
    await store.create(old);
    for (const id of ['abc1', 'abc2']) await cp(store.pathOf(old.id), store.pathOf(id), { recursive: true });
    expect(await messageOf(store.find('abc'))).toBe('"abc" may be any of the models abc1, abc2; give more of the id.');
  });

  test('lists the nearest names for one that is not there', async () => {
    await store.create(old);
    expect(await messageOf(store.find('clok'))).toBe('There is no model "clok"; the nearest is "clock".');
    expect(await messageOf(store.find(''))).toContain('There is no model ""');
    expect(await messageOf(store.read('0000'))).toContain('There is no model "0000"');
    expect(await messageOf(store.update('0000', {}))).toContain('There is no model "0000"');
    expect(await messageOf(store.lock('0000'))).toContain('There is no model "0000"');
    expect(await messageOf(store.remove('0000'))).toContain('There is no model "0000"');
  });

  test('says where a model of another store is', async () => {
    const elsewhere = await Store.open(await temporaryFolder());
    await elsewhere.create(old);
    expect(await messageOf(store.find(elsewhere.pathOf(old.id))))
      .toBe(`The model in ${elsewhere.pathOf(old.id)} is not one of those in ${store.folder}; open ${elsewhere.folder} as the models folder.`);
  });
});

describe('making, changing and removing', () => {
  test('a model is made once', async () => {
    await store.create(before);
    await store.writeWeights(before.id, weights(1));
    expect([await store.has(before.id), await store.has(other.id)]).toEqual([true, false]);
    expect(await messageOf(store.create(modelRecord({ name: 'second' })))).toBe(`There is a model ${before.id} already.`);
    expect((await store.read(before.id)).name).toBe('before');
    expect(await store.readWeights(before.id)).toEqual(weights(1));
  });

  test('a replaced one starts with nothing of the old', async () => {
    await prepare(store);
    await store.create(modelRecord({ name: 'again' }), { replace: true });
    expect((await store.details(before.id)).checkpoints).toEqual([]);
    expect(await store.readMetrics(before.id)).toEqual([]);
    expect(await messageOf(store.readWeights(before.id))).toBe('"again" has no weights yet: its training has not come to its first checkpoint.');
    expect(await readdir(store.folder)).toEqual([before.id]);
  });

  test('a folder without a record is in nobody\'s way', async () => {
    await mkdir(path.join(store.folder, before.id, 'checkpoints'), { recursive: true });
    await store.create(before);
    expect(await store.list()).toEqual([before]);
  });

  test('names are trimmed and must be there', async () => {
    await store.create(before);
    expect((await store.rename(before.id, '  Clock, seed 0 ')).name).toBe('Clock, seed 0');
    expect(await messageOf(store.rename(before.id, '  '))).toBe('A model\'s name has 1 to 100 characters, and this one has 0.');
    expect(await messageOf(store.rename(before.id, 'x'.repeat(101)))).toBe('A model\'s name has 1 to 100 characters, and this one has 101.');
    expect((await store.read(before.id)).name).toBe('Clock, seed 0');
  });

  test('details give the parameters with their shapes', async () => {
    await prepare(store);
    const { summary, parameters, checkpoints, config: found } = await store.details(before.id);
    expect(summary).toMatchObject({ task: 'modular-arithmetic', n_layers: 1, n_heads: 2, attn_only: true, resumable: true });
    expect(found).toEqual(config);
    expect(parameters).toContainEqual({ name: 'blocks.0.attn.W_Q', shape: [2, 4, 2], trainable: true });
    expect(checkpoints).toEqual([100, 200]);
  });
});

describe('weights and checkpoints', () => {
  beforeEach(() => prepare(store));
  const { id } = before;

  test('come back bit for bit, each step its own, and the newest without a step', async () => {
    expect(await store.readWeights(id, 100)).toEqual(weights(100));
    expect(await store.readWeights(id)).toEqual(weights(200));
    expect(await store.readCheckpoint(id)).toEqual(trainingState(200));
    await store.writeCheckpoint(id, { ...trainingState(300), seconds: 0.1 + 0.2 });
    expect(await store.readWeights(id)).toEqual(weights(300));
    expect((await store.readCheckpoint(id, 300)).seconds).toBe(0.1 + 0.2);
  });

  test('a model without checkpoints, as an imported one, has its weights alone', async () => {
    await store.create(other);
    await store.writeWeights(other.id, weights(1));
    expect(await store.readWeights(other.id)).toEqual(weights(1));
    expect(await messageOf(store.readCheckpoint(other.id))).toBe('"other" has no checkpoint to resume from.');
    expect(await messageOf(store.readWeights(other.id, 5))).toBe('"other" has no checkpoint at step 5; it has none at all.');
  });

  test('a missing checkpoint is told with the nearest steps', async () => {
    await store.writeCheckpoint(id, trainingState(900));
    expect(await messageOf(store.readWeights(id, 210))).toBe('"before" has no checkpoint at step 210; the nearest are at 100 and 200.');
    expect(await messageOf(store.readCheckpoint(id, 200)))
      .toBe('"before" can be resumed from step 900 alone, not from step 200: only the newest checkpoint keeps the optimizer\'s state.');
  });

  test('files that are no checkpoints are none', async () => {
    for (const name of ['notes.txt', '-1.safetensors', '007.safetensors', '1.5.safetensors']) {
      await writeFile(path.join(store.pathOf(id), 'checkpoints', name), '');
    }
    expect(await store.checkpoints(id)).toEqual([100, 200]);
  });

  test('a checkpoint cut in half is one clear sentence, and the others are still there', async () => {
    const file = path.join(store.pathOf(id), 'checkpoints', '200.safetensors');
    await truncate(file, (await readFile(file)).length / 2);
    expect(await messageOf(store.readWeights(id))).toMatch(new RegExp(`^${file} is cut short: .*\\.$`));
    expect(await store.readWeights(id, 100)).toEqual(weights(100));
    expect(await store.readCheckpoint(id)).toEqual(trainingState(200));
  });

  test('a resume file that does not say where it stands is refused', async () => {
    const file = path.join(store.pathOf(id), 'resume.safetensors');
    await writeFile(file, Buffer.concat(encodeSafetensors(new Map(), new Map([['step', 'NaN']]))));
    expect(await messageOf(store.readCheckpoint(id))).toBe(`${file} does not say its step.`);
  });

  test('weights that are not those of the model are told by the first that does not fit', async () => {
    const write = (change: (map: Map<string, ReturnType<typeof float32>>) => void) => {
      const changed = weights(1);
      change(changed);
      return store.writeCheckpoint(id, { ...trainingState(300), parameters: changed });
    };
    await write(map => map.delete('unembed.W_U'));
    expect(await messageOf(store.readWeights(id))).toBe('The saved weights of "before" lack "unembed.W_U".');
    expect(await messageOf(store.readCheckpoint(id))).toBe('The saved weights of "before" lack "unembed.W_U".');
    await write(map => map.set('unembed.W_U', float32([3, 4])));
    expect(await messageOf(store.readWeights(id))).toBe('The saved weights of "before" do not fit it: "unembed.W_U" is [3, 4], where the model has [4, 3].');
    await write(map => map.set('blocks.9.attn.W_Q', float32([1])));
    expect(await messageOf(store.readWeights(id))).toBe('The saved weights of "before" have "blocks.9.attn.W_Q", which the model does not.');
    const file = path.join(store.pathOf(id), 'checkpoints', '300.safetensors');
    await writeFile(file, Buffer.concat(encodeSafetensors(new Map([['embed.W_E', int32([5, 4])]]))));
    expect(await messageOf(store.readWeights(id))).toBe(`${file}: tensor "embed.W_E" holds integers, where a model's weights are expected.`);
  });

  test('a run that goes on from an earlier step than its checkpoints forgets what came after', async () => {
    await store.writeCheckpoint(id, trainingState(300));
    await store.rewind(id, 200);
    expect(await store.checkpoints(id)).toEqual([100, 200]);
    expect((await store.readMetrics(id)).map(({ step }) => step)).toEqual([0, 100, 200]);
    await store.rewind(id, 150);
    expect((await store.readMetrics(id)).map(({ step }) => step)).toEqual([0, 100]);
  });

  test('nothing is written into a model that was removed', async () => {
    await store.remove(id);
    expect(await messageOf(store.writeCheckpoint(id, trainingState(300)))).toContain('There is no folder');
    expect(await messageOf(store.writeWeights(id, weights(1)))).toContain('There is no folder');
    expect(await messageOf(store.appendMetrics(id, [{ step: 1, seconds: 1 }]))).toContain('There is no folder');
    expect(await readdir(store.folder)).toEqual([]);
  });
});

/** What was begun and not finished. A removal that failed may still be at work in the trash, which is nobody's any more. */
async function halfMade(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.trash-'));
  const inside = await Promise.all(names.filter(entry => entry.isDirectory()).map(({ name }) => readdir(path.join(folder, name), { recursive: true })));
  return [...names.map(({ name }) => name), ...inside.flat()].filter(name => name.endsWith('.tmp') || name.startsWith('.new'));
}

describe('a model that comes with its numbers', () => {
  const { id: _, ...unnumbered } = added;
  const add = (fill: Parameters<Store['add']>[1]) => store.add(unnumbered, fill);

  test('is there whole: checkpoints, weights and metrics, and nothing to resume from', async () => {
    await operations.add(store);
    expect(await store.list()).toEqual([added]);
    expect(await store.checkpoints(added.id)).toEqual([10]);
    expect(await store.readWeights(added.id, 10)).toEqual(weights(10));
    expect(await store.readMetrics(added.id)).toEqual([{ step: 10, seconds: 0, testLoss: 0.25 }]);
    expect(await readdir(store.pathOf(added.id))).toEqual(['checkpoints', 'metrics.jsonl', 'model.json', 'weights.safetensors']);
    expect((await store.details(added.id)).summary.resumable).toBe(false);
  });

  test('has an id of its config and its numbers, in whatever order and under whatever name they come', async () => {
    const { id } = await add(draft => draft.writeWeights(weights(1)));
    const renamed = await store.add({ ...unnumbered, name: 'another', createdAt: 1 }, draft => draft.writeWeights(new Map([...weights(1)].reverse())));
    expect(renamed).toEqual({ id, isNew: false });
    expect((await store.list()).map(({ name }) => name), 'what was there stays').toEqual(['added']);
    const others = await Promise.all([
      add(draft => draft.writeWeights(weights(2))),
      add(draft => draft.writeCheckpoint(1, weights(1))),
      add(draft => draft.writeCheckpoint(2, weights(1))),
      store.add({ ...unnumbered, config: { ...config, act_fn: 'gelu' } }, draft => draft.writeWeights(weights(1))),
    ]);
    expect(new Set([id, ...others.map(other => other.id)]).size).toBe(5);
  });

  test('is not there when its numbers do not fit, or do not come', async () => {
    const [[first, tensor] = ['', float32([])]] = weights(1);
    expect(await messageOf(add(draft => draft.writeWeights(new Map([[first, tensor]]))))).toBe('The saved weights of "added" lack "pos_embed.W_pos".');
    await expect(add(async draft => {
      await draft.writeWeights(weights(1));
      throw new CancelledError();
    })).rejects.toThrow(CancelledError);
    expect(await readdir(store.folder)).toEqual([]);
  });
});

describe('a disk that is', () => {
  test('read-only can be browsed, and says so when it is written to', async () => {
    await prepare(store);
    await readOnly(async () => {
      const opened = await Store.open(store.folder);
      expect(await opened.summaries()).toHaveLength(1);
      expect(await opened.find('before')).toEqual(before);
      expect(await opened.readWeights(before.id, 100)).toEqual(weights(100));
      expect(await opened.readMetrics(before.id)).toHaveLength(3);
      for (const operation of operationNames) {
        expect(await messageOf(operations[operation](opened)), operation)
          .toMatch(/^\/.* is read-only, so .* cannot be written there; make it writable or choose another folder\.$/);
      }
      expect(await messageOf(opened.lock(before.id))).toContain('is read-only');
    });
    expect(await store.list()).toEqual([before]);
  });

  test.for(operationNames)('full at any moment of %s keeps what was there', async operation => {
    await prepare(store);
    let came = true;
    for (let point = 1; came; point++) {
      const copy = await Store.open(await copyOf(store.folder), problem => log.push(problem));
      came = await failingAt(point, 'ENOSPC', async () => {
        const problem = await operations[operation](copy).then(() => undefined, (error: unknown) => error);
        if (problem === undefined) return;
        expect(problem).toBeInstanceOf(UserError);
        expect(String(problem)).toMatch(/^UserError: The disk that holds .* is full: .* for .*\.$/);
      });
      expect((await copy.summaries()).filter(({ problem }) => problem?.includes('cannot be read'))).toEqual([]);
      for (const { id } of await copy.list()) {
        for (const step of await copy.checkpoints(id)) expect(await copy.readWeights(id, step)).toEqual(weights(step));
        if (id !== added.id && (await copy.checkpoints(id)).length > 0) await copy.readCheckpoint(id);
        await copy.readMetrics(id);
      }
      expect(await halfMade(copy.folder), `point ${point}`).toEqual([]);
    }
    expect(log.filter(message => !message.includes('could not be removed'))).toEqual([]);
  });
});
