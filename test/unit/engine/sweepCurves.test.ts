import { expect, test } from 'vitest';
import { CancelledError, UserError } from '../../../src/common/errors';
import { readCurves } from '../../../src/engine/sweepCurves';
import type { MetricsRow } from '../../../src/protocol/model';
import type { SweepRow } from '../../../src/protocol/sweep';

const rows = [0, 1, 2].map((index): SweepRow => ({ index, values: { seed: index }, model: `m${index}`, status: 'finished', progress: { step: 1, steps: 1 }, metrics: {} }));
const sweep = { name: 'seeds', rows };

function storeOf(metrics: Readonly<Record<string, readonly MetricsRow[]>>, read: string[] = []) {
  return { readMetrics: async (model: string) => { read.push(model); return [...(metrics[model] ?? [])]; } };
}
const never = new AbortController().signal;

test('a curve has a measurement wherever there is one, of the runs that were asked for alone', async () => {
  const read: string[] = [];
  const store = storeOf({
    m0: [{ step: 0, seconds: 0, testLoss: 9 }],
    m2: [{ step: 0, seconds: 0, testLoss: 4, testAccuracy: 0.1 }, { step: 5, seconds: 1, trainLoss: 3 }, { step: 10, seconds: 2, testLoss: 0 }, { step: 15, seconds: 3, testLoss: Infinity }],
  }, read);
  expect(await readCurves(store, sweep, { metric: 'testLoss', runs: [2, 1] }, never)).toEqual([
    { run: 2, steps: Float64Array.of(0, 10), values: Float64Array.of(4, 0), measured: 2 },
    { run: 1, steps: Float64Array.of(), values: Float64Array.of(), measured: 0 },
  ]);
  expect(read).toEqual(['m2', 'm1']);
  expect(await readCurves(store, sweep, { metric: 'testAccuracy', runs: [2] }, never)).toMatchObject([{ steps: Float64Array.of(0), values: Float64Array.of(0.1) }]);
});

test('a long curve is thinned to some three hundred points, with its highest and lowest in their places', async () => {
  const long = Array.from({ length: 20_000 }, (_, step): MetricsRow => ({ step, seconds: 0, trainLoss: step === 7777 ? 50 : step === 12_345 ? 1e-9 : 1 + (step % 3) }));
  const [curve] = await readCurves(storeOf({ m0: long }), sweep, { metric: 'trainLoss', runs: [0] }, never);
  if (!curve) throw new Error('there is no curve');
  expect(curve.measured).toBe(20_000);
  expect(curve.steps.length).toBeGreaterThan(100);
  expect(curve.steps.length).toBeLessThanOrEqual(302);
  expect([curve.steps[0], curve.steps.at(-1)]).toEqual([0, 19_999]);
  expect([7777, 12_345].map(step => curve.values[curve.steps.indexOf(step)])).toEqual([50, 1e-9]);
});

test('a run that there is not is said by its number', async () => {
  await expect(readCurves(storeOf({}), sweep, { metric: 'testLoss', runs: [3] }, never)).rejects.toThrow(new UserError('The sweep "seeds" has no run 4; it has 3.'));
});

test('what is not wanted any more is not read to its end', async () => {
  const read: string[] = [];
  const abort = new AbortController();
  const store = { readMetrics: async (model: string) => { read.push(model); abort.abort(); return []; } };
  await expect(readCurves(store, sweep, { metric: 'testLoss', runs: [0, 1, 2] }, abort.signal)).rejects.toThrow(CancelledError);
  expect(read).toEqual(['m0']);
});
