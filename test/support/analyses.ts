import { Random } from '../../src/common/random';
import type { AnalysisContext } from '../../src/analysis/define';
import { RunnableModel } from '../../src/model/runnable';
import { parameterSpecs, type ParameterValuesByName } from '../../src/model/parameters';
import type { ModelDetails, MetricsRow } from '../../src/protocol/model';
import type { PreparedExperiment } from '../../src/training/experiment';
import { randomParameters } from './models';
import { onnx } from './runtimes';

export interface ContextOptions {
  readonly metrics?: readonly MetricsRow[];
  readonly checkpoints?: readonly number[];
  /** Step → the parameters there; a step without any has those of the model. */
  readonly parametersAt?: ReadonlyMap<number, ParameterValuesByName>;
  readonly signal?: AbortSignal;
  /** The parameters of the model that it started from, if it did. */
  readonly base?: ParameterValuesByName;
}

/** A model that was trained, as an analysis sees it: its parameters drawn at random. */
export function contextOf(
  { resolved, config, task }: PreparedExperiment,
  { metrics = [], parametersAt = new Map(), checkpoints = [...parametersAt.keys()], signal = new AbortController().signal, base }: ContextOptions = {},
): AnalysisContext {
  const { n_layers, n_heads, attn_only } = config;
  const specs = parameterSpecs(config);
  const details: ModelDetails = {
    summary: {
      id: 'model',
      name: resolved.name,
      task: resolved.task.name,
      status: 'finished',
      progress: { step: 1, steps: 1 },
      metrics: {},
      n_layers,
      n_heads,
      attn_only,
      createdAt: 0,
      path: '/models/model',
      resumable: false,
    },
    experiment: resolved,
    config,
    parameters: specs,
    checkpoints,
  };
  const model = new RunnableModel(config, randomParameters(config), onnx);
  return {
    details,
    model,
    task,
    atCheckpoint: step => Promise.resolve(model.withWeights(parametersAt.get(step) ?? randomParameters(config))),
    base: () => Promise.resolve(base && model.withWeights(base)),
    metrics,
    random: new Random(resolved.seed, 'analysis'),
    signal,
    progress: () => undefined,
  };
}
