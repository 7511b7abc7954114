import { isDeepStrictEqual } from 'node:util';
import { messageOf, UserError } from '../common/errors';
import { Emitter } from '../common/event';
import { Lifetime, type Disposable } from '../common/lifetime';
import { throttle } from '../common/throttle';
import type { SweepControl } from '../protocol/engine';
import {
  confirmedRuns, runsLimit, type ExecutorName, type SweepChange, type SweepDetails, type SweepOptions, type SweepPlan, type SweepSummary,
} from '../protocol/sweep';
import type { Store } from '../store/store';
import { sweepIdOf, SweepRecords, type SweepRecord } from '../store/sweepRecords';
import type { NamedModels } from '../training/experiment';
import { readSweep, type Sweep, type SweepReading } from '../training/sweep';
import type { Executor, SweepHost, SweepJob } from './executors/executor';
import { ModelWatch } from './modelWatch';
import type { Runs, TrainOrder } from './runs';
import { originOf } from './sweepOrigins';
import { SweepReadings } from './sweepReadings';
import { modelsOf, SweepState } from './sweepState';
import { Turns } from './turns';

export interface SweepOrder extends Pick<TrainOrder, 'text' | 'folder' | 'seed' | 'steps' | 'set'> {
  readonly options: SweepOptions;
  /** Whether its number of runs was seen and meant. */
  readonly confirmed?: boolean;
}

/** A sweep of more runs than are started without a word. */
export class UnconfirmedSweep extends UserError {
  constructor(readonly runs: number) {
    super(`This sweep has ${runs.toLocaleString('en')} runs; more than ${confirmedRuns.toLocaleString('en')} are started only when that is confirmed.`);
  }
}

/** @throws UserError for options that are wrong. */
export type Executors = Readonly<Record<ExecutorName, (options: SweepOptions) => Executor>>;

/** A sweep that goes on here. */
interface Going {
  readonly cancel: AbortController;
  /** Resolves when nothing of it runs any more; never rejects. */
  readonly ended: Promise<void>;
}

/** Milliseconds between two messages about a sweep. */
const interval = 100;

/** The sweeps of a store: each brings its runs to their end by an executor, one at a time for each sweep. */
export class Sweeps implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly records: SweepRecords;
  private readonly readings: SweepReadings;
  private readonly states = new Map<string, SweepState>();
  private readonly going = new Map<string, Going>();
  private readonly turns = new Turns();
  private readonly left = new AbortController();
  private readonly changes = new Emitter<SweepChange>();
  /** Sweep → the runs that have changed since this was last told. */
  private readonly changed = new Map<string, Set<number>>();
  private readonly telling = this.lifetime.add(throttle(() => this.tellChanges(), interval));
  private watch: ModelWatch | undefined;
  /** Tells of sweeps that were asked for, at most ten times a second. */
  readonly onChange = this.changes.event;

  constructor(
    private readonly store: Store,
    private readonly runs: Runs,
    private readonly executors: Executors,
    private readonly log: (message: string) => void,
  ) {
    this.records = new SweepRecords(store.folder, log);
    this.readings = new SweepReadings(runs.origins);
  }

  /** What a sweep would do. @throws UserError a sentence for each thing that is wrong with it. */
  async plan(order: SweepOrder): Promise<SweepPlan> {
    const reading = read(order, await this.runs.origins.lookUp(order));
    if (!reading.ok && reading.unconfirmed) return { ...reading.unconfirmed, finished: 0 };
    const sweep = accepted(reading);
    const finished = new Set((await this.store.summaries()).filter(({ status }) => status === 'finished').map(({ id }) => id));
    return { name: sweep.name, fields: sweep.fields, runs: sweep.runs.length, finished: modelsOf(sweep).filter(model => finished.has(model)).length };
  }

  /** The jobs that a sweep has left to do, and the folder that it has, or would have. @throws UserError as {@link plan}. */
  async draft(order: SweepOrder): Promise<{ readonly jobs: readonly SweepJob[]; readonly folder: string }> {
    const sweep = sweepOf(order, await this.runs.origins.lookUp(order));
    const id = sweepIdOf(modelsOf(sweep));
    const state = new SweepState({ format: 1, id, name: sweep.name, text: sweep.text, options: order.options, createdAt: 0 }, sweep);
    state.seeAll(await this.runs.summaries());
    return { jobs: state.jobs(), folder: this.records.folderOf(id) };
  }

  /**
   * Starts a sweep, or goes on with one of the same runs.
   * @throws UserError a sentence for each thing that is wrong with it; or when it has more runs than were meant.
   * UntrainedOriginError when a run starts from a model that is not trained yet.
   */
  async start(order: SweepOrder): Promise<SweepDetails> {
    return (await this.startOrJoin(order)).started;
  }

  /** As {@link start}; `isOwn` says whether it was started by this, and did not go on already. */
  async startOrJoin(order: SweepOrder): Promise<{ readonly started: SweepDetails; readonly isOwn: boolean }> {
    const sweep = sweepOf(order, await this.runs.origins.lookUp(order));
    const id = sweepIdOf(modelsOf(sweep));
    await this.runs.checkOrigins(sweep.runs.map(({ experiment }) => experiment));
    return this.turns.alone(id, async () => {
      const isOwn = !this.going.has(id);
      if (isOwn) {
        const before = await this.records.tryRead(id).catch((error: unknown) => this.log(messageOf(error)));
        const { name, text } = sweep;
        const { folder } = order;
        const origin = originOf(sweep);
        const modules = [...new Set(sweep.runs.flatMap(({ experiment: { resolved: { task } } }) => task.module ?? []))];
        if (before?.kept !== undefined && before.options.executor !== order.options.executor) {
          throw new UserError(`The sweep "${name}" was started with the executor "${before.options.executor}", and its runs are at the cluster; cancel them first.`);
        }
        await this.begin(new SweepState({ format: 1, createdAt: Date.now(), ...before, id, name, text, ...(folder !== undefined && { folder }), ...(origin && { origin }), ...(modules.length > 0 && { modules }), options: order.options }, sweep));
      }
      const state = await this.state(id);
      if (!isDeepStrictEqual(state.record.options, order.options)) this.log(`${sweep.name}: it runs already, and goes on with the options that it was started with.`);
      return { started: state.details(), isOwn };
    });
  }

  /** Every sweep of the store, newest first. */
  async list(): Promise<readonly SweepSummary[]> {
    const records = await this.records.list();
    const models = records.length > 0 ? await this.runs.summaries() : [];
    return Promise.all(records.map(async record => {
      const known = this.states.get(record.id);
      if (known) return known.summary();
      const state = await this.readings.read(record);
      if (state instanceof UserError) return unreadable(record);
      state.seeAll(models);
      return state.summary();
    }));
  }

  /** Whether a sweep was started, and can be read. */
  async has(id: string): Promise<boolean> {
    return (await this.records.tryRead(id).catch(() => undefined)) !== undefined;
  }

  /** @throws UserError when there is no such sweep, or it cannot be read. */
  async get(id: string): Promise<SweepDetails> {
    return this.turns.alone(id, async () => (await this.state(id)).details());
  }

  async control(id: string, action: SweepControl): Promise<void> {
    switch (action) {
      case 'cancel': return this.cancel(id);
      case 'resume': return this.turns.alone(id, () => this.resume(id));
      case 'forget': return this.forget(id);
      default: action satisfies never;
    }
  }

  /** Resolves when nothing of a sweep runs here any more. */
  async ended(id: string): Promise<void> {
    await this.going.get(id)?.ended;
  }

  /** Looks again after the jobs that an earlier process left at a cluster. None is submitted again before somebody asks for it. */
  async reattach(): Promise<void> {
    for (const { id, name, kept, options } of await this.records.list()) {
      if (kept === undefined || options.executor === 'local') continue;
      await this.turns.alone(id, () => this.resume(id, { submits: false })).catch((error: unknown) => this.log(`${name}: ${messageOf(error)}`));
    }
  }

  /** Lets go of what runs: local runs end and can be resumed, and a cluster's jobs go on. */
  dispose(): void {
    this.left.abort();
    this.lifetime.dispose();
    this.changes.dispose();
  }

  private async cancel(id: string): Promise<void> {
    if (!(await this.cancelled(id))) throw new UserError(`The sweep "${(await this.records.read(id)).name}" is not running here.`);
  }

  /** Cancels what runs of a sweep, here or at a cluster; returns whether anything did. */
  private async cancelled(id: string): Promise<boolean> {
    const going = await this.turns.alone(id, async () => {
      // A record that cannot be read finds no jobs.
      const kept = this.going.has(id) ? undefined : (await this.records.tryRead(id).catch(() => undefined))?.kept;
      if (kept !== undefined) await this.begin(await this.fresh(id), { submits: false, isCancelled: true });
      return this.going.get(id);
    });
    going?.cancel.abort();
    await going?.ended;
    return going !== undefined;
  }

  private async resume(id: string, { submits } = { submits: true }): Promise<void> {
    if (this.going.has(id)) return;
    const state = await this.fresh(id);
    await this.begin(state, { submits });
    if (!this.going.has(id)) throw new UserError(`Every run of "${state.record.name}" is trained to its end; there is nothing to resume.`);
  }

  private async forget(id: string): Promise<void> {
    await this.cancelled(id);
    await this.turns.alone(id, async () => {
      const record = await this.records.tryRead(id).catch(() => undefined);
      if (record && (this.going.has(id) || record.kept !== undefined)) {
        const why = this.states.get(id)?.summary().problem ?? 'Cancel it first.';
        throw new UserError(`The sweep "${record.name}" still has runs, so it is not forgotten. ${why}`);
      }
      await this.records.remove(id);
      this.states.delete(id);
      this.readings.forget(id);
      this.changed.delete(id);
    });
  }

  /** A sweep as it stands; one that is not known here yet is read, and looked after from then on. */
  private async state(id: string): Promise<SweepState> {
    const known = this.states.get(id);
    if (known) return known;
    const record = await this.records.read(id);
    const state = await this.readings.read(record);
    if (state instanceof UserError) throw state;
    await this.look(state);
    return state;
  }

  /** A sweep with its record as it is now: another process may have gone on with it since it was read. */
  private async fresh(id: string): Promise<SweepState> {
    const state = await this.state(id);
    state.record = await this.records.read(id);
    return state;
  }

  private async begin(state: SweepState, { submits = true, isCancelled = false } = {}): Promise<void> {
    const { id, options } = state.record;
    const executor = this.executors[options.executor](options);
    await this.look(state);
    const jobs = state.jobs();
    // A cluster's jobs run code as whoever starts them may.
    if (submits && jobs.length > 0) for (const task of state.tasks) await this.runs.origins.modules?.checkRunnable(task);
    if (jobs.length === 0) state.keep(undefined);
    await this.records.write(state.record);
    this.changeAll(state);
    if (jobs.length === 0) return;
    state.begin(jobs);
    const cancel = new AbortController();
    if (isCancelled) cancel.abort();
    this.going.set(id, { cancel, ended: this.execute(executor, jobs, state, this.hostOf(state, cancel.signal, submits)) });
  }

  private async execute(executor: Executor, jobs: readonly SweepJob[], state: SweepState, host: SweepHost): Promise<void> {
    const { id, name } = state.record;
    let problem: string | undefined;
    try {
      await executor(jobs, host);
    } catch (error) {
      problem = messageOf(error);
      this.log(`${name}: ${error instanceof UserError ? problem : error instanceof Error ? error.stack ?? problem : problem}`);
    }
    if (this.left.signal.aborted) return;
    try {
      state.seeAll(await this.runs.summaries());
      for (const { model, ...end } of state.unkept()) {
        if (!(await this.store.isLocked(model))) state.see(await this.store.summary(await this.store.update(model, end)));
      }
    } catch (error) {
      this.log(`${name}: how its runs ended could not be kept: ${messageOf(error)}`);
    }
    state.end(problem);
    this.going.delete(id);
    this.changeAll(state);
  }

  private hostOf(state: SweepState, signal: AbortSignal, submits: boolean): SweepHost {
    const { id, name, kept } = state.record;
    let writing = Promise.resolve();
    return {
      signal,
      left: this.left.signal,
      submits,
      kept,
      folder: this.records.folderOf(id),
      log: message => this.log(`${name}: ${message}`),
      tell: (index, news) => {
        state.tell(index, news);
        const model = state.row(index)?.model;
        if (model !== undefined) this.change(id, state.indexesOf(model));
      },
      keep: kept => {
        const written = writing.then(async () => {
          await this.records.keep(id, state.record.kept, kept);
          state.keep(kept);
        });
        writing = written.catch(() => undefined);
        return written;
      },
    };
  }

  /** Sees how the models of a sweep stand, and keeps seeing it. */
  private async look(state: SweepState): Promise<void> {
    this.watch ??= this.lifetime.add(new ModelWatch(this.store, this.runs, this.log, ({ changed, removed }) => {
      for (const [id, known] of this.states) {
        for (const model of changed) known.see(model);
        for (const model of removed) known.lose(model);
        this.change(id, [...changed.map(model => model.id), ...removed].flatMap(model => known.indexesOf(model)));
      }
    }));
    this.states.set(state.record.id, state);
    state.seeAll(await this.runs.summaries());
  }

  private changeAll(state: SweepState): void {
    this.change(state.record.id, state.models.flatMap(model => state.indexesOf(model)));
  }

  private change(id: string, indexes: readonly number[]): void {
    if (indexes.length === 0) return;
    const changed = this.changed.get(id) ?? new Set();
    indexes.forEach(index => changed.add(index));
    this.changed.set(id, changed);
    this.telling.call();
  }

  private tellChanges(): void {
    for (const [id, indexes] of this.changed) {
      const state = this.states.get(id);
      if (state) this.changes.fire({ summary: state.summary(), rows: [...indexes].sort((a, b) => a - b).flatMap(index => state.row(index) ?? []) });
    }
    this.changed.clear();
  }
}

/** The sweep of an order. @throws UserError a sentence for each thing that is wrong with it, or when it has more runs than were meant. */
export function sweepOf(order: Omit<SweepOrder, 'options'>, named: NamedModels): Sweep {
  return accepted(read(order, named));
}

function read(order: Omit<SweepOrder, 'options'>, named: NamedModels): SweepReading {
  return readSweep(order.text, order, order.confirmed ? runsLimit : confirmedRuns, named);
}

function accepted(reading: SweepReading): Sweep {
  if (reading.ok) return reading.sweep;
  throw reading.unconfirmed ? new UnconfirmedSweep(reading.unconfirmed.runs) : new UserError(sentences(reading.problems));
}

function sentences(problems: readonly { readonly message: string }[]): string {
  return problems.map(({ message }) => message).join('\n');
}

function unreadable({ id, name, options, createdAt }: SweepRecord): SweepSummary {
  return { id, name, status: 'stopped', fields: [], options, createdAt, counts: {}, problem: 'This sweep cannot be read any more; start it again from its experiment.' };
}
