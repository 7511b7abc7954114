import { byAnalysisGroup, type AnalysisInfo } from '../../protocol/analysis';
import type { Parameter, Parameters } from '../../protocol/parameter';

/** Analyses by their groups, with their parameters and scalars. */
export function analysesText(analyses: readonly AnalysisInfo[]): string {
  return byAnalysisGroup(analyses, ({ group }) => group)
    .map(({ group, members }) => [`${group}:`, ...members.map(analysisText)].join('\n\n'))
    .join('\n\n');
}

function analysisText({ id, description, params, scalars }: AnalysisInfo): string {
  return [
    id,
    `  ${description}`,
    parametersText(params),
    ...Object.entries(scalars).map(([name, meaning]) => `  → ${name}: ${meaning}`),
  ].filter(line => line !== '').join('\n');
}

/** What there is to choose, a line each. */
export function parametersText(params: Parameters): string {
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
