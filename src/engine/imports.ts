import { stat } from 'node:fs/promises';
import path from 'node:path';
import { FieldError, throwIfCancelled, UserError } from '../common/errors';
import { countParameters, parameterSpecs } from '../model/parameters';
import type { ImportOrder, ImportProposal, InferredField, TaskBinding } from '../protocol/checkpointFile';
import type { ImportAnswer } from '../protocol/engine';
import type { TokenizerDefinition } from '../protocol/tokenizer';
import { writeFileAtomically } from '../store/atomicFile';
import { openTensorFile } from '../store/files/open';
import type { TensorFile } from '../store/files/tensorFile';
import type { ModelDraft } from '../store/modelDraft';
import { checkedName, nameLimit } from '../store/modelRecord';
import { readImport } from '../store/states/import';
import type { ImportedState, ImportOptions } from '../store/states/importedState';
import { formatTokenizer, tokenizerFile } from '../store/tokenizerFile';
import { suggestTasks } from '../tasks/suggested';
import { tokenizerOf } from '../tasks/tokenizer';
import { tokensName } from '../tasks/tokens';
import { resolveBinding } from './binding';
import { findConfig } from './configFile';
import type { Engine } from './engine';
import { tokenizerBeside, type FoundTokenizer } from './tokenizerFiles';
import { metricsOf, untrainedRecord } from './untrainedModels';

/** Bytes of weights: of a model, and of all its checkpoints. */
const weightsLimit = 16 * 2 ** 30;
const checkpointsLimit = 64 * 2 ** 30;

/** A file cannot become a model before more is said of its config. */
export class ConfigError extends UserError {}

/** What importing needs around it. */
export interface ImportHost extends Pick<Engine, 'store' | 'model'> {
  readonly bindings: Pick<Engine['bindings'], 'bind'>;
}

/** What a file would become as a model. @throws UserError for a file that cannot, and for a binding that does not fit, one sentence that says why. */
export function proposeImport(order: ImportOrder): Promise<ImportProposal> {
  return withImport(order, ({ file: { format }, state: { layout, config, checkpoints }, inferred, tokenizer, name }) => Promise.resolve({
    name,
    format,
    layout,
    config,
    inferred,
    checkpoints: checkpoints.map(({ step }) => step),
    parameters: countParameters(parameterSpecs(config)).total,
    tokenizer: tokenizer !== undefined,
    tasks: suggestTasks(config),
  }));
}

/**
 * Makes a model of a file, whole or not at all, or opens the one that was made of the same weights before.
 * @throws UserError as {@link proposeImport} does; CancelledError
 */
export function importModel(engine: ImportHost, order: ImportOrder, signal: AbortSignal): Promise<ImportAnswer> {
  return withImport(order, async ({ file: { path: whole, format }, state, inferred, tokenizer, name }) => {
    const { layout, config, checkpoints, metrics = [] } = state;
    checkSize(state);
    const record = untrainedRecord({
      name,
      config,
      task: { name: tokensName, parameters: {} },
      step: checkpoints.at(-1)?.step ?? 0,
      metrics: metricsOf(metrics.at(-1)),
      source: { kind: 'file', file: path.basename(whole), format, layout, inferred: [...inferred] },
    });
    const { id, isNew } = await engine.store.add(record, async draft => {
      await writeStates(draft, state, signal);
      if (tokenizer) await draft.writeFile(tokenizerFile, formatTokenizer(tokenizer));
    });
    if (!isNew) await complete(engine, id, order.name, tokenizer);
    if (order.binding) await bind(engine, id, order.binding, signal, isNew);
    return { model: await engine.model(id), cached: !isNew, inferred };
  });
}

/** Gives a model that was imported before what it did not have then: a tokenizer, and another name where one is asked for. */
async function complete({ store }: ImportHost, id: string, name: string | undefined, tokenizer: TokenizerDefinition | undefined): Promise<void> {
  const file = path.join(store.pathOf(id), tokenizerFile);
  const hasTokenizer = await stat(file).then(() => true, () => false);
  if (tokenizer && !hasTokenizer) await writeFileAtomically(file, formatTokenizer(tokenizer));
  if (name !== undefined) await store.rename(id, name);
}

/** What was there before is bound to what is asked for now. */
async function bind({ store, bindings }: ImportHost, id: string, binding: TaskBinding, signal: AbortSignal, isNew: boolean): Promise<void> {
  try {
    await bindings.bind(id, binding, signal);
  } catch (error) {
    if (isNew) await store.remove(id);
    throw error;
  }
}

interface Import {
  readonly file: TensorFile;
  readonly state: ImportedState;
  readonly inferred: readonly InferredField[];
  readonly tokenizer?: TokenizerDefinition;
  readonly name: string;
}

async function withImport<T>(order: ImportOrder, work: (imported: Import) => Promise<T>): Promise<T> {
  const name = order.name === undefined ? defaultName(order.file) : checkedName(order.name);
  const config = await findConfig(order.file, order.configFile);
  const file = await openTensorFile(order.file);
  try {
    const state = await stateOf(file, { ...(config && { config: config.value, configName: config.name }), ...(order.config && { given: order.config }) });
    const found = await tokenizerFor(order.file, state);
    const definition = found && 'definition' in found ? found.definition : undefined;
    // What does not fit is found out before anything is written.
    if (order.binding) await resolveBinding(order.binding, state.config, definition && tokenizerOf(definition));
    return await work({
      file, state, name,
      inferred: [...state.inferred, ...(found && 'problem' in found ? [{ field: 'tokenizer', value: null, from: found.problem }] : [])],
      ...(definition && { tokenizer: definition }),
    });
  } finally {
    await file.close();
  }
}

async function stateOf(file: TensorFile, options: ImportOptions): Promise<ImportedState> {
  try {
    return await readImport(file, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // Large models of Hugging Face are cut up.
    const part = /-\d{5}-of-(\d{5})\.[a-z]+$/.exec(file.path)?.[1];
    const message = part === undefined ? error.message : `${error.message} The file is one part of ${Number(part)}; load the model and save it as one file.`;
    throw error instanceof FieldError ? new ConfigError(message) : new UserError(message);
  }
}

/** Models of Hugging Face lie beside their tokenizers; what lies beside another may be anything's. */
async function tokenizerFor(file: string, { layout, config: { d_vocab } }: ImportedState): Promise<FoundTokenizer | undefined> {
  const found = layout === 'gpt2' ? await tokenizerBeside(file) : undefined;
  if (!found || 'problem' in found) return found;
  const words = found.definition.vocabulary.length;
  return words <= d_vocab ? found : { problem: `the tokenizer beside the file has ${words} words, and the model's d_vocab is ${d_vocab}` };
}

/** One state is in memory at a time. */
async function writeStates(draft: ModelDraft, { checkpoints, metrics, ...state }: ImportedState, signal: AbortSignal): Promise<void> {
  for (const { step, weights } of checkpoints) {
    throwIfCancelled(signal);
    await draft.writeCheckpoint(step, await weights());
  }
  throwIfCancelled(signal);
  await draft.writeWeights(await state.weights());
  if (metrics && metrics.length > 0) await draft.writeMetrics(metrics);
  throwIfCancelled(signal);
}

/** Files of Hugging Face are all called alike. */
function defaultName(file: string): string {
  const { name, base, dir } = path.parse(file);
  const named = base === 'model.safetensors' || base === 'pytorch_model.bin' ? path.basename(dir) || name : name;
  return named.trim().slice(0, nameLimit) || 'imported';
}

/** A small file can tell the same numbers many times over. */
function checkSize({ config, checkpoints }: ImportedState): void {
  const bytes = 4 * countParameters(parameterSpecs(config)).total;
  const inGigabytes = (size: number) => `${(size / 2 ** 30).toFixed(1)} GB`;
  if (bytes > weightsLimit) throw new UserError(`A model of ${inGigabytes(bytes)} of float32 weights is too large to be imported; ${inGigabytes(weightsLimit)} are the most.`);
  const all = bytes * checkpoints.length;
  if (all > checkpointsLimit) throw new UserError(`The ${checkpoints.length.toLocaleString('en')} checkpoints of this model would take ${inGigabytes(all)}; ${inGigabytes(checkpointsLimit)} are the most.`);
}
