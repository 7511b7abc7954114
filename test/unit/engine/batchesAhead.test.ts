import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Lifetime } from '../../../src/common/lifetime';
import { UserError } from '../../../src/common/errors';
import { BatchesAhead } from '../../../src/engine/batchesAhead';
import { tasks } from '../../../src/tasks/registry';
import { trainingData } from '../../../src/training/data';
import type { PreparedExperiment } from '../../../src/training/experiment';
import { runTraining } from '../../../src/training/loop';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../support/bundles';
import { copyOf, prepared, RecordingHost } from '../../support/experiments';
import { onnx } from '../../support/runtimes';

const arrayUpdate = prepared({
  task: { name: 'array-update', length: 2, numbers: 5, modulus: undefined, trainFraction: undefined },
  training: { batch: 8, evaluationExamples: 32 },
});

describe('batches that a thread draws ahead', { timeout: 60_000 }, () => {
  let bundles: Bundles;
  let live = new Lifetime();

  beforeAll(async () => {
    bundles = await buildBundles({ sampler: trainerEntryPoints.sampler });
  });
  afterEach(() => {
    live.dispose();
    live = new Lifetime();
  });
  afterAll(() => bundles.dispose());

  const open = (experiment: PreparedExperiment, file = 'sampler.js') => live.add(new BatchesAhead(experiment, { sampler: path.join(bundles.folder, file), taskModule: '' }));

  const drawnTasks = tasks.map(({ id }) => prepared({ task: id, model: { attention_dir: 'bidirectional' }, training: { batch: 16 } })).filter(({ task }) => !task.split);

  test('there are tasks that draw theirs, among them the shortest paths', () => {
    expect(drawnTasks.map(({ resolved }) => resolved.task.name)).toEqual(expect.arrayContaining(['array-update', 'shortest-paths']));
  });

  test.each(drawnTasks.map(experiment => [experiment.resolved.task.name, experiment] as const))('are those that are drawn in place: %s', async (_, experiment) => {
    const { task, resolved: { seed } } = experiment;
    const ahead = open(experiment);
    const place = trainingData(task, 16, seed);
    expect(ahead.size).toBe(16);
    // From the beginning, from the middle, as a resumed run does, and once more what was asked for before.
    for (const step of [1, 2, 3, 4, 5, 900, 901, 2, 2]) expect(await ahead.batch(step), `step ${step}`).toEqual(place.batch(step));
  });

  test('train a model to the same weights, bit for bit, and go on from a checkpoint to them', async () => {
    const place = copyOf((await runTraining(arrayUpdate, onnx, new RecordingHost())).state);
    const ahead = copyOf((await runTraining(arrayUpdate, onnx, new RecordingHost(), undefined, undefined, open(arrayUpdate))).state);
    expect(ahead.parameters).toEqual(place.parameters);
    const stopped = await runTraining(arrayUpdate, onnx, new RecordingHost(5), undefined, undefined, open(arrayUpdate));
    expect(stopped).toMatchObject({ status: 'stopped', state: { step: 5 } });
    const resumed = await runTraining(arrayUpdate, onnx, new RecordingHost(), copyOf(stopped.state), undefined, open(arrayUpdate));
    expect(copyOf(resumed.state).parameters).toEqual(place.parameters);
  });

  test('are refused, with its name, where the bundle is missing', () => {
    expect(() => open(arrayUpdate, 'missing.js')).toThrow(
      new UserError(`"${path.join(bundles.folder, 'missing.js')}", which draws the batches, is missing; install Circuit Explorer again.`),
    );
  });

  test.each([
    ['an error for people', 'class UserError extends Error { name = "UserError" } throw new UserError("No graph has that.")', new UserError('No graph has that.')],
    ['a defect', 'throw new TypeError("cannot read")', new TypeError('cannot read')],
    ['its end', 'process.exit(0)', new Error('the thread that draws the batches has ended')],
  ])('%s in the thread is the failure of the run, and of every batch from then on', async (name, body, expected) => {
    const file = `${name.replaceAll(' ', '-')}.js`;
    await writeFile(path.join(bundles.folder, file), `require('node:worker_threads').parentPort.on('message', () => { ${body}; });`);
    const ahead = open(arrayUpdate, file);
    const error = await runTraining(arrayUpdate, onnx, new RecordingHost(), undefined, undefined, ahead).then(() => expect.fail(), (reason: unknown) => reason);
    expect(error).toEqual(expected);
    expect(error instanceof UserError).toBe(expected instanceof UserError);
    await expect(ahead.batch(7)).rejects.toBe(error);
  });

  test('a run that waits for one stops when it is told to, and keeps what it has', async () => {
    await writeFile(path.join(bundles.folder, 'silent.js'), `require('node:worker_threads').parentPort.on('message', () => { for (;;); });`);
    const host = new RecordingHost();
    const ahead = open(arrayUpdate, 'silent.js');
    const batches = {
      size: ahead.size,
      batch: (step: number) => {
        const batch = ahead.batch(step);
        host.stop();
        return batch;
      },
    };
    const outcome = await runTraining(arrayUpdate, onnx, host, undefined, undefined, batches);
    expect(outcome.status).toBe('stopped');
    expect(host.checkpoints.map(({ step }) => step)).toEqual([0]);
  });

  test('end with the thread when they are disposed of, even in the middle of one', async () => {
    await writeFile(path.join(bundles.folder, 'endless.js'), `require('node:worker_threads').parentPort.on('message', () => { for (;;); });`);
    const ahead = open(arrayUpdate, 'endless.js');
    const batch = ahead.batch(1);
    ahead.dispose();
    await expect(batch).rejects.toThrow('the thread that draws the batches has ended');
  });
});
