import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { initialParameters } from '../../../src/model/parameters';
import type { MetricsRow } from '../../../src/protocol/model';
import type { PreparedExperiment } from '../../../src/training/experiment';
import { runTraining } from '../../../src/training/loop';
import type { TrainingState } from '../../../src/training/run';
import { copyOf, prepared, RecordingHost } from '../../support/experiments';
import { eager, onnx } from '../../support/runtimes';

async function train(experiment: PreparedExperiment, host = new RecordingHost(), from?: TrainingState) {
  const outcome = await runTraining(experiment, onnx, host, from);
  return { host, outcome, state: copyOf(outcome.state) };
}

/** All that continues a run, without the time that it took. */
const numbersOf = ({ step, streak, parameters, moments }: TrainingState) => ({ step, streak, parameters, moments });
const withoutTime = (rows: readonly MetricsRow[]) => rows.map(({ seconds: _, ...row }) => row);

const fullBatch = prepared();
const sampled = prepared({ training: { batch: 9 } });
const drawn = prepared({
  task: { name: 'array-update', length: 2, numbers: 5, modulus: undefined, trainFraction: undefined },
  model: { positional_embedding_type: 'shortformer' },
  training: { batch: 8, evaluationExamples: 32 },
});

const copying = prepared({
  task: { name: 'list-copy', length: 2, digits: 6, modulus: undefined },
  model: {
    n_layers: 2, n_heads: 1, d_head: 8, d_mlp: undefined, attn_only: true, biases: false,
    mask: ['x....', 'x....', 'xx...', '..x..', '..xx.'], identity: ['*.W_V', '*.W_O'],
  },
  training: { batch: 10 },
});

describe('a run', () => {
  test('reports every step once, and evaluates before the first, at every interval and at the end', async () => {
    const { host, outcome } = await train(prepared({ training: { steps: 10 } }));
    expect(outcome.status).toBe('finished');
    expect(host.steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]);
    expect(host.rows.map(row => row.step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(host.rows.filter(row => row.testLoss !== undefined).map(row => row.step)).toEqual([0, 4, 8, 10]);
    expect(host.rows.every(row => row.trainLoss !== undefined)).toBe(true);
    expect(outcome.metrics).toEqual(host.metricsSeen);
    expect(outcome.secondsPerStep).toBeGreaterThan(0);
  });

  test('starts at a loss near that of guessing, and learns', async () => {
    const { host } = await train(
      prepared({
        training: { steps: 150, learningRate: 0.01, weightDecay: 0, evaluateEvery: 150 },
        model: { initializer_range: 0.1 },
      }),
    );
    expect(host.rows[0]?.trainLoss).toBeCloseTo(Math.log(7), 1);
    expect(host.rows.at(-1)?.trainLoss).toBeLessThan(0.1);
  });

  test('gives the same numbers each time, and others with another seed', async () => {
    const [first, second, other] = [
      await train(sampled),
      await train(sampled),
      await train(prepared({ training: { batch: 9 }, seed: 1 })),
    ];
    expect(numbersOf(second.state)).toEqual(numbersOf(first.state));
    expect(withoutTime(second.host.rows)).toEqual(withoutTime(first.host.rows));
    expect(other.state.parameters).not.toEqual(first.state.parameters);
  });

  test.each([
    ['of all that attends widely', prepared({ training: { steps: 3 } })],
    ['under a sparse mask, with identities', copying],
  ])('gives nearly the same numbers operation by operation on tfjs, %s', async (_, experiment) => {
    const { state } = await train(experiment);
    const { state: expected } = await runTraining(experiment, eager, new RecordingHost());
    for (const [name, { data }] of expected.parameters) {
      // Adam makes a full step of a gradient that is rounding alone, as the key biases' is.
      if (!name.endsWith('.b_K'))
        data.forEach((value, at) => expect(state.parameters.get(name)?.data[at], name).toBeCloseTo(value, 4));
    }
  });

  test('leaves frozen parameters and those fixed to the identity as they were', async () => {
    const experiment = prepared({ model: { biases: false, frozen: ['embed.*'], identity: ['*.W_V'] } });
    const [{ state }, initial] = [await train(experiment), initialParameters(experiment.config, 0)];
    for (const name of ['embed.W_E', 'blocks.0.attn.W_V', 'blocks.0.attn.b_Q', 'unembed.b_U'])
      expect(state.parameters.get(name), name).toEqual(initial.get(name));
    for (const name of ['unembed.W_U', 'blocks.0.attn.W_Q'])
      expect(state.parameters.get(name), name).not.toEqual(initial.get(name));
    expect([...state.moments.keys()].some(name => name.includes('W_V'))).toBe(false);
  });

  test('checkpoints at its interval and at the end, each with what the steps so far have made', async () => {
    const { host } = await train(prepared({ training: { steps: 7, checkpointEvery: 3 } }));
    expect(host.checkpoints.map(state => state.step)).toEqual([3, 6, 7]);
    const { state } = await train(prepared({ training: { steps: 3, checkpointEvery: 0 } }));
    expect(host.checkpoints[0]?.parameters).toEqual(state.parameters);
  });

  test('ends early when the metric stays beyond its bound', async () => {
    const experiment = prepared({
      training: { steps: 100, evaluateEvery: 2, stopWhen: { metric: 'testLoss', below: 1000, evaluations: 3 } },
    });
    const { host, outcome } = await train(experiment);
    expect(outcome.status).toBe('finished');
    // Evaluations of the model before the first step, and after two and four.
    expect(outcome.state.step).toBe(5);
    expect(host.checkpoints.map(state => state.step)).toEqual([5]);
  });

  test('whose loss stops being a number ends in one sentence', async () => {
    const run = train(prepared({ training: { learningRate: 1e30, steps: 50 } }));
    await expect(run).rejects.toThrow(UserError);
    await expect(run).rejects.toThrow(
      /^The loss stopped being a number at step \d+; a lower learning rate usually mends it\.$/,
    );
  });
});

describe.each([
  ['the full batch', fullBatch],
  ['batches drawn from the training set', sampled],
  ['batches made afresh', drawn],
  ['a sparse mask and identities', copying],
])('on %s', (_, experiment) => {
  test.each([1, 4, 7])('a run stopped after step %i and resumed is bit for bit one that was not', async stopAfter => {
    const whole = await train(experiment);
    const first = await train(experiment, new RecordingHost(stopAfter));
    expect(first.outcome.status).toBe('stopped');
    expect(first.host.checkpoints.map(state => state.step)).toEqual([stopAfter]);
    const [saved] = first.host.checkpoints;
    const second = await train(experiment, new RecordingHost(), saved);
    expect(second.outcome.status).toBe('finished');
    expect(numbersOf(second.state)).toEqual(numbersOf(whole.state));
    expect(withoutTime([...first.host.rows, ...second.host.rows])).toEqual(withoutTime(whole.host.rows));
    expect(second.state.seconds).toBeGreaterThan(saved?.seconds ?? 0);
  });
});

describe('resuming', () => {
  test('from a checkpoint on the way gives the same end', async () => {
    const experiment = prepared({ training: { batch: 9, checkpointEvery: 5 } });
    const whole = await train(experiment);
    const resumed = await train(experiment, new RecordingHost(), whole.host.checkpoints[0]);
    expect(numbersOf(resumed.state)).toEqual(numbersOf(whole.state));
  });

  test('goes on counting evaluations for the stop rule', async () => {
    const experiment = prepared({
      training: { steps: 100, evaluateEvery: 2, stopWhen: { metric: 'testLoss', below: 1000, evaluations: 3 } },
    });
    const first = await train(experiment, new RecordingHost(3));
    const resumed = await train(experiment, new RecordingHost(), first.host.checkpoints[0]);
    expect(resumed.state.step).toBe(5);
  });

  test('what is finished already only measures again', async () => {
    const whole = await train(fullBatch);
    const again = await train(fullBatch, new RecordingHost(), whole.state);
    expect(numbersOf(again.state)).toEqual(numbersOf(whole.state));
    expect(withoutTime(again.host.rows)).toEqual(withoutTime(whole.host.rows.slice(-1)));
  });
});

/** Waits before a step until it is told to go on. */
class PausingHost extends RecordingHost {
  private goOn: (() => void) | undefined;
  private readonly pause: Promise<void>;
  paused: () => void = () => undefined;
  readonly reached = new Promise<void>(resolve => (this.paused = resolve));

  constructor(private readonly pauseBefore: number) {
    super();
    this.pause = new Promise(resolve => (this.goOn = resolve));
  }

  override ready(): Promise<void> | undefined {
    if (this.steps.length < this.pauseBefore) return undefined;
    this.paused();
    return this.pause;
  }

  continue(): void {
    this.goOn?.();
  }
}

describe('a pause', () => {
  test('holds the run before its next step, and changes nothing in it', async () => {
    const host = new PausingHost(5);
    const run = train(sampled, host);
    await host.reached;
    expect(host.steps).toEqual([1, 2, 3, 4, 5]);
    host.continue();
    const { state } = await run;
    expect(numbersOf(state)).toEqual(numbersOf((await train(sampled)).state));
  });

  test('can end in a stop, which keeps the step that was reached', async () => {
    const host = new PausingHost(5);
    const run = train(sampled, host);
    await host.reached;
    host.stop();
    host.continue();
    const { outcome } = await run;
    expect(outcome.status).toBe('stopped');
    expect(host.checkpoints.map(state => state.step)).toEqual([5]);
  });

  test('a run stopped before it began has done nothing', async () => {
    const host = new RecordingHost();
    host.stop();
    const { outcome, state } = await train(fullBatch, host);
    expect(outcome.status).toBe('stopped');
    expect(state.step).toBe(0);
    expect(state.parameters.get('embed.W_E')).toEqual(initialParameters(fullBatch.config, 0).get('embed.W_E'));
  });
});
