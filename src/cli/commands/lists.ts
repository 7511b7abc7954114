import { analyses } from '../../analysis/registry';
import { describeAnalysis } from '../../analysis/define';
import { byAnalysisGroup, type AnalysisInfo } from '../../protocol/analysis';
import type { Parameter, Parameters } from '../../protocol/parameter';
import type { ModelSummary } from '../../protocol/model';
import { describeTask, tasks } from '../../tasks/registry';
import { BundledExperiments } from '../../engine/bundled';
import { formatNumber, formatPercent } from '../numbers';
import { answer } from '../output';
import { withEngine, type CommonOptions, type Session } from '../session';
import { textTable } from '../table';

/** `circuits tasks`: the tasks with their parameters, and the experiments that come with the program. */
export async function listTasks({ output, installation }: Session): Promise<void> {
  const experiments = await new BundledExperiments(installation.experiments).names();
  const document = { tasks: tasks.map(describeTask), experiments };
  answer(output, document, () => [
    ...document.tasks.map(({ id, description, params }) => `${id}\n  ${description}\n${parametersText(params)}`),
    `Bundled experiments: ${experiments.join(', ') || 'none'}`,
  ].join('\n\n'));
}

/** `circuits analyses`: the analyses by their groups, with their parameters and scalars. */
export async function listAnalyses({ output }: Session): Promise<void> {
  const document = { analyses: analyses.map(describeAnalysis) };
  answer(output, document, () => byAnalysisGroup(document.analyses, ({ group }) => group)
    .map(({ group, members }) => [`${group}:`, ...members.map(analysisText)].join('\n\n'))
    .join('\n\n'));
}

function analysisText({ id, description, params, scalars }: AnalysisInfo): string {
  return [
    id,
    `  ${description}`,
    parametersText(params),
    ...Object.entries(scalars).map(([name, meaning]) => `  → ${name}: ${meaning}`),
  ].filter(line => line !== '').join('\n');
}

/** `circuits models`: the models in the store, newest first. */
export async function listModels(session: Session, options: CommonOptions): Promise<void> {
  await withEngine(session, options, async engine => {
    const models = await engine.models();
    answer(session.output, { models }, () => (models.length === 0 ? `There are no models in ${engine.store.folder}.` : textTable(columns.filter(column => column !== fromColumn || models.some(({ from }) => from)), models)));
  });
}

const fromColumn = {
  title: 'fine-tuned from',
  value: ({ from }: ModelSummary) => (from ? `${from.name}${from.checkpoint === undefined ? '' : ` at step ${formatNumber(from.checkpoint)}`}` : ''),
};
const columns = [
  { title: 'id', value: ({ id }: ModelSummary) => id },
  { title: 'name', value: ({ name }: ModelSummary) => name },
  { title: 'task', value: ({ task }: ModelSummary) => task },
  { title: 'layers', numeric: true, value: ({ n_layers }: ModelSummary) => String(n_layers) },
  { title: 'heads', numeric: true, value: ({ n_heads }: ModelSummary) => String(n_heads) },
  { title: 'status', value: ({ status }: ModelSummary) => status },
  fromColumn,
  { title: 'step', numeric: true, value: ({ progress }: ModelSummary) => formatNumber(progress.step) },
  { title: 'test loss', numeric: true, value: ({ metrics }: ModelSummary) => (metrics.testLoss === undefined ? '' : formatNumber(metrics.testLoss)) },
  { title: 'accuracy', numeric: true, value: ({ metrics }: ModelSummary) => (metrics.testAccuracy === undefined ? '' : formatPercent(metrics.testAccuracy)) },
];

function parametersText(params: Parameters): string {
  return Object.entries(params).map(([name, parameter]) => {
    const form = formOf(parameter);
    return `  ${name}=${parameter.default}${form === '' ? '' : ` (${form})`}: ${parameter.description}`;
  }).join('\n');
}

/** How a parameter's value is written. */
function formOf(parameter: Parameter): string {
  switch (parameter.kind) {
    case 'integer': return `whole number${rangeText(parameter)}`;
    case 'number': return `number${rangeText(parameter)}`;
    case 'boolean': return 'true or false';
    case 'choice': return parameter.options.join(', ');
    case 'text': return '';
    case 'prompt': return 'words separated by spaces';
    case 'head': return 'as in 1.0';
    case 'position': return 'name or number';
    case 'corruption': return 'one of the task, or empty for its first';
    case 'components': return 'as in "1.0, mlp 0"';
    case 'path': return 'as in "W_E · OV(1.0) · W_U"';
    case 'graph': return 'edges, as in "1-3 3-4"';
    default: return parameter satisfies never;
  }
}

function rangeText({ minimum, maximum }: { readonly minimum?: number; readonly maximum?: number }): string {
  if (minimum === undefined) return maximum === undefined ? '' : ` up to ${maximum}`;
  return maximum === undefined ? ` from ${minimum}` : ` from ${minimum} to ${maximum}`;
}
