import { Random } from '../common/random';
import { rowsOf, stretchesOf, type HostTensor } from '../common/tensor';
import type { Executable, Runtime } from '../compile/runtime';
import type { Metrics, ResolvedExperiment } from '../protocol/model';
import type { Examples, Task } from '../tasks/task';
import type { PreparedExperiment } from './experiment';
import { evaluation, evaluationInputs } from './step';

/** Examples run at once: bounds the memory of an evaluation. */
const mostAtOnce = 2048;

interface Part {
  readonly examples: Examples;
  readonly executable: Executable;
  readonly count: number;
}

/** What a model of this experiment is tested on: its task's test set, or all examples where there are no others, or else examples drawn afresh once. */
export function testExamples({ seed, training }: ResolvedExperiment, task: Task): Examples {
  return task.split?.(seed).test ?? task.allExamples ?? task.sample(new Random(seed, 'evaluation'), training.evaluationExamples);
}

/** Measures a model on its test examples. */
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
    const { tokens, labels } = testExamples(resolved, task);
    const parts: Part[] = [];
    for (const { from, to } of stretchesOf(tokens.shape[0] ?? 0, mostAtOnce)) {
      const examples = { tokens: rowsOf(tokens, from, to), labels: rowsOf(labels, from, to) };
      parts.push({ examples, count: to - from, executable: await compile(to - from) });
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
