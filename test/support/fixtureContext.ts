import type { AnalysisContext } from '../../src/analysis/define';
import { int32, type HostTensor } from '../../src/common/tensor';
import { RunnableModel } from '../../src/model/runnable';
import type { ParameterValuesByName } from '../../src/model/parameters';
import type { ModelConfig } from '../../src/protocol/config';
import type { Task } from '../../src/tasks/task';
import { contextOf } from './analyses';
import { prepared } from './experiments';
import { onnx } from './runtimes';

/** Prompts with answers that stand for right ones. */
export interface FixedExamples {
  /** `[B, T]` */
  readonly tokens: HostTensor<'int32'>;
  /** `[B, A]` */
  readonly answers: HostTensor<'int32'>;
  readonly answerPositions: readonly number[];
}

/** Any model, as an analysis sees it, with a task that knows nothing but some prompts. Words are the ids' digits. */
export function fixedContext(
  config: ModelConfig,
  parameters: ParameterValuesByName,
  examples: FixedExamples,
): AnalysisContext {
  const base = contextOf(prepared());
  return {
    ...base,
    details: { ...base.details, config },
    model: new RunnableModel(config, parameters, onnx),
    task: fixedTask(config, examples),
  };
}

function fixedTask(config: ModelConfig, { tokens, answers, answerPositions }: FixedExamples): Task {
  const [B = 0, T = 0] = tokens.shape;
  const A = answerPositions.length;
  const rowOf = ({ data }: HostTensor<'int32'>, row: number, length: number) => [
    ...data.subarray((row % B) * length, ((row % B) + 1) * length),
  ];
  const rows = (tensor: HostTensor<'int32'>, count: number, length: number) =>
    int32(
      [count, length],
      Int32Array.from(Array.from({ length: count }, (_, row) => rowOf(tensor, row, length)).flat()),
    );
  return {
    vocabulary: Array.from({ length: config.d_vocab }, (_, token) => String(token)),
    outputs: Array.from({ length: config.d_vocab_out }, (_, output) => String(output)),
    positions: Array.from({ length: T }, (_, position) => `p${position}`),
    answerPositions,
    alphabet: Array.from({ length: T }, () => Array.from({ length: config.d_vocab }, (_, token) => token)),
    answers(prompt) {
      const row = Array.from({ length: B }, (_, index) => rowOf(tokens, index, T)).findIndex(
        known => known.join() === prompt.join(),
      );
      return row < 0 ? undefined : rowOf(answers, row, A);
    },
    corruptions: {},
    sample: (_, count) => ({ tokens: rows(tokens, count, T), labels: rows(answers, count, A) }),
  };
}
