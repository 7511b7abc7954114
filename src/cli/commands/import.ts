import path from 'node:path';
import { formatNumber } from '../../common/numbers';
import { textTable } from '../../common/textTable';
import { importModel } from '../../engine/imports';
import { metricTexts } from '../../engine/words/model';
import { countParameters, parameterSpecs } from '../../model/parameters';
import type { InferredField } from '../../protocol/checkpointFile';
import { fieldsFromText } from '../arguments';
import { bindingFrom, type BindingOptions } from '../bindingOption';
import { answer } from '../output';
import { withEngine, type CommonOptions, type Session } from '../session';

export interface ImportOptions extends CommonOptions, BindingOptions {
  readonly config?: string;
  readonly name?: string;
  readonly set: readonly string[];
}

/** `circuits import FILE`: makes a model of a file of weights, and says what told its config. */
export async function importFile(session: Session, file: string, { config: configFile, name, set, task, prompts, splitSeed, ...options }: ImportOptions): Promise<void> {
  const binding = bindingFrom({ ...(task !== undefined && { task }), ...(prompts !== undefined && { prompts }), ...(splitSeed !== undefined && { splitSeed }) });
  const order = {
    file: path.resolve(file),
    ...(name !== undefined && { name }),
    ...(configFile !== undefined && { configFile: path.resolve(configFile) }),
    ...(set.length > 0 && { config: fieldsFromText(set) }),
    ...(binding && { binding }),
  };
  await withEngine(session, options, async engine => {
    const { model, cached, inferred } = await importModel(engine, order, session.interrupted);
    const { summary, config, experiment, checkpoints } = await engine.details(model.id);
    const { total: parameters } = countParameters(parameterSpecs(config));
    const { name, path, metrics } = summary;
    const document = { id: model.id, name, path, cached, config, inferred, parameters, checkpoints, task: experiment.task, metrics };
    answer(session.output, document, () => importText(document));
  });
}

function importText({ id, name, path, cached, inferred, parameters, checkpoints, task, metrics }: {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly cached: boolean;
  readonly inferred: readonly InferredField[];
  readonly parameters: number;
  readonly checkpoints: readonly number[];
  readonly task: { readonly name: string };
  readonly metrics: Parameters<typeof metricTexts>[0];
}): string {
  const assumed = inferred.filter(({ from }) => from === 'default').map(({ field }) => field);
  return [
    `${name} (${id})${cached ? ', imported before' : ''}`,
    `  ${formatNumber(parameters)} parameters${checkpoints.length === 0 ? '' : `, ${checkpoints.length} checkpoints`}, task ${task.name}`,
    ...metricTexts(metrics).map(text => `  ${text}`),
    `  ${path}`,
    '',
    textTable(columns, inferred),
    ...(assumed.length === 0 ? [] : [
      '',
      `Nothing tells what is marked with *, which is as it mostly is. If it is not so, import the file again with --set, as in --set ${assumed[0] ?? ''}=…, or with --config and the config of the model.`,
    ]),
  ].join('\n');
}

const columns = [
  { title: 'field', value: ({ field }: InferredField) => field },
  { title: 'value', value: ({ value }: InferredField) => (typeof value === 'string' ? value : JSON.stringify(value)) },
  { title: 'from', value: ({ from }: InferredField) => (from === 'default' ? '* default' : from) },
];
