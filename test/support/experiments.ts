import { readExperiment, type PreparedExperiment } from '../../src/training/experiment';
import type { Metrics, MetricsRow, Progress } from '../../src/protocol/model';
import type { RunHost, TrainingState } from '../../src/training/run';

/**
 * The fields of an experiment of four kinds, small enough to train in milliseconds; `changes` replace whole sections'
 * fields.
 */
export function experimentText(
  changes: { readonly task?: object | string; readonly model?: object; readonly training?: object } & Record<
    string,
    unknown
  > = {},
): string {
  const { task, model, training, ...rest } = changes;
  return JSON.stringify({
    task: typeof task === 'string' ? task : { name: 'modular-arithmetic', modulus: 7, trainFraction: 0.5, ...task },
    model: { n_layers: 1, n_heads: 2, d_model: 8, d_head: 4, d_mlp: 16, ...model },
    training: { steps: 12, learningRate: 0.01, evaluateEvery: 4, ...training },
    ...rest,
  });
}

/** An experiment that can be trained; throws what is wrong with it otherwise. */
export function prepared(...changes: Parameters<typeof experimentText>): PreparedExperiment {
  const reading = readExperiment(experimentText(...changes));
  if (!reading.ok)
    throw new Error(reading.problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  return reading.experiment;
}

/** Everything that a run told, with its states copied as they came. */
export class RecordingHost implements RunHost {
  private readonly controller = new AbortController();
  readonly signal = this.controller.signal;
  readonly rows: MetricsRow[] = [];
  readonly steps: number[] = [];
  readonly checkpoints: TrainingState[] = [];
  metricsSeen: Metrics = {};

  /** @param stopAfter the step after which it stops the run */
  constructor(private readonly stopAfter = Infinity) {}

  stop(): void {
    this.controller.abort();
  }

  ready(): Promise<void> | undefined {
    return undefined;
  }

  progress({ step }: Progress, metrics: Metrics): void {
    this.steps.push(step);
    this.metricsSeen = metrics;
    if (step === this.stopAfter) this.stop();
  }

  metrics(row: MetricsRow): void {
    this.rows.push(row);
  }

  checkpoint(state: TrainingState): Promise<void> {
    this.checkpoints.push(copyOf(state));
    return Promise.resolve();
  }
}

/** A state whose tensors no later step overwrites. */
export function copyOf(state: TrainingState): TrainingState {
  const copied = (tensors: TrainingState['parameters']): TrainingState['parameters'] =>
    new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
  return { ...state, parameters: copied(state.parameters), moments: copied(state.moments) };
}
