import { findAnalysis } from '../analysis/registry';
import { CancelledError, messageOf, UserError } from '../common/errors';
import { Emitter } from '../common/event';
import type { Disposable } from '../common/lifetime';
import type { AnalysisResult } from '../protocol/analysis';
import { holds, parseBound } from '../protocol/claim';
import type { BreakpointHit, UnmeasuredBreakpoint } from '../protocol/engine';
import type { Breakpoint } from '../protocol/experiment';
import type { Checkpoint } from '../protocol/trainer';
import type { ModelRecord } from '../store/modelRecord';
import type { Store } from '../store/store';
import { prepare } from '../training/experiment';
import type { Analyses } from './analyses';
import { checkBreakpoints } from './breakpointProblems';
import { copyOf } from './checkpointCopy';
import { parametersOf } from './claims';
import type { Run } from './run';
import type { CheckpointWatch, Runs } from './runs';
import { moduleReady } from './taskModules/taskModules';
import { checkTrainedHere } from './untrainedModels';

/** What breakpoints need around them. */
export interface BreakpointHost {
  readonly store: Pick<Store, 'folder' | 'read' | 'update' | 'summary'>;
  readonly runs: Pick<Runs, 'get' | 'train'>;
  readonly analyses: Pick<Analyses, 'runFirst'>;
  readonly log: (message: string) => void;
}

/** The breakpoints of a run that goes on here. */
interface Watched {
  readonly name: string;
  breakpoints: readonly Breakpoint[];
  /** Breakpoint → what was last measured for it. */
  readonly measured: Map<string, number>;
  /** Those that could not be measured, and of which that was said. */
  readonly unmeasured: Set<string>;
  /** Breakpoint → how often it was reached, of those that make copies. */
  readonly copies: Map<string, number>;
  readonly end: AbortController;
}

/** Copies that one breakpoint makes of one run: what was set too near fills no disk, and starts no crowd of trainings. */
const mostCopies = { pause: 0, snapshot: 100, fork: 8 } as const;

/** A breakpoint that a run has come to. */
type Reached = Pick<BreakpointHit, 'breakpoint' | 'measured' | 'before' | 'step'>;

/** Looks at the checkpoints of runs that have breakpoints, and does what these say. */
export class Breakpoints implements CheckpointWatch, Disposable {
  private readonly hits = new Emitter<BreakpointHit>();
  private readonly unmeasured = new Emitter<UnmeasuredBreakpoint>();
  /** Model → its run. */
  private readonly watched = new Map<string, Watched>();
  private latestCopy: Promise<void> = Promise.resolve();
  /** What is being copied, or trained on. */
  private readonly copying = new Set<Promise<unknown>>();
  /** Tells of a breakpoint that a run has come to, once what it says is done. */
  readonly onHit = this.hits.event;
  /** Tells once of a breakpoint of a run that it cannot be looked at. */
  readonly onUnmeasured = this.unmeasured.event;

  constructor(private readonly host: BreakpointHost) {}

  /** The breakpoints of a model: those of its experiment until others are set. */
  async get(id: string): Promise<readonly Breakpoint[]> {
    return (await this.host.store.read(id)).experiment.breakpoints ?? [];
  }

  /**
   * Sets all breakpoints of a model that is being trained, or can be resumed. They are kept with it.
   * @throws UserError one sentence for each thing that is wrong with them; for a model that will not come to any.
   */
  async set(id: string, breakpoints: readonly Breakpoint[]): Promise<void> {
    const { store, runs } = this.host;
    const record = await store.read(id);
    checkTrainedHere(record, 'run that could come to a breakpoint');
    if (!runs.get(id)) await this.checkComesTo(record);
    const experiment = { ...record.experiment, breakpoints: [...breakpoints] };
    await moduleReady(store.folder, experiment.task);
    checkBreakpoints(prepare(experiment));
    await store.update(id, { experiment });
    const run = runs.get(id);
    if (!run) return;
    const watched = this.watched.get(id);
    if (watched) watched.breakpoints = experiment.breakpoints;
    else this.watched.set(id, watchedWith(record.name, experiment.breakpoints));
    run.setWatched(breakpoints.length > 0);
  }

  starts({ id, name, experiment: { breakpoints = [] } }: ModelRecord): boolean {
    this.watched.set(id, watchedWith(name, breakpoints));
    return breakpoints.length > 0;
  }

  ended({ id }: Run): void {
    this.watched.get(id)?.end.abort();
    this.watched.delete(id);
  }

  async look(run: Run, checkpoint: Checkpoint): Promise<void> {
    const watched = this.watched.get(run.id);
    if (!watched) return run.goOn(checkpoint);
    const reached = await this.reachedAt(run.id, watched, checkpoint);
    if (reached.some(({ breakpoint }) => breakpoint.action === 'pause')) await run.pauseAt(checkpoint);
    else run.goOn(checkpoint);
    for (const each of reached) {
      const hit = { model: run.id, name: watched.name, paused: false, ...each };
      if (each.breakpoint.action === 'pause') this.hits.fire({ ...hit, paused: run.isPaused });
      else this.copyInTurn(hit, watched);
    }
  }

  /** Resolves when all that breakpoints have said is done, and every copy is trained to its end. */
  async settled(): Promise<void> {
    while (this.copying.size > 0) await Promise.all(this.copying);
  }

  dispose(): void {
    for (const { end } of this.watched.values()) end.abort();
    this.watched.clear();
    this.hits.dispose();
    this.unmeasured.dispose();
  }

  private async checkComesTo(record: ModelRecord): Promise<void> {
    const { name, status, resumable } = await this.host.store.summary(record);
    if (status === 'training' || status === 'paused') throw new UserError(`"${name}" is being trained by another process; set its breakpoints there.`);
    if (!resumable) throw new UserError(`"${name}" is not being trained, and would come to no breakpoint.`);
  }

  /**
   * The breakpoints that the run has come to at a checkpoint. At one that it was resumed from it comes to none: what is
   * measured there is what the next is compared with.
   */
  private async reachedAt(model: string, watched: Watched, { step, isNew }: Checkpoint): Promise<readonly Reached[]> {
    const { signal } = watched.end;
    const measure = measuring(this.host.analyses, { model, checkpoint: step }, signal);
    const reached: Reached[] = [];
    for (const breakpoint of watched.breakpoints) {
      const key = keyOf(breakpoint);
      const measured = await measure(breakpoint).catch((error: unknown) => this.cannotMeasure(watched, { model, name: watched.name, step, breakpoint }, error));
      if (signal.aborted) return [];
      if (measured === undefined) continue;
      const before = watched.measured.get(key);
      watched.measured.set(key, measured);
      if (isNew && isReached(breakpoint, measured, before)) reached.push({ step, breakpoint, measured, ...(before !== undefined && { before }) });
    }
    // Others may have been set meanwhile.
    const current = new Set(watched.breakpoints.map(keyOf));
    return reached.filter(({ breakpoint }) => current.has(keyOf(breakpoint)));
  }

  /** Whatever is wrong is said once, and the run goes on. */
  private cannotMeasure({ unmeasured }: Watched, passed: Omit<UnmeasuredBreakpoint, 'problem'>, error: unknown): undefined {
    const { name, breakpoint } = passed;
    const key = keyOf(breakpoint);
    if (error instanceof CancelledError || unmeasured.has(key)) return;
    unmeasured.add(key);
    // One that people can do nothing about is a defect of the analysis.
    const why = error instanceof UserError || !(error instanceof Error) ? messageOf(error) : error.stack ?? error.message;
    this.host.log(`${name}: the breakpoint ${describeBreakpoint(breakpoint)} could not be looked at: ${why}`);
    this.unmeasured.fire({ ...passed, problem: messageOf(error) });
  }

  /** Makes a copy once those that were asked for before are made, so that they come in order and one process at a time. */
  private copyInTurn(hit: BreakpointHit, { copies }: Watched): void {
    const { action } = hit.breakpoint;
    const key = keyOf(hit.breakpoint);
    const made = copies.get(key) ?? 0;
    const most = mostCopies[action];
    copies.set(key, made + 1);
    // That there are no more is said once.
    if (made > most) return;
    const problem = `${most} copies were made for it already; no more are made while this run goes on.`;
    this.latestCopy = this.latestCopy.then(async () => this.hits.fire({ ...hit, ...(made < most ? await this.copy(hit) : { problem }) }));
    this.keepUntil(this.latestCopy);
  }

  private async copy({ model, breakpoint, step }: BreakpointHit): Promise<Pick<BreakpointHit, 'copy' | 'problem'>> {
    const { store, runs } = this.host;
    try {
      const text = copyOf(await store.read(model), step, breakpoint);
      const copy = await runs.train({ text, force: true, ignoreBreakpoints: true });
      const ended = copy.run?.ended;
      if (ended) this.keepUntil(ended);
      // A snapshot trains nothing, and is soon there.
      const problem = breakpoint.action === 'snapshot' ? (await ended)?.problem : undefined;
      return problem === undefined ? { copy: { id: copy.id, name: (await store.read(copy.id)).name } } : { problem };
    } catch (error) {
      if (!(error instanceof UserError)) this.host.log(error instanceof Error ? error.stack ?? error.message : String(error));
      return { problem: messageOf(error) };
    }
  }

  private keepUntil(end: Promise<unknown>): void {
    this.copying.add(end);
    void end.finally(() => this.copying.delete(end));
  }
}

/** What tells breakpoints apart: all that they say. */
function keyOf({ breakpoint, analysis, params, scalar, when, changesBy, action, set }: Breakpoint): string {
  return JSON.stringify([breakpoint, analysis, Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)), scalar, when, changesBy, action, set]);
}

function watchedWith(name: string, breakpoints: readonly Breakpoint[]): Watched {
  return { name, breakpoints, measured: new Map(), unmeasured: new Set(), copies: new Map(), end: new AbortController() };
}

/** Measures at one checkpoint; breakpoints about the same analysis with the same parameters share one run of it. */
function measuring(analyses: BreakpointHost['analyses'], at: { readonly model: string; readonly checkpoint: number }, signal: AbortSignal): (breakpoint: Breakpoint) => Promise<number> {
  const results = new Map<string, Promise<AnalysisResult>>();
  return async breakpoint => {
    const { analysis, scalar } = breakpoint;
    const params = parametersOf(findAnalysis(analysis), breakpoint);
    const key = JSON.stringify([analysis, params]);
    const running = results.get(key) ?? analyses.runFirst({ ...at, analysis, params }, signal);
    results.set(key, running);
    const measured = (await running).scalars[scalar];
    if (measured === undefined) throw new UserError(`The analysis "${analysis}" has no "${scalar}" of this model with these parameters.`);
    return measured;
  };
}

/** Whether a bound is crossed between two checkpoints, or a number has moved far enough; `before` is absent at the first. */
function isReached({ when, changesBy }: Breakpoint, measured: number, before: number | undefined): boolean {
  if (when !== undefined) {
    const bound = parseBound(when);
    return holds(bound, measured) && (before === undefined || !holds(bound, before));
  }
  return changesBy !== undefined && before !== undefined && Math.abs(measured - before) >= changesBy;
}

/** `testAccuracy > 0.9`, or what it is called. */
export function describeBreakpoint({ breakpoint, scalar, when, changesBy }: Breakpoint): string {
  return breakpoint === undefined ? `${scalar} ${when?.trim() ?? `changes by ${changesBy}`}` : `"${breakpoint}"`;
}
