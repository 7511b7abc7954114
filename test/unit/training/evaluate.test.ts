import { describe, expect, test } from 'vitest';
import { float32, type HostTensor } from '../../../src/common/tensor';
import { RunnableModel } from '../../../src/model/runnable';
import { Evaluator } from '../../../src/training/evaluate';
import type { PreparedExperiment } from '../../../src/training/experiment';
import { initialVectors, pack } from '../../../src/training/state';
import { stepScalars } from '../../../src/training/optimizer';
import { evaluation, layoutOf, trainingStep } from '../../../src/training/step';
import type { Examples } from '../../../src/tasks/task';
import { Random } from '../../../src/common/random';
import { prepared } from '../../support/experiments';
import { randomParameters } from '../../support/models';
import { onnx, runOnce } from '../../support/runtimes';

async function evaluator(experiment: PreparedExperiment, values: ReadonlyMap<string, HostTensor<'float32'>>) {
  const layout = layoutOf(experiment.config);
  const made = await Evaluator.create(
    experiment,
    onnx,
    float32(
      [layout.frozenSize],
      pack(layout.frozen, name => values.get(name)),
    ),
  );
  return { made, parameters: initialVectors(layout, values).parameters };
}

/** The same metrics from the logits of the plain forward pass, counted one by one in float64. */
async function counted(
  { config, task }: PreparedExperiment,
  values: ReadonlyMap<string, HostTensor<'float32'>>,
  { tokens, labels }: Examples,
) {
  const { logits } = await new RunnableModel(config, values, onnx).runWithCache(tokens, []);
  const [B = 0, T = 0, U = 0] = logits.shape;
  let [loss, right, whole] = [0, 0, 0];
  for (let example = 0; example < B; example++) {
    const answers = task.answerPositions.map((position, index) => {
      const row = [...logits.data.subarray((example * T + position) * U, (example * T + position + 1) * U)];
      const label = labels.data[example * task.answerPositions.length + index] ?? 0;
      loss += Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - (row[label] ?? 0);
      return row.indexOf(Math.max(...row)) === label;
    });
    right += answers.filter(isRight => isRight).length;
    whole += Number(answers.every(isRight => isRight));
  }
  const answers = B * task.answerPositions.length;
  return { testLoss: loss / answers, testAccuracy: right / answers, testExactMatch: whole / B };
}

describe('an evaluation counts what the logits say', () => {
  test.each([
    ['a test set', prepared(), (experiment: PreparedExperiment) => experiment.task.split?.(0).test],
    // 2,520 test pairs: two parts.
    [
      'a test set run in parts',
      prepared({ task: { modulus: 60, trainFraction: 0.3 } }),
      (experiment: PreparedExperiment) => experiment.task.split?.(0).test,
    ],
    [
      'examples drawn for it',
      prepared({
        task: { name: 'array-update', length: 2, numbers: 3, modulus: undefined, trainFraction: undefined },
        training: { batch: 8, evaluationExamples: 300 },
      }),
      (experiment: PreparedExperiment) => experiment.task.sample(new Random(0, 'evaluation'), 300),
    ],
  ])('on %s', async (_, experiment, examplesOf) => {
    const values = randomParameters(experiment.config);
    const { made, parameters } = await evaluator(experiment, values);
    const metrics = await made.evaluate(parameters);
    const expected = await counted(experiment, values, examplesOf(experiment) ?? expect.fail());
    expect(metrics.testLoss).toBeCloseTo(expected.testLoss, 4);
    expect(metrics.testAccuracy).toBeCloseTo(expected.testAccuracy, 10);
    expect(metrics.testExactMatch).toBeCloseTo(expected.testExactMatch, 10);
  });

  test('all answers of an example must be right for it to be right whole', async () => {
    const experiment = prepared({
      task: { name: 'array-update', length: 2, numbers: 2, modulus: undefined, trainFraction: undefined },
      training: { batch: 8, evaluationExamples: 500 },
    });
    const { made, parameters } = await evaluator(experiment, randomParameters(experiment.config));
    const { testAccuracy = 0, testExactMatch = 0 } = await made.evaluate(parameters);
    expect(testExactMatch).toBeGreaterThan(0);
    expect(testExactMatch).toBeLessThan(testAccuracy);
  });

  test('the training loss is the loss on the examples given', async () => {
    const experiment = prepared();
    const values = randomParameters(experiment.config);
    const { made, parameters } = await evaluator(experiment, values);
    const train = experiment.task.split?.(0).train ?? expect.fail();
    expect(await made.trainLoss(parameters, train)).toBeCloseTo((await counted(experiment, values, train)).testLoss, 4);
  });
});

describe('of answers that are numbers', () => {
  const experiment = prepared({
    task: { name: 'shortest-paths', vertices: 5, largest: 5, modulus: undefined, trainFraction: undefined },
    model: { n_layers: 2, normalization_type: 'LN', normalization_position: 'after', positional_embedding_type: 'none', attention_dir: 'bidirectional' },
    training: { batch: 16 },
  });
  const values = randomParameters(experiment.config);
  const examples = experiment.task.sample(new Random(5, 'numbers'), 256);

  /** What is predicted, and the right numbers. */
  async function errorsOf(parameters: ReadonlyMap<string, HostTensor<'float32'>>): Promise<readonly number[]> {
    const { logits } = await new RunnableModel(experiment.config, parameters, onnx).runWithCache(examples.tokens, []);
    return Array.from(examples.labels.data, (label, row) => (logits.data[6 * row + 5] ?? Number.NaN) - label);
  }
  const meanSquare = (errors: readonly number[]) => errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length;
  const evaluate = evaluation(experiment.config, experiment.task);

  test('the loss is their mean squared error, and those that round to the right number are right', async () => {
    const layout = layoutOf(experiment.config);
    // Predictions around the middle of the labels, so that some of them are right.
    const centred = new Map(values).set('unembed.b_U', float32([1], Float32Array.of(3)));
    const errors = await errorsOf(centred);
    const [loss, right, whole] = await runOnce(onnx, (...inputs) => evaluate(...inputs), [
      initialVectors(layout, centred).parameters, float32([0]), examples.tokens, examples.labels,
    ]);
    const hits = errors.filter(error => Math.abs(error) < 0.5).length;
    expect(hits).toBeGreaterThan(0);
    expect(hits).toBeLessThan(256);
    expect([right?.data[0], whole?.data[0]]).toEqual([hits, hits]);
    expect(loss?.data[0]).toBeCloseTo(meanSquare(errors), 4);
  });

  test('a training step follows the gradient that finite differences find', async () => {
    const { config, task, resolved: { training } } = experiment;
    const layout = layoutOf(config);
    const { parameters, first, second } = initialVectors(layout, values);
    const step = trainingStep(config, training, task);
    const [, moment] = await runOnce(onnx, (...inputs) => step(...inputs), [
      parameters, first, second, float32([0]), float32([3], Float32Array.from(stepScalars(training, 1))), examples.tokens, examples.labels,
    ]);
    const gradient = Array.from(moment?.data ?? [], value => value / (1 - training.betas[0]));
    const length = Math.sqrt(gradient.reduce((sum, value) => sum + value ** 2, 0));
    const moved = async (by: number) => {
      const vector = parameters.data.map((value, at) => value + (by * (gradient[at] ?? 0)) / length);
      const [loss] = await runOnce(onnx, (...inputs) => evaluate(...inputs), [float32(parameters.shape, vector), float32([0]), examples.tokens, examples.labels]);
      return Number(loss?.data[0]);
    };
    // Along the gradient the loss rises by its length; float32's rounding of the loss and the curvature leave 1 in 100.
    const h = 0.01;
    expect(((await moved(h)) - (await moved(-h))) / (2 * h) / length).toBeCloseTo(1, 2);
  });
});
