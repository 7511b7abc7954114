import { isDeepStrictEqual } from 'node:util';
import { scoresOn, type Answering } from '../analysis/numberAnswers';
import { throwIfCancelled, UserError } from '../common/errors';
import { rowsOf, stretchesOf } from '../common/tensor';
import type { TaskBinding } from '../protocol/checkpointFile';
import type { ModelConfig } from '../protocol/config';
import type { Metrics, MetricsRow, ResolvedExperiment } from '../protocol/model';
import { resolveParameters } from '../protocol/parameter';
import type { TaskSnapshot } from '../protocol/taskModule';
import type { ModelRecord } from '../store/modelRecord';
import type { Store } from '../store/store';
import { hashOf, keepSnapshot } from '../store/taskSnapshots';
import { fittedTask, modelTask, withoutSplit } from '../tasks/fitted';
import { rememberModule } from '../tasks/modules';
import { findTask } from '../tasks/registry';
import type { Examples, Task } from '../tasks/task';
import type { Tokenizer } from '../tasks/tokenizer';
import { tokensName } from '../tasks/tokens';
import { testExamples } from '../training/evaluate';
import { tokenizerOfModel } from './modelTasks';
import type { OpenModels } from './openModels';
import { readPrompts } from './promptsFile';
import { metricsOf } from './untrainedModels';

export interface BoundTask {
  /** As a record names it. */
  readonly reference: ResolvedExperiment['task'];
  readonly task: Task;
  /** That by which its training examples were drawn, if it is known. */
  readonly seed?: number;
  /** What the store has to keep of a file of prompts. */
  readonly snapshot?: TaskSnapshot;
}

/**
 * What a binding makes of a model. Nothing is written.
 * @throws UserError for a task that does not exist or does not fit the model, or a file of prompts that is wrong.
 */
export async function resolveBinding(binding: TaskBinding, config: ModelConfig, tokenizer?: Tokenizer): Promise<BoundTask> {
  switch (binding.kind) {
    case 'none': {
      const reference = { name: tokensName, parameters: {} };
      return { reference, task: modelTask(reference, config, tokenizer) };
    }
    case 'task': {
      const { name, seed } = binding;
      const definition = findTask(name);
      const parameters = resolveParameters(`task "${name}"`, definition.params, binding.parameters);
      return { reference: { name, parameters }, task: fittedTask(definition.create(parameters), config), ...(seed !== undefined && { seed }) };
    }
    case 'prompts': {
      const snapshot = await readPrompts(binding.file, config, tokenizer);
      const hash = hashOf(snapshot);
      const reference = { name: snapshot.sources.entry, parameters: snapshot.parameters, module: hash };
      return { reference, task: fittedTask(rememberModule(hash, snapshot).task, config), snapshot };
    }
    default:
      return binding satisfies never;
  }
}

/** Gives models that were imported other tasks. */
export class Bindings {
  /** What the last binding of each model leaves. */
  private readonly underWay = new Map<string, Promise<unknown>>();

  constructor(private readonly store: Store, private readonly models: OpenModels) {}

  /**
   * Binds a model to a task, to prompts or to nothing, and measures it on them, in one write; where that fails, it stays as it was. Its id stays.
   * Of two that are asked for at once the later one counts.
   * @throws UserError for what is no imported model, and as {@link resolveBinding}; CancelledError.
   */
  async bind(id: string, binding: TaskBinding, signal = new AbortController().signal): Promise<ModelRecord> {
    const before = this.underWay.get(id) ?? Promise.resolve();
    const bound = before.catch(() => undefined).then(() => this.bindNow(id, binding, signal));
    this.underWay.set(id, bound);
    try {
      return await bound;
    } finally {
      if (this.underWay.get(id) === bound) this.underWay.delete(id);
    }
  }

  private async bindNow(id: string, binding: TaskBinding, signal: AbortSignal): Promise<ModelRecord> {
    const { name, config, source, experiment: before, metrics: { trainLoss } } = await this.store.read(id);
    if (!source) throw new UserError(`"${name}" was trained here on its task, which stays; only an imported model can be bound to another.`);
    const { reference, task, snapshot, seed } = await resolveBinding(binding, config, await tokenizerOfModel(this.store, id));
    const isSame = isDeepStrictEqual(reference, before.task);
    const { splitIsKnown, ...rest } = source;
    const isKnown = seed !== undefined || (isSame && source.kind === 'processed' && splitIsKnown === true);
    const experiment = { ...before, task: reference, ...(seed !== undefined && { seed }) };
    const lastRow = (await this.store.readLog(id)).at(-1);
    const came = lastRow ? metricsOf(lastRow) : isSame && trainLoss !== undefined ? { trainLoss } : {};
    const measured = await this.measure(id, experiment, isKnown ? task : withoutSplit(task), signal);
    throwIfCancelled(signal);
    if (![measured.metrics, ...measured.rows].every(row => Object.values(row).every(Number.isFinite))) {
      throw new UserError(`What "${name}" answers are not finite numbers: its weights are too large to compute with.`);
    }
    if (snapshot) await keepSnapshot(this.store.folder, snapshot);
    return this.store.update(id, {
      experiment, source: { ...rest, ...(isKnown && { splitIsKnown: true }) }, metrics: { ...came, ...measured.metrics }, measured: measured.rows,
    });
  }

  /** What a model measures on a task, at its end and at its checkpoints. */
  private async measure(id: string, experiment: ResolvedExperiment, task: Task, signal: AbortSignal): Promise<Measured> {
    if (task.answersAre === 'unknown') return { metrics: {}, rows: [] };
    const examples = testExamples(experiment, task);
    return this.models.useWith(id, task, async ({ model, details: { checkpoints }, atCheckpoint }) => {
      const metrics = await metricsOn({ model, task, signal }, examples);
      const rows: MetricsRow[] = [];
      for (const step of evenlySpread(checkpoints)) {
        rows.push({ step, seconds: 0, ...(await metricsOn({ model: await atCheckpoint(step), task, signal }, examples)) });
      }
      return { metrics, rows };
    });
  }
}

interface Measured {
  readonly metrics: Metrics;
  readonly rows: readonly MetricsRow[];
}

/** The most checkpoints that a model is measured at. */
const mostMeasured = 100;

function evenlySpread(steps: readonly number[]): readonly number[] {
  const every = Math.ceil(steps.length / mostMeasured);
  return steps.filter((_, at) => (steps.length - 1 - at) % every === 0);
}

/** Logits of examples that are looked at together. */
const mostLogits = 1 << 24;

/** What a run measures on test examples, of any number of outputs. */
async function metricsOn(answering: Answering, { tokens, labels }: Examples): Promise<Metrics> {
  const { task: { answerPositions, outputs } } = answering;
  const [B = 0] = tokens.shape;
  const atOnce = Math.max(1, Math.floor(mostLogits / (answerPositions.length * outputs.length)));
  let [loss, right, whole] = [0, 0, 0];
  for (const { from, to } of stretchesOf(B, atOnce)) {
    const scores = await scoresOn(answering, { tokens: rowsOf(tokens, from, to), labels: rowsOf(labels, from, to) });
    loss += scores.loss * (to - from);
    right += scores.accuracy * (to - from);
    whole += scores.exactMatch * (to - from);
  }
  return { testLoss: loss / B, testAccuracy: right / B, testExactMatch: whole / B };
}
