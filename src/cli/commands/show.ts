import { stat } from 'node:fs/promises';
import { UserError } from '../../common/errors';
import { formatShape } from '../../common/tensor';
import type { Engine } from '../../engine/engine';
import { experimentOf } from '../../engine/runs';
import { experimentSuffix } from '../../engine/bundled';
import { countParameters, parameterSpecs } from '../../model/parameters';
import type { ModelOrigin, ParameterSummary } from '../../protocol/model';
import { formatNumber } from '../numbers';
import { answer } from '../output';
import { experimentText, withEngine, type CommonOptions, type Session } from '../session';
import { textTable } from '../table';

/** `circuits show MODEL|EXPERIMENT`: what it is made of, trained or not. */
export async function show(session: Session, reference: string, options: CommonOptions): Promise<void> {
  await withEngine(session, options, async engine => {
    const document = await describe(engine, reference);
    answer(session.output, document, () => [
      `${document.name}${document.id === undefined ? ', not trained yet' : ` (${document.id}), ${document.status}`}`,
      `task ${document.task.name}, ${formatNumber(document.parameters.total)} parameters, ${formatNumber(document.parameters.trainable)} of them trained`,
      ...(document.from ? [originText(document.from)] : []),
      '',
      textTable(columns, document.parameters.tensors),
    ].join('\n'));
  }, { reference });
}

function originText({ id, name, checkpoint }: ModelOrigin): string {
  return `fine-tuned from ${name} (${id})${checkpoint === undefined ? '' : ` at step ${formatNumber(checkpoint)}`}`;
}

const columns = [
  { title: 'parameter', value: ({ name }: ParameterSummary) => name },
  { title: 'shape', value: ({ shape }: ParameterSummary) => formatShape(shape) },
  { title: 'trained', value: ({ trainable }: ParameterSummary) => (trainable ? 'yes' : 'no') },
];

async function describe(engine: Engine, reference: string) {
  if (await isExperimentFile(reference)) return describeExperiment(engine, reference);
  const found = await engine.store.find(reference).catch((error: unknown) => {
    if (error instanceof UserError) return error;
    throw error;
  });
  if (!(found instanceof UserError)) return describeModel(engine, found.id);
  // What is neither a model nor an experiment was most likely meant as a model.
  if (!(await engine.bundled.names()).includes(reference)) throw found;
  return describeExperiment(engine, reference);
}

async function describeModel(engine: Engine, id: string) {
  const { summary, experiment, config, parameters, checkpoints } = await engine.details(id);
  const { name, path, status, progress, metrics } = summary;
  return {
    id, name, path, status, progress, metrics, checkpoints, config, task: experiment.task, seed: experiment.seed, training: experiment.training,
    ...(experiment.from && { from: experiment.from }),
    parameters: withTensors(parameters),
  };
}

async function describeExperiment(engine: Engine, reference: string) {
  const source = await experimentText(engine, reference);
  const { resolved, config } = experimentOf(source, await engine.runs.origins.lookUp(source));
  const tensors = parameterSpecs(config).map(({ name, shape, trainable }) => ({ name, shape, trainable }));
  return {
    id: undefined, status: undefined, name: resolved.name, config, task: resolved.task, seed: resolved.seed, training: resolved.training,
    ...(resolved.from && { from: resolved.from }),
    parameters: withTensors(tensors),
  };
}

function withTensors(tensors: readonly ParameterSummary[]) {
  return { ...countParameters(tensors), tensors };
}

/** A model is a folder; whatever ends like an experiment file is meant as one, there or not. */
async function isExperimentFile(reference: string): Promise<boolean> {
  if (reference.endsWith(experimentSuffix)) return true;
  return (await stat(reference).catch(() => undefined))?.isFile() ?? false;
}
