import { CancelledError, UserError } from '../../common/errors';
import type { Engine } from '../../engine/engine';
import { sweepToEnd } from '../../engine/trainToEnd';
import { UnconfirmedSweep, type SweepOrder } from '../../engine/sweeps';
import type { Device } from '../../protocol/engine';
import type { MetricName } from '../../protocol/model';
import { bestRow, type ExecutorName, type SlurmOptions, type SweepDetails, type SweepOptions, type SweepRow } from '../../protocol/sweep';
import { answer, FailedAnswer } from '../output';
import { withEngine, type CommonOptions, type Session } from '../session';
import { sweepCsv, sweepMarkdown, sweepText } from '../sweepTables';
import { orderOf, watchOf, type ExperimentChanges } from '../training';

export const tableFormats = ['table', 'markdown', 'csv'] as const;

export interface SweepCommandOptions extends CommonOptions, ExperimentChanges, SlurmOptions {
  readonly executor: ExecutorName;
  readonly parallel: number;
  readonly device?: Device;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly metric: MetricName;
  readonly format: (typeof tableFormats)[number];
}

/** `circuits sweep EXPERIMENT`: trains every run of an experiment's sweep that is not trained yet, and compares them. */
export async function sweep(session: Session, experiment: string, options: SweepCommandOptions): Promise<void> {
  const how = sweepOptions(options);
  await withEngine(session, options, async engine => {
    const order = { ...(await orderOf(engine, experiment, options)), options: how, confirmed: options.yes ?? false };
    if (options.dryRun) return explained(() => dryRun(session, engine, order));
    const details = await explained(() => sweepToEnd(engine, order, watchOf(session)));
    answer(session.output, documentOf(details, options.metric), () => textOf(details, options));
    if (session.interrupted.aborted && details.status === 'stopped') {
      session.output.err.write('Run the same command again to go on from there.\n');
      throw new CancelledError();
    }
    if (details.rows.some(({ status }) => status !== 'finished')) throw new FailedAnswer();
  }, options.device === undefined ? {} : { device: options.device });
}

function sweepOptions({ executor, parallel, force, partition, time, memory, gres }: SweepCommandOptions): SweepOptions {
  const slurm: SlurmOptions = {
    ...(partition !== undefined && { partition }), ...(time !== undefined && { time }), ...(memory !== undefined && { memory }), ...(gres !== undefined && { gres }),
  };
  const [first] = Object.keys(slurm);
  if (executor !== 'slurm' && first !== undefined) throw new UserError(`--${first} is for a Slurm cluster; add --executor slurm, or leave it out.`);
  return { executor, parallel, ...(executor === 'slurm' && { slurm }), ...(force && { force }) };
}

/** What would be done: the script for a cluster, or how many runs there are to train here. */
async function dryRun(session: Session, engine: Engine, order: SweepOrder): Promise<void> {
  const { name, fields, runs, finished } = await engine.sweeps.plan({ ...order, confirmed: true });
  const script = order.options.executor === 'slurm' && finished < runs ? await engine.sweepScript(order) : undefined;
  answer(session.output, { name, fields, runs, finished, ...(script !== undefined && { script }) },
    () => script?.trimEnd() ?? `${name}: ${runs} runs over ${fields.join(', ')}; ${finished} of them are trained already.`);
}

/** Says how to mean what was not confirmed. */
async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnconfirmedSweep)) throw error;
    throw new UserError(`This sweep has ${error.runs.toLocaleString('en')} runs; add --yes to train so many.`);
  }
}

function documentOf({ rows, problem }: SweepDetails, metric: MetricName) {
  const best = bestRow(rows, metric);
  return { rows: rows.map(rowDocument), ...(best && { best: rowDocument(best) }), ...(problem !== undefined && { problem }) };
}

function rowDocument({ values, model, status, metrics, problem }: SweepRow) {
  return { ...values, id: model, status, metrics, ...(problem !== undefined && { problem }) };
}

function textOf(details: SweepDetails, { format, metric }: SweepCommandOptions): string {
  switch (format) {
    case 'table': return sweepText(details, metric);
    case 'markdown': return sweepMarkdown(details);
    case 'csv': return sweepCsv(details);
    default: return format satisfies never;
  }
}
