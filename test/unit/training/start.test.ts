import { describe, expect, test } from 'vitest';
import { identity, initialParameters } from '../../../src/model/parameters';
import { runTraining } from '../../../src/training/loop';
import { perturbedMatrices } from '../../../src/training/perturb';
import { startingParameters } from '../../../src/training/start';
import { copyOf, prepared, RecordingHost } from '../../support/experiments';
import { randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';

describe('a training starts', () => {
  test('from initial weights of its own, or from those of another model', () => {
    const experiment = prepared({ seed: 2 });
    expect(startingParameters(experiment)).toEqual(initialParameters(experiment.config, 2));
    const origin = randomParameters(experiment.config);
    expect(startingParameters(experiment, origin)).toEqual(origin);
  });

  test('with what it fixes to the identity as that, whatever it was in the other', () => {
    const experiment = prepared({ model: { identity: ['*.W_O'] } });
    const start = startingParameters(experiment, randomParameters(experiment.config));
    expect(start.get('blocks.0.attn.W_O')).toEqual(identity([2, 4, 8]));
  });

  test('perturbed, from whichever weights, when the experiment says so', () => {
    const experiment = prepared({ perturb: { matrices: 2, scale: 0.5 }, seed: 1 });
    const [one] = perturbedMatrices(experiment.config, { matrices: 2, scale: 0.5 }, 1);
    const name = one?.parameter ?? '';
    const origin = randomParameters(experiment.config);
    expect(startingParameters(experiment).get(name)).not.toEqual(initialParameters(experiment.config, 1).get(name));
    expect(startingParameters(experiment, origin).get(name)).not.toEqual(origin.get(name));
    expect(startingParameters(experiment, origin).get('embed.W_E')).toEqual(origin.get('embed.W_E'));
  });

  test('at step 0 with a fresh optimizer, and a resumed one goes on from its own state', async () => {
    const experiment = prepared({ training: { steps: 4, checkpointEvery: 2 } });
    const origin = randomParameters(experiment.config);
    const host = new RecordingHost();
    const { state } = await runTraining(experiment, onnx, host, undefined, origin);
    const whole = copyOf(state);
    expect(host.rows[0]).toMatchObject({ step: 0 });
    const own = new RecordingHost();
    await runTraining(experiment, onnx, own);
    expect(host.rows[0]?.trainLoss).not.toBe(own.rows[0]?.trainLoss);
    const resumed = await runTraining(experiment, onnx, new RecordingHost(), host.checkpoints[0]);
    expect(resumed.state.parameters).toEqual(whole.parameters);
  });

  test('and ends there when it has no steps: evaluated, and kept', async () => {
    const experiment = prepared({ training: { steps: 0 }, perturb: {} });
    const host = new RecordingHost();
    const { status, metrics } = await runTraining(experiment, onnx, host);
    expect(status).toBe('finished');
    expect(host.checkpoints.map(({ step }) => step)).toEqual([0]);
    expect(host.checkpoints[0]?.parameters).toEqual(startingParameters(experiment));
    expect(metrics).toEqual({ trainLoss: expect.any(Number), testLoss: expect.any(Number), testAccuracy: expect.any(Number), testExactMatch: expect.any(Number) });
    expect(host.rows).toEqual([expect.objectContaining({ step: 0, ...metrics })]);
  });
});
