import { formatNumber, formatPercent } from '../../common/numbers';
import { formatShape } from '../../common/tensor';
import { textTable } from '../../common/textTable';
import { countParameters } from '../../model/parameters';
import type { ModelDetails, ModelOrigin, ModelWords, ParameterSummary } from '../../protocol/model';
import { sourceText } from './source';

const mostWords = 200;
const mostCheckpoints = 60;
const mostParameters = 200;

/** All that there is to know of a model but its numbers. @param words those of its task, or why there are none */
export function modelText({ summary, experiment, config, parameters, checkpoints }: ModelDetails, words: ModelWords | string): string {
  const { id, name, status, progress, metrics, from, problem, source } = summary;
  const { total, trainable } = countParameters(parameters);
  const { name: task, parameters: given } = experiment.task;
  return [
    source ? `${name} (${id}), ${sourceText(source)}` : `${name} (${id}), ${status}, step ${formatNumber(progress.step)} of ${formatNumber(progress.steps)}, seed ${experiment.seed}`,
    ...(problem === undefined ? [] : [problem]),
    ...(from ? [originText(from)] : []),
    `task: ${[task, ...Object.entries(given).map(([key, value]) => `${key}=${value}`)].join(' ')}`,
    `metrics: ${metricTexts(metrics).join(', ') || 'none yet'}`,
    `checkpoints: ${listText(checkpoints.map(String), mostCheckpoints) || 'none'}`,
    `config: ${JSON.stringify(config)}`,
    ...(typeof words === 'string' ? [words] : [
      `positions: ${listText(words.positions, mostWords)}; answers are at ${words.answerPositions.join(', ')}`,
      `vocabulary: ${listText(words.vocabulary, mostWords)}`,
      ...(words.corruptions.length === 0 ? [] : [`corruptions: ${words.corruptions.join(', ')}`]),
    ]),
    '',
    `${formatNumber(total)} parameters, ${formatNumber(trainable)} of them trained`,
    parametersTable(parameters.slice(0, mostParameters)),
    ...(parameters.length > mostParameters ? [`Cut: the first ${mostParameters} of ${formatNumber(parameters.length)} parameters.`] : []),
  ].join('\n');
}

/** What was measured last, each in a few words. */
export function metricTexts({ trainLoss, testLoss, testAccuracy, testExactMatch }: ModelDetails['summary']['metrics']): readonly string[] {
  return [
    ...(trainLoss === undefined ? [] : [`train loss ${formatNumber(trainLoss)}`]),
    ...(testLoss === undefined ? [] : [`test loss ${formatNumber(testLoss)}`]),
    ...(testAccuracy === undefined ? [] : [`test accuracy ${formatPercent(testAccuracy)}`]),
    ...(testExactMatch === undefined ? [] : [`examples right whole ${formatPercent(testExactMatch)}`]),
  ];
}

function listText(items: readonly string[], most: number): string {
  const shown = items.slice(0, most).map(item => item.replaceAll('\n', '↵')).join(' ');
  return items.length > most ? `${shown} … (cut: the first ${most} of ${formatNumber(items.length)})` : shown;
}

export function originText({ id, name, checkpoint }: ModelOrigin): string {
  return `fine-tuned from ${name} (${id})${checkpoint === undefined ? '' : ` at step ${formatNumber(checkpoint)}`}`;
}

/** Parameters, a row each. */
export function parametersTable(parameters: readonly ParameterSummary[]): string {
  return textTable(columns, parameters);
}

const columns = [
  { title: 'parameter', value: ({ name }: ParameterSummary) => name },
  { title: 'shape', value: ({ shape }: ParameterSummary) => formatShape(shape) },
  { title: 'trained', value: ({ trainable }: ParameterSummary) => (trainable ? 'yes' : 'no') },
];
