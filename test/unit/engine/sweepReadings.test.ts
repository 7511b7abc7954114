import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { Origins } from '../../../src/engine/origins';
import { SweepReadings } from '../../../src/engine/sweepReadings';
import { originOf } from '../../../src/engine/sweepOrigins';
import { modelsOf } from '../../../src/engine/sweepState';
import { sweepIdOf, type SweepRecord } from '../../../src/store/sweepRecords';
import { Store } from '../../../src/store/store';
import { readSweep } from '../../../src/training/sweep';
import { temporaryFolder } from '../store/folders';
import { tinyExperiment } from './experiments';

function recordOf(sweep: unknown, more: object = {}): SweepRecord {
  const text = JSON.stringify({ ...JSON.parse(tinyExperiment()), ...more, sweep });
  return { format: 1, id: '0', name: 'tiny', text, options: { executor: 'slurm', parallel: 0 }, createdAt: 0 };
}

test('a record is read once, and again when its text has changed or it was forgotten', async () => {
  const readings = new SweepReadings(new Origins(await Store.open(await temporaryFolder())));
  const first = await readings.read(recordOf({ seed: [0, 1] }));
  const again = await readings.read({ ...recordOf({ seed: [0, 1] }), kept: '17' });
  expect(again).toBe(first);
  // What else the record says is as new as the record.
  expect(again).toMatchObject({ record: { kept: '17' } });
  expect(await readings.read(recordOf({ seed: [0, 1, 2] }))).toMatchObject({ models: { length: 3 } });
  const before = await readings.read(recordOf({ seed: [0] }));
  readings.forget('0');
  expect(await readings.read(recordOf({ seed: [0] }))).not.toBe(before);
});

test('what is wrong with a record is said, and looked for again', async () => {
  const readings = new SweepReadings(new Origins(await Store.open(await temporaryFolder())));
  const wrong = await readings.read(recordOf({ 'model.d_modle': [8] }));
  expect(wrong).toBeInstanceOf(UserError);
  expect(wrong).toMatchObject({ message: expect.stringMatching(/^The sweep "tiny" cannot be read any more: .*d_modle/) });
  expect(await readings.read(recordOf({ 'model.d_modle': [8] }))).not.toBe(wrong);
});

test('a record that is asked for while it is read is read once, and a forgotten one is not remembered', async () => {
  const readings = new SweepReadings(new Origins(await Store.open(await temporaryFolder())));
  const [one, two] = await Promise.all([readings.read(recordOf({ seed: [0] })), readings.read({ ...recordOf({ seed: [0] }), kept: '17' })]);
  expect(two).toBe(one);
  expect(one).toMatchObject({ record: { kept: '17' } });
  readings.forget('0');
  const reading = readings.read(recordOf({ seed: [0] }));
  readings.forget('0');
  expect(await readings.read(recordOf({ seed: [0] }))).not.toBe(await reading);
});

test('a sweep of fine-tunings is the same one whatever becomes of the file that it starts from', async () => {
  const folder = await temporaryFolder();
  const origins = new Origins(await Store.open(path.join(folder, 'store')));
  const base = path.join(folder, 'base.circuit.json');
  const writeBase = (steps: number) => writeFile(base, tinyExperiment({ name: 'base', steps }));
  await writeBase(20);
  // No run has the seed of the experiment itself; and two start from the same model.
  const { id: _, ...unnamed } = recordOf({ seed: [1, 2], 'training.steps': [5, 6] }, { from: { model: base, checkpoint: 10 } });
  const reading = readSweep(unnamed.text, {}, 10, await origins.lookUp(unnamed));
  const sweep = reading.ok ? reading.sweep : expect.fail(JSON.stringify(reading.problems));
  const without = { ...unnamed, id: sweepIdOf(modelsOf(sweep)) };
  const origin = originOf(sweep) ?? expect.fail('the runs start from a model');
  expect(Object.keys(origin.ids)).toEqual(['1', '2']);

  await writeBase(30);
  const readings = new SweepReadings(origins);
  expect(await readings.read({ ...without, origin })).toMatchObject({ models: modelsOf(sweep) });
  // Older records do not say what it was: the file has to.
  const old = new SweepReadings(origins);
  expect(await old.read(without)).toMatchObject({ message: 'The sweep "tiny" cannot be read any more: What it starts from is not what it was.' });
  await writeBase(20);
  expect(await old.read(without)).toMatchObject({ models: modelsOf(sweep) });
});
