import { UserError } from '../common/errors';
import type { Random } from '../common/random';
import { resolveParameters, type ParameterValues } from '../protocol/parameter';
import type { AnalysisContext, AnalysisDefinition } from './define';
import { runAnalysis } from './run';

/** What the code of a figure is written from. */
export interface CodeContext extends Omit<AnalysisContext, 'random'> {
  /** A generator as the analysis gets it, anew each time: the code is to name the very examples of the figure. */
  random(): Random;
  /** The step of the checkpoint that `model` is; absent for the newest weights. */
  readonly checkpoint?: number;
}

/**
 * Python that computes one figure of an analysis with TransformerLens; it counts from 0 in the order of the result.
 * @throws UserError with the reason where there is none, and whatever {@link runAnalysis} throws.
 */
export async function codeOf(definition: AnalysisDefinition, { random, checkpoint, ...context }: CodeContext, given: Readonly<Record<string, unknown>>, index: number): Promise<string> {
  const { title, params } = definition;
  const { figures } = await runAnalysis(definition, { ...context, random: random() }, given);
  const figure = figures[index];
  if (!figure) throw new UserError(`"${title}" has ${figures.length} ${figures.length === 1 ? 'figure' : 'figures'}; there is no number ${index}, counted from 0.`);
  const values = resolveParameters(`analysis "${definition.id}"`, params, given);
  const code = definition.python?.({ ...context, random: random(), figure, index }, values);
  if (code === undefined || 'reason' in code) throw new UserError(`"${figure.title}" has no TransformerLens code: ${code?.reason ?? 'nothing there computes it'}.`);
  return [
    ...headLines(definition, context, { figure: figure.title, checkpoint, values }),
    ...importLines(code),
    '',
    ...code,
    '',
  ].join('\n');
}

interface Told {
  readonly figure: string;
  readonly checkpoint: number | undefined;
  readonly values: ParameterValues;
}

/** Comments that say what the lines compute, and of which model. */
function headLines({ title }: AnalysisDefinition, { details }: Pick<CodeContext, 'details'>, { figure, checkpoint, values }: Told): readonly string[] {
  const parameters = Object.entries(values).flatMap(([name, value]) => (value === '' ? [] : [`${name} = ${String(value)}`]));
  const weights = checkpoint === undefined ? 'its newest weights' : `step ${checkpoint}`;
  return [
    figure === title ? figure : `${title}: ${figure}`,
    `of ${details.summary.name}, ${weights}${parameters.length > 0 ? `; ${parameters.join(', ')}` : ''}`,
    '`model` is that HookedTransformer: Export Model writes its weights, and beside them a .py that builds it.',
  ].map(comment);
}

const longestComment = 300;

/** On one line whatever it holds: names and parameters are anybody's words, and no word may become code. */
function comment(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return `# ${line.length > longestComment ? `${line.slice(0, longestComment)}…` : line}`;
}

/** What is imported where its name is used. */
const imports: readonly (readonly [used: RegExp, line: string])[] = [
  [/\bitertools\./, 'import itertools'],
  [/\bmath\./, 'import math'],
  [/\bpartial\(/, 'from functools import partial'],
  [/\beinops\./, 'import einops'],
  [/\btorch\./, 'import torch'],
  [/\bF\./, 'import torch.nn.functional as F'],
  [/\bpatching\./, 'from transformer_lens import patching'],
  [/\bget_act_name\(/, 'from transformer_lens.utils import get_act_name'],
];

/** Gradients are recorded where they are taken, and only there: an activation that carries them is no array. */
function importLines(code: readonly string[]): readonly string[] {
  const gradients = code.some(line => /\.backward\(|autograd/.test(line));
  const switched = `torch.set_grad_enabled(${gradients ? 'True' : 'False'})`;
  const used = [...code, switched].filter(line => !line.trimStart().startsWith('#'));
  return [...imports.filter(([name]) => used.some(line => name.test(line))).map(([, line]) => line), '', switched];
}
