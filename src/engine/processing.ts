import { setImmediate as nextTurn } from 'node:timers/promises';
import { throwIfCancelled, UserError } from '../common/errors';
import { processWeights } from '../model/processing';
import { processingSteps, type ProcessingStep } from '../protocol/checkpointFile';
import type { ProcessRequest } from '../protocol/engine';
import type { Metrics, ModelSummary } from '../protocol/model';
import { checkedName, nameLimit, type ModelRecord } from '../store/modelRecord';
import type { Store } from '../store/store';
import { formatTokenizer, readTokenizer, tokenizerFile } from '../store/tokenizerFile';
import type { Engine } from './engine';
import { metricsOf, untrainedRecord } from './untrainedModels';

/**
 * Makes a model of a model, with processed weights and bound to the same task; or opens the one there is of these weights.
 * @throws UserError for steps that would change what the model computes, or for a model without weights; CancelledError
 */
export async function processModel(engine: Pick<Engine, 'store' | 'model'>, { model: id, checkpoint, steps, name: given }: ProcessRequest, signal: AbortSignal): Promise<ModelSummary> {
  const { store } = engine;
  const ordered = processingSteps.filter(step => steps.includes(step));
  if (ordered.length === 0) throw new UserError(`There is nothing to do: name at least one of ${processingSteps.join(', ')}.`);
  const record = await store.read(id);
  const name = given === undefined ? nameOf(record, ordered) : checkedName(given);
  const at = checkpoint ?? (record.status === 'finished' ? undefined : (await store.checkpoints(id)).at(-1));
  const weights = await store.readWeights(id, at);
  // A large model takes a second, in which other requests are answered too.
  const processed = await processWeights(record.config, weights, ordered, async () => {
    await nextTurn();
    throwIfCancelled(signal);
  });
  const { experiment: { seed, task }, source } = record;
  const made = untrainedRecord({
    name,
    config: processed.config,
    task,
    seed,
    step: 0,
    metrics: await metricsAt(store, record, at),
    source: { kind: 'processed', id, name: record.name, ...(at !== undefined && { checkpoint: at }), steps: ordered, ...((!source || source.splitIsKnown) && { splitIsKnown: true }) },
  });
  const tokenizer = await readTokenizer(store.pathOf(id));
  const added = await store.add(made, async draft => {
    throwIfCancelled(signal);
    await draft.writeWeights(processed.weights);
    if (tokenizer) await draft.writeFile(tokenizerFile, formatTokenizer(tokenizer));
    throwIfCancelled(signal);
  });
  return engine.model(added.id);
}

/** What it computes is the same, and so are its measurements. */
async function metricsAt(store: Store, { id, metrics }: ModelRecord, checkpoint: number | undefined): Promise<Metrics> {
  if (checkpoint === undefined) return metrics;
  return metricsOf((await store.readMetrics(id)).find(({ step }) => step === checkpoint));
}

function nameOf({ name }: ModelRecord, steps: readonly ProcessingStep[]): string {
  const suffix = steps.some(step => step.startsWith('fold-')) ? ', folded' : ', centred';
  return name.slice(0, nameLimit - suffix.length) + suffix;
}
