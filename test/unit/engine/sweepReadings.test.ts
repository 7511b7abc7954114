import { expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { Origins } from '../../../src/engine/origins';
import { SweepReadings } from '../../../src/engine/sweepReadings';
import type { SweepRecord } from '../../../src/store/sweepRecords';
import { Store } from '../../../src/store/store';
import { temporaryFolder } from '../store/folders';
import { tinyExperiment } from './experiments';

function recordOf(sweep: unknown): SweepRecord {
  const text = JSON.stringify({ ...JSON.parse(tinyExperiment()), sweep });
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

test('what is wrong with a record is found once', async () => {
  const readings = new SweepReadings(new Origins(await Store.open(await temporaryFolder())));
  const wrong = await readings.read(recordOf({ 'model.d_modle': [8] }));
  expect(wrong).toBeInstanceOf(UserError);
  expect(wrong).toMatchObject({ message: expect.stringMatching(/^The sweep "tiny" cannot be read any more: .*d_modle/) });
  expect(await readings.read(recordOf({ 'model.d_modle': [8] }))).toBe(wrong);
});
