import type { ModelSummary, ResolvedExperiment } from '../protocol/model';
import type { SweepDetails, SweepRow, SweepRunStatus, SweepSummary, SweptValues } from '../protocol/sweep';
import { idOf } from '../store/modelRecord';
import type { SweepRecord } from '../store/sweepRecords';
import type { Sweep } from '../training/sweep';
import type { SweepJob } from './executors/executor';

/** What an executor says of a run. */
export type Told = Partial<Pick<SweepRow, 'status' | 'progress' | 'metrics' | 'problem'>>;

interface RunOfSweep extends SweepJob {
  readonly values: SweptValues;
  readonly steps: number;
}

const ended: readonly SweepRunStatus[] = ['finished', 'stopped', 'interrupted', 'failed'];
const alive: readonly SweepRunStatus[] = ['training', 'paused'];

/** A sweep as it stands: what the store says of its models, and what its executor says of those that are not there yet. */
export class SweepState {
  private readonly fields: readonly string[];
  private readonly runs: readonly RunOfSweep[];
  /** Of modules: one for each that its runs are trained on. */
  readonly tasks: readonly ResolvedExperiment['task'][];
  /** Model → the runs that train it. */
  private readonly indexes = new Map<string, number[]>();
  private readonly seen = new Map<string, ModelSummary>();
  private readonly told = new Map<string, Told>();
  private isRunning = false;
  private problem: string | undefined;

  constructor(public record: SweepRecord, sweep: Sweep) {
    this.fields = sweep.fields;
    this.runs = runsOf(sweep);
    this.tasks = [...new Map(sweep.runs.flatMap(({ experiment: { resolved: { task } } }) => (task.module === undefined ? [] : [[task.module, task]]))).values()];
    for (const { model, index } of this.runs) {
      const known = this.indexes.get(model);
      if (known) known.push(index);
      else this.indexes.set(model, [index]);
    }
  }

  get models(): readonly string[] {
    return [...this.indexes.keys()];
  }

  indexesOf(model: string): readonly number[] {
    return this.indexes.get(model) ?? [];
  }

  /** Notes what the executor needs to find its jobs again. */
  keep(kept: string | undefined): void {
    const { kept: _, ...record } = this.record;
    this.record = kept === undefined ? record : { ...record, kept };
  }

  /** What is left to do: one job for every model that is not finished. */
  jobs(): readonly SweepJob[] {
    return this.models.flatMap(model => {
      const run = this.runs[this.indexesOf(model)[0] ?? -1];
      return run && this.seen.get(model)?.status !== 'finished' ? [{ index: run.index, model, name: run.name, text: run.text }] : [];
    });
  }

  /** Every model of its own that is in the store. */
  seeAll(models: readonly ModelSummary[]): void {
    this.seen.clear();
    for (const model of models) this.see(model);
  }

  see(model: ModelSummary): void {
    if (!this.indexes.has(model.id)) return;
    this.seen.set(model.id, model);
    // Trained again by itself, it stands no more as the sweep left it.
    if (!this.isRunning && alive.includes(model.status)) this.told.delete(model.id);
  }

  lose(model: string): void {
    this.seen.delete(model);
  }

  begin(jobs: readonly SweepJob[]): void {
    this.isRunning = true;
    this.problem = undefined;
    this.told.clear();
    for (const { model } of jobs) this.told.set(model, { status: 'waiting' });
  }

  tell(index: number, news: Told): void {
    const model = this.runs[index]?.model;
    if (model === undefined) return;
    // Why a run ended is forgotten when it stands otherwise.
    const { problem: _, ...before } = this.told.get(model) ?? {};
    this.told.set(model, { ...(news.status === undefined ? this.told.get(model) : before), ...news });
  }

  /** Nothing runs any more; `problem` is what kept the whole of it from going on. */
  end(problem: string | undefined): void {
    this.isRunning = false;
    this.problem = problem;
    for (const [model, { status, problem: own }] of this.told) {
      const seen = this.seen.get(model);
      const hasEnded = status !== undefined && ended.includes(status);
      // The store has the last word on what ended, unless it never came so far, or does not know yet.
      const isKept = own === undefined || (seen !== undefined && !alive.includes(seen.status));
      if (hasEnded ? isKept : problem === undefined) this.told.delete(model);
      else if (!hasEnded && problem !== undefined) this.told.set(model, { status: seen?.status ?? 'cancelled', problem });
    }
  }

  /** What the executor says of how models ended that the store does not have of them. */
  unkept(): readonly { readonly model: string; readonly status: 'interrupted' | 'failed'; readonly problem: string }[] {
    return [...this.told].flatMap(([model, { status, problem }]) => {
      const seen = this.seen.get(model);
      if (!seen || seen.status === 'finished' || seen.problem !== undefined || problem === undefined) return [];
      return status === 'interrupted' || status === 'failed' ? [{ model, status, problem }] : [];
    });
  }

  row(index: number): SweepRow | undefined {
    const run = this.runs[index];
    return run && this.rowOf(run);
  }

  summary(rows = this.rows()): SweepSummary {
    const { id, name, options, createdAt } = this.record;
    const counts: Partial<Record<SweepRunStatus, number>> = {};
    for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
    const isDone = rows.every(({ status }) => status === 'finished' || status === 'failed');
    const status = this.isRunning ? 'running' : isDone ? 'finished' : 'stopped';
    return { id, name, status, fields: this.fields, options, createdAt, counts, ...(this.problem !== undefined && { problem: this.problem }) };
  }

  details(): SweepDetails {
    const rows = this.rows();
    return { ...this.summary(rows), rows };
  }

  private rows(): readonly SweepRow[] {
    return this.runs.map(run => this.rowOf(run));
  }

  private rowOf({ index, values, model, steps }: RunOfSweep): SweepRow {
    const seen = this.seen.get(model);
    const told = this.told.get(model);
    const { status, problem } = this.standing(seen, told);
    return {
      index,
      values,
      model,
      status,
      progress: seen?.progress ?? told?.progress ?? { step: 0, steps },
      metrics: seen?.metrics ?? told?.metrics ?? {},
      ...(problem !== undefined && { problem }),
    };
  }

  private standing(seen: ModelSummary | undefined, told: Told | undefined): { readonly status: SweepRunStatus; readonly problem?: string | undefined } {
    if (told?.status === undefined) return seen ?? { status: this.isRunning ? 'waiting' : 'cancelled' };
    const hasEnded = ended.includes(told.status);
    // A process that was killed goes on in the store for a while; one that was begun again is there first.
    if (seen && (seen.status === 'finished' || (!hasEnded && alive.includes(seen.status)))) return seen;
    return { status: told.status, problem: told.problem ?? (hasEnded ? seen?.problem : undefined) };
  }
}

/** The model that each run of a sweep trains, in their order. */
export function modelsOf({ runs }: Sweep): readonly string[] {
  return runs.map(({ experiment }) => idOf(experiment.resolved));
}

function runsOf(sweep: Sweep): readonly RunOfSweep[] {
  const models = modelsOf(sweep);
  return sweep.runs.map(({ values, text, experiment: { resolved } }, index) => ({
    index, values, text, model: models[index] ?? '', name: resolved.name, steps: resolved.training.steps,
  }));
}
