import * as v from 'valibot';
import { describeAnalysis } from '../analysis/define';
import { analyses } from '../analysis/registry';
import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { formatNumber } from '../common/numbers';
import { printable } from '../common/printable';
import { textTable } from '../common/textTable';
import { tools, type ToolAnswer, type ToolCall, type ToolInput, type ToolName } from '../protocol/tools';
import type { Engine } from './engine';
import { ToolExperiments, type ListedExperiment } from './toolExperiments';
import { readClaimed, verifyClaimed } from './verifying';
import { analysesText } from './words/analyses';
import { resultExcerpt } from './words/excerpts';
import { modelText } from './words/model';
import { modelsTable } from './words/models';
import { verificationText } from './words/verifications';

/**
 * Answers a call of a tool in words.
 * @throws UserError for a mistake in the call, or what cannot be done, with the nearest of names; CancelledError
 */
export async function callTool(engine: Engine, { tool, input, folder }: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
  const context = { engine, experiments: new ToolExperiments(engine.bundled, folder), signal };
  const text = printable(await answerOf(tool, input, context));
  return { text: text.length > longest ? `${text.slice(0, longest)}\nCut: the first ${formatNumber(longest)} of ${formatNumber(text.length)} characters.` : text };
}

/** Characters of an answer. */
const longest = 60_000;

interface Context {
  readonly engine: Engine;
  readonly experiments: ToolExperiments;
  readonly signal: AbortSignal;
}

type Answers = { readonly [N in ToolName]: (input: ToolInput<N>, context: Context) => Promise<string> };

function answerOf<N extends ToolName>(tool: N, input: unknown, context: Context): Promise<string> {
  return answers[tool](checked(tool, input), context);
}

const answers: Answers = {
  async list_models(_, { engine }) {
    const models = await engine.models();
    return models.length === 0 ? 'There are no models yet; an experiment trains one.' : modelsTable(models);
  },

  async show_model({ model }, { engine }) {
    const { id } = await engine.store.find(model);
    const words = await engine.words(id).catch(whatIsSaid);
    return modelText(await engine.details(id), words);
  },

  async list_analyses({ model }, { engine }) {
    return analysesText(model === undefined ? analyses.map(describeAnalysis) : await engine.analyses.applicable((await engine.store.find(model)).id));
  },

  async list_experiments(_, { experiments }) {
    return textTable(experimentColumns, await experiments.list());
  },

  async run_analysis({ model, analysis, params = {}, checkpoint }, { engine, signal }) {
    const { id, name } = await engine.store.find(model);
    const result = await engine.analyses.run({ model: id, analysis, params, ...(checkpoint !== undefined && { checkpoint }) }, { signal, progress: () => undefined });
    return `${analysis} of ${name} (${id})${checkpoint === undefined ? '' : ` at step ${formatNumber(checkpoint)}`}\n\n${resultExcerpt(result)}`;
  },

  async verify_claims({ experiment, seed, claims, checkpoint }, { engine, experiments, signal }) {
    const claimed = await readClaimed(engine, { ...(await experiments.read(experiment)), ...(seed !== undefined && { seed }) });
    const ignore = () => undefined;
    const shown = () => ({ show: ignore, dispose: ignore });
    const watch = { signal, say: ignore, follow: shown, followSweep: shown, measuring: ignore, measured: ignore, failed: ignore };
    return verificationText(await verifyClaimed(engine, claimed, { train: false, ...(claims && { claims }), ...(checkpoint !== undefined && { checkpoint }) }, watch));
  },

  async start_training({ experiment, seed, steps, set }, { engine, experiments }) {
    const order = { ...(await experiments.read(experiment)), ...(seed !== undefined && { seed }), ...(steps !== undefined && { steps }), ...(set && { set }) };
    const { id, cached, run } = await engine.runs.train(order);
    const { name, status, progress: { step, steps: all } } = await engine.model(id);
    const where = `step ${formatNumber(step)} of ${formatNumber(all)}`;
    if (run?.isPaused) {
      await engine.runs.resume(id);
      return `"${name}" (${id}) was paused at ${where} and goes on; show_model tells how far it is.`;
    }
    if (run) return `"${name}" (${id}) ${cached ? 'is being trained already' : 'is being trained'}, ${where}; show_model tells how far it is.`;
    if (status === 'finished') return `"${name}" (${id}) is trained already.`;
    if (status === 'training' || status === 'paused') return `"${name}" (${id}) is being trained by another process, ${where}.`;
    await engine.runs.resume(id);
    return `"${name}" (${id}) had ended at ${where} and goes on from there; show_model tells how far it is.`;
  },

  async stop_training({ model }, { engine }) {
    const { id } = await engine.store.find(model);
    await engine.runs.control(id, 'stop');
    const { name, status, progress: { step, steps } } = await engine.model(id);
    if (status === 'finished') return `"${name}" (${id}) came to its end before it could be stopped.`;
    return `"${name}" (${id}) is stopped at step ${formatNumber(step)} of ${formatNumber(steps)}, and keeps what it has learned.`;
  },
};

const experimentColumns = [
  { title: 'experiment', value: ({ reference }: ListedExperiment) => reference },
  { title: 'claims', numeric: true, value: ({ claims, problem }: ListedExperiment) => (problem === undefined ? String(claims) : '') },
  { title: 'what it is', value: ({ description, isSweep, problem }: ListedExperiment) => problem === undefined ? `${isSweep ? 'Sweep. ' : ''}${description}` : `It cannot be trained: ${problem}` },
];

/** What keeps something from being shown, in its place. */
function whatIsSaid(error: unknown): string {
  if (error instanceof UserError) return error.message;
  throw error;
}

function checked<N extends ToolName>(tool: N, input: unknown): ToolInput<N> {
  const schema: v.GenericSchema<unknown, object> = tools[tool].input;
  const given = input ?? {};
  const result = v.safeParse(schema, given);
  if (result.success) return result.output as ToolInput<N>;
  const issue = result.issues.find(isUnknown) ?? result.issues[0];
  const path = v.getDotPath(issue) ?? '';
  const fields = Object.keys(tools[tool].input.entries);
  if (isUnknown(issue)) throw unknownName(`input of ${tool} called`, path, fields);
  if (issue.type === 'strict_object' && issue.received === 'undefined') throw new UserError(`${tool} needs ${path}.`);
  throw new UserError(`The input${path === '' ? '' : ` "${path}"`} of ${tool} is wrong: ${issue.message}.`);
}

function isUnknown({ type, expected }: v.BaseIssue<unknown>): boolean {
  return type === 'strict_object' && expected === 'never';
}
