import { Random } from '../common/random';
import { int32, type HostTensor } from '../common/tensor';
import type { Executable, Runtime } from '../compile/runtime';
import type { Metrics } from '../protocol/model';
import type { Examples } from '../tasks/task';
import type { PreparedExperiment } from './experiment';
import { evaluation, evaluationInputs } from './step';

/** Examples run at once: bounds the memory of an evaluation. */
const mostAtOnce = 2048;

interface Part {
  readonly examples: Examples;
  readonly executable: Executable;
  readonly count: number;
}

/** Measures a model on its test set, or on examples drawn afresh once for the whole run where the task has none. */
export class Evaluator {
  private constructor(
    private readonly parts: readonly Part[],
    private readonly answers: number,
    private readonly frozen: HostTensor<'float32'>,
    private readonly compile: (batch: number) => Promise<Executable>,
  ) {}

  static async create({ config, resolved, task }: PreparedExperiment, runtime: Runtime, frozen: HostTensor<'float32'>): Promise<Evaluator> {
    const fn = evaluation(config, task);
    const compile = (batch: number) => runtime.compile('evaluation', fn, evaluationInputs(config, task, batch));
    const test = task.split?.(resolved.seed).test
      ?? task.sample(new Random(resolved.seed, 'evaluation'), resolved.training.evaluationExamples);
    const parts: Part[] = [];
    for (const examples of chunks(test)) {
      const count = examples.tokens.shape[0] ?? 0;
      parts.push({ examples, count, executable: await compile(count) });
    }
    return new Evaluator(parts, task.answerPositions.length, frozen, compile);
  }

  /** Test loss, accuracy over answer positions, and share of the examples that are right whole. */
  async evaluate(parameters: HostTensor<'float32'>): Promise<Metrics> {
    let [loss, right, whole, examples] = [0, 0, 0, 0];
    for (const { examples: { tokens, labels }, executable, count } of this.parts) {
      const results = await executable.run([parameters, this.frozen, tokens, labels]);
      const [partLoss = 0, partRight = 0, partWhole = 0] = results.map(({ data }) => data[0] ?? Number.NaN);
      loss += partLoss * count;
      right += partRight;
      whole += partWhole;
      examples += count;
    }
    return { testLoss: loss / examples, testAccuracy: right / (examples * this.answers), testExactMatch: whole / examples };
  }

  /** The loss on training examples. */
  async trainLoss(parameters: HostTensor<'float32'>, { tokens, labels }: Examples): Promise<number> {
    const executable = await this.compile(tokens.shape[0] ?? 0);
    const [loss] = await executable.run([parameters, this.frozen, tokens, labels]);
    return loss?.data[0] ?? Number.NaN;
  }
}

/** Parts of about equal size, so that most share one compiled graph. */
function chunks({ tokens, labels }: Examples): readonly Examples[] {
  const [count = 0, T = 0] = tokens.shape;
  const A = labels.shape[1] ?? 0;
  const size = Math.ceil(count / Math.ceil(count / mostAtOnce));
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => {
    const [from, to] = [index * size, Math.min(count, (index + 1) * size)];
    return {
      tokens: int32([to - from, T], tokens.data.subarray(from * T, to * T)),
      labels: int32([to - from, A], labels.data.subarray(from * A, to * A)),
    };
  });
}
