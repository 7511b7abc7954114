import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { experimentFileLimit } from '../../../src/protocol/experiment';
import { runsLimit } from '../../../src/protocol/sweep';
import { Store } from '../../../src/store/store';
import { keptLimit, sweepIdOf, SweepRecords, type SweepRecord } from '../../../src/store/sweepRecords';
import { temporaryFolder } from './folders';
import { config, experiment, modelRecord } from './samples';

const id = sweepIdOf(['a', 'b']);
const record: SweepRecord = { format: 1, id, name: 'widths', text: '{}', options: { executor: 'local', parallel: 2 }, createdAt: 5 };

async function sweeps(): Promise<{ readonly store: string; readonly records: SweepRecords; readonly lines: string[] }> {
  const store = await temporaryFolder();
  const lines: string[] = [];
  return { store, lines, records: new SweepRecords(store, line => lines.push(line)) };
}

test('a sweep is the models that its runs train, in their order', () => {
  expect(sweepIdOf(['a', 'b'])).toBe(id);
  expect(sweepIdOf(['b', 'a'])).not.toBe(id);
  expect(sweepIdOf(['a', 'a', 'b'])).not.toBe(sweepIdOf(['a', 'b', 'a']));
  expect(sweepIdOf(['a', 'c'])).not.toBe(id);
});

test('sweeps are kept, listed newest first, changed and removed', async () => {
  const { records, store } = await sweeps();
  const newer = { ...record, id: sweepIdOf(['c']), createdAt: 6, options: { executor: 'slurm', parallel: 0, slurm: { partition: 'gpu' } }, kept: '17' } as const;
  await records.write(record);
  await records.write(newer);
  expect(await records.list()).toEqual([newer, record]);
  await records.write({ ...record, kept: '18' });
  expect(await records.read(id)).toEqual({ ...record, kept: '18' });
  await writeFile(path.join(records.folderOf(id), 'task.json'), '{}');
  await records.remove(id);
  expect(await records.tryRead(id)).toBeUndefined();
  expect(await readdir(store)).toEqual(['sweeps']);
  await expect(records.read(id)).rejects.toThrow(`There is no sweep "${id}"`);
  await expect(records.remove(id)).rejects.toThrow(UserError);
});

test('what an executor keeps changes nothing else, nothing that another process kept, and no sweep that is gone', async () => {
  const { records } = await sweeps();
  await records.write(record);
  await records.keep(id, undefined, '17');
  await records.write({ ...record, name: 'renamed elsewhere', kept: '17' });
  await records.keep(id, '17', '18');
  expect(await records.read(id)).toEqual({ ...record, name: 'renamed elsewhere', kept: '18' });
  await expect(records.keep(id, '17', '19')).rejects.toThrow('Another process has submitted or settled jobs');
  await records.keep(id, '17', undefined);
  expect((await records.read(id)).kept).toBe('18');
  await records.keep(id, '18', undefined);
  await records.keep(id, '18', undefined);
  expect(await records.read(id)).not.toHaveProperty('kept');
  await records.remove(id);
  await expect(records.keep(id, undefined, '20')).rejects.toThrow(`There is no sweep "${id}"`);
  await records.keep(id, '20', undefined);
  await records.keep(id, undefined, undefined);
  expect(await records.list()).toEqual([]);
});

test('the longest experiment, with an origin for each of the most runs and what is kept of as many, is a record', async () => {
  const { records } = await sweeps();
  const { model, task } = experiment();
  const ids = Object.fromEntries(Array.from({ length: runsLimit }, (_, run) => [String(0x7fffffff - run), id]));
  const largest: SweepRecord = { ...record, text: '語'.repeat(experimentFileLimit), origin: { name: 'base', checkpoint: 10, model, config, task, ids }, kept: '9'.repeat(keptLimit) };
  await records.write(largest);
  expect(await records.read(id)).toEqual(largest);
});

describe('what is read is not believed', () => {
  const good = JSON.stringify(record);
  test.each([
    ['no JSON', 'nonsense', /is not JSON\.$/],
    ['another format', JSON.stringify({ ...record, format: 2 }), /newer version/],
    ['an executor that does not exist', good.replace('"local"', '"cloud"'), /is not a sweep's record \("options\.executor"\)/],
    ['more than one line for a cluster', JSON.stringify({ ...record, options: { executor: 'slurm', parallel: 0, slurm: { partition: 'a\n#SBATCH --wrap=x' } } }), /one line/],
    ['a field too many', good.replace('{', '{"colour":"red",'), /"colour"/],
    ['more than a record', `${good}${' '.repeat(12 << 20)}`, /is not a sweep's record\.$/],
  ])('%s', async (_, text, message) => {
    const { records, lines } = await sweeps();
    await records.write(record);
    await writeFile(path.join(records.folderOf(id), 'sweep.json'), text);
    await expect(records.read(id)).rejects.toThrow(message);
    expect(await records.list()).toEqual([]);
    expect(lines).toEqual([expect.stringMatching(message)]);
  });

  test('the folder\'s name counts, not what the record says of it', async () => {
    const { records } = await sweeps();
    await records.write(record);
    const other = sweepIdOf(['elsewhere']);
    await writeFile(path.join(records.folderOf(id), 'sweep.json'), JSON.stringify({ ...record, id: other }));
    expect((await records.list()).map(found => found.id)).toEqual([id]);
  });

  test.each(['../models', '', 'UPPER', `${id}/..`, '0'.repeat(17)])('%j names no sweep', async name => {
    const { records } = await sweeps();
    await expect(records.read(name)).rejects.toThrow('There is no sweep');
    expect(() => records.folderOf(name)).toThrow(UserError);
  });

  test('a folder in its place is no sweep', async () => {
    const { records, store } = await sweeps();
    await mkdir(path.join(store, 'sweeps', id, 'sweep.json'), { recursive: true });
    await symlink('/nowhere', path.join(store, 'sweeps', 'link'));
    await expect(records.read(id)).rejects.toThrow('is not a sweep\'s record.');
    expect(await records.list()).toEqual([]);
  });
});

test('models do not notice sweeps', async () => {
  const folder = await temporaryFolder();
  const lines: string[] = [];
  const store = await Store.open(folder, line => lines.push(line));
  await store.create(modelRecord());
  const records = new SweepRecords(folder, line => lines.push(line));
  await records.write(record);
  await writeFile(path.join(folder, 'sweeps', 'model.json'), '{}');
  expect((await store.summaries()).map(model => model.id)).toEqual([modelRecord().id]);
  expect(() => store.pathOf('sweeps')).toThrow('There is no model "sweeps".');
  await expect(store.find('sweeps')).rejects.toThrow('There is no model "sweeps"');
  expect(lines).toEqual([]);
});

test('what a crash left in a sweep goes when the store is opened later', async () => {
  const { records, store } = await sweeps();
  await records.write(record);
  const [old, fresh] = ['.sweep.json.1.tmp', '.sweep.json.2.tmp'].map(name => path.join(records.folderOf(id), name));
  for (const file of [old ?? '', fresh ?? '']) await writeFile(file, '{');
  await utimes(old ?? '', 1, 1);
  await Store.open(store);
  expect((await readdir(records.folderOf(id))).sort()).toEqual(['.sweep.json.2.tmp', 'sweep.json']);
});
