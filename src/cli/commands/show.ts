import { stat } from 'node:fs/promises';
import { UserError } from '../../common/errors';
import { formatNumber } from '../../common/numbers';
import { experimentSuffix } from '../../engine/bundled';
import type { Engine } from '../../engine/engine';
import { experimentOf } from '../../engine/runs';
import { originText, parametersTable } from '../../engine/words/model';
import { sourceText } from '../../engine/words/source';
import { countParameters, parameterSpecs } from '../../model/parameters';
import type { ParameterSummary } from '../../protocol/model';
import { answer } from '../output';
import { experimentText, withEngine, type CommonOptions, type Session } from '../session';

/** `circuits show MODEL|EXPERIMENT`: what it is made of, trained or not. */
export async function show(session: Session, reference: string, options: CommonOptions): Promise<void> {
  await withEngine(session, options, async engine => {
    const document = await describe(engine, reference);
    answer(session.output, document, () => [
      `${document.name}${document.id === undefined ? ', not trained yet' : ` (${document.id}), ${document.source ? sourceText(document.source) : document.status}`}`,
      `task ${document.task.name}, ${formatNumber(document.parameters.total)} parameters${document.source ? '' : `, ${formatNumber(document.parameters.trainable)} of them trained`}`,
      ...(document.from ? [originText(document.from)] : []),
      '',
      parametersTable(document.parameters.tensors),
    ].join('\n'));
  }, { reference });
}

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
  const { name, path, status, progress, metrics, source } = summary;
  return {
    id, name, path, status, progress, metrics, checkpoints, config, task: experiment.task, seed: experiment.seed, training: experiment.training,
    ...(experiment.from && { from: experiment.from }),
    ...(source && { source }),
    parameters: withTensors(parameters),
  };
}

async function describeExperiment(engine: Engine, reference: string) {
  const source = await experimentText(engine, reference);
  const { resolved, config } = experimentOf(source, await engine.runs.origins.lookUp(source));
  const tensors = parameterSpecs(config).map(({ name, shape, trainable }) => ({ name, shape, trainable }));
  return {
    id: undefined, status: undefined, source: undefined, name: resolved.name, config, task: resolved.task, seed: resolved.seed, training: resolved.training,
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
