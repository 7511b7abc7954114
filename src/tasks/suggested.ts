import { UserError } from '../common/errors';
import type { ParameterValues } from '../protocol/parameter';
import { fittedTask, type ModelSizes } from './fitted';
import { taskOf } from './registry';

export interface SuggestedTask {
  readonly name: string;
  readonly parameters: ParameterValues;
}

/** The built-in tasks whose prompts are as long as the model reads and whose words are as many as its tokens; those whose answers are as many as its outputs come first. */
export function suggestTasks(config: ModelSizes): readonly SuggestedTask[] {
  const { d_vocab, d_vocab_out, n_ctx } = config;
  return candidates(config).flatMap(suggested => {
    const task = madeFor(suggested, config);
    return task && task.vocabulary.length === d_vocab && task.positions.length === n_ctx ? [{ suggested, spare: d_vocab_out - task.outputs.length }] : [];
  }).sort((one, other) => one.spare - other.spare).map(({ suggested }) => suggested);
}

/** What each task's parameters would be, if the model were one of it; many do not make a task. */
function candidates({ d_vocab, n_ctx }: ModelSizes): readonly SuggestedTask[] {
  const written = (n_ctx - 1) / 2;
  return [
    { name: 'modular-arithmetic', parameters: { operation: 'add', modulus: d_vocab - 1 } },
    { name: 'modular-arithmetic', parameters: { operation: 'subtract', modulus: d_vocab - 1 } },
    { name: 'max', parameters: { count: n_ctx - 1, numbers: d_vocab - 1 } },
    { name: 'median', parameters: { count: n_ctx - 1, numbers: d_vocab - 1 } },
    { name: 'sort', parameters: { count: written, numbers: d_vocab - 1 } },
    // A list of one is of the sizes of modular arithmetic, which is far more likely.
    ...(written > 1 ? [{ name: 'list-copy', parameters: { length: written, digits: d_vocab - 1 } }] : []),
    { name: 'array-update', parameters: { length: (n_ctx - 5) / 2, numbers: d_vocab - 2 } },
  ];
}

function madeFor(suggested: SuggestedTask, config: ModelSizes) {
  try {
    const task = taskOf(suggested);
    fittedTask(task, config);
    return task;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
