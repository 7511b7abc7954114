import { UserError } from '../common/errors';
import type { ExperimentStanding, ExperimentText } from '../protocol/engine';
import type { ModelSummary } from '../protocol/model';
import { idOf } from '../store/modelRecord';
import { sweepIdOf } from '../store/sweepRecords';
import { parseExperiment, readExperiment, type NamedModels } from '../training/experiment';
import type { Origin } from '../training/origin';
import { hasSweep, readSweep } from '../training/sweep';
import type { Engine } from './engine';
import { experimentProblems } from './experimentProblems';
import { checkOrigin } from './originWeights';
import { modelsOf } from './sweepState';

type Standing = Pick<Engine, 'store' | 'runs' | 'sweeps'>;

/** Sweeps of more runs are counted, and their runs not read: this is asked whenever somebody rests from typing. */
const readRuns = 200;

/** What an experiment's text would train, what is wrong with it, and what there is of it in the store. */
export async function standingOf(engine: Standing, source: ExperimentText): Promise<ExperimentStanding> {
  const { runs } = engine;
  const named = await runs.origins.lookUp(source);
  const problems = experimentProblems(source.text, named);
  const reading = readExperiment(source.text, named);
  if (!reading.ok) return { problems };
  const { resolved, origin } = reading.experiment;
  const { name, seed, training: { steps } } = resolved;
  const id = idOf(resolved);
  const model = await modelOf(engine, id);
  const before = model ? undefined : await newestNamed(engine, givenName(source.text), id);
  const sweep = await sweepStanding(engine, source, named);
  return {
    problems,
    trains: { id, name, seed, steps },
    ...(model && { model }),
    ...(before && { before }),
    ...(origin && { origin: { id: origin.id, name: origin.name, trained: await isTrained(engine, name, origin) } }),
    ...(sweep && { sweep }),
  };
}

async function modelOf({ runs, store }: Standing, id: string): Promise<ModelSummary | undefined> {
  if (!(await store.has(id))) return undefined;
  try {
    return await runs.summary(await store.read(id));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // What cannot be read is listed as failed, or has gone meanwhile.
    return (await runs.summaries()).find(model => model.id === id);
  }
}

/** Without a name of its own an experiment is called after its task, as any other of that task is. */
function givenName(text: string): string | undefined {
  const parsed = parseExperiment(text);
  return parsed.ok ? parsed.experiment.name : undefined;
}

async function newestNamed({ runs }: Standing, name: string | undefined, id: string): Promise<ModelSummary | undefined> {
  if (name === undefined) return undefined;
  return (await runs.summaries()).find(model => model.name === name && model.id !== id && !model.source);
}

async function isTrained({ store }: Standing, name: string, origin: Origin): Promise<boolean> {
  try {
    await checkOrigin(store, name, origin);
    return true;
  } catch (error) {
    // Not trained to its end, without the checkpoint, or gone: whoever trains hears which.
    if (error instanceof UserError) return false;
    throw error;
  }
}

async function sweepStanding({ runs, sweeps }: Standing, { text }: ExperimentText, named: NamedModels): Promise<ExperimentStanding['sweep']> {
  if (!hasSweep(text)) return undefined;
  const reading = readSweep(text, {}, readRuns, named);
  if (!reading.ok) return reading.unconfirmed && { runs: reading.unconfirmed.runs };
  const models = modelsOf(reading.sweep);
  const finished = new Set((await runs.summaries()).filter(({ status }) => status === 'finished').map(model => model.id));
  const id = sweepIdOf(models);
  return { runs: models.length, finished: models.filter(model => finished.has(model)).length, ...(await sweeps.has(id) && { id }) };
}
