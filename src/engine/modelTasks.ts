import type { ModelRecord } from '../store/modelRecord';
import type { Store } from '../store/store';
import { readTokenizer } from '../store/tokenizerFile';
import { modelTask, withoutSplit } from '../tasks/fitted';
import { taskOf } from '../tasks/registry';
import type { Task } from '../tasks/task';
import { tokenizerOf, type Tokenizer } from '../tasks/tokenizer';
import { tokensName } from '../tasks/tokens';
import { moduleReady } from './taskModules/taskModules';

/** The task of a stored model. @throws UserError when it cannot be made any more. */
export async function taskOfModel(store: Store, { id, experiment: { task }, config, source }: Pick<ModelRecord, 'id' | 'experiment' | 'config' | 'source'>): Promise<Task> {
  await moduleReady(store.folder, task);
  if (!source) return taskOf(task);
  if (task.name === tokensName) return modelTask(task, config, await tokenizerOfModel(store, id));
  const fitted = modelTask(task, config);
  const made = source.splitIsKnown ? fitted : withoutSplit(fitted);
  // Prompts of a file that are made of the tokenizer's words are typed as texts too.
  const tokenizer = task.module !== undefined && task.parameters['words'] === 'tokenizer' ? await tokenizerOfModel(store, id) : undefined;
  return tokenizer ? { ...made, encode: text => tokenizer.encode(text) } : made;
}

/** The tokenizer that a model came with. */
export async function tokenizerOfModel(store: Store, id: string): Promise<Tokenizer | undefined> {
  const definition = await readTokenizer(store.pathOf(id));
  return definition && tokenizerOf(definition);
}
