import { CancelledError, messageOf } from '../../common/errors';
import { Emitter, type Event } from '../../common/event';
import { Lifetime, toDisposable, type Disposable } from '../../common/lifetime';
import { throttle } from '../../common/throttle';
import { experimentStanding, type ExperimentStanding, type ExperimentText } from '../../protocol/engine';
import type { ClaimOutcomes, MeasuredClaim } from '../claims/claimOutcomes';
import type { Engine } from '../engine';
import type { Log } from '../engineSession';
import { isJson } from './experimentProblems';
import type { KnownExperiment } from './experimentState';
import type { ModelList, ModelListChange } from '../models/modelList';
import type { SweepList } from '../sweeps/sweepList';

/** An experiment file by the text of its URI. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
  /** Whether it is in an editor: then it is worth starting the engine for. */
  readonly isOpen: boolean;
}

export interface SourceChange {
  /** Absent where it may be any of them. */
  readonly file: string | undefined;
  /** Whether it was typed, and may be half of what is meant. */
  readonly typed: boolean;
}

/** The experiment files that there are. */
export interface ExperimentSources {
  readonly onChange: Event<SourceChange>;
  readonly all: readonly SourceFile[];
  get(file: string): SourceFile | undefined;
}

export interface StandingsHost {
  readonly engine: Pick<Engine, 'request' | 'state' | 'onStateChange'>;
  readonly models: Pick<ModelList, 'find' | 'onChange'>;
  readonly sweeps: Pick<SweepList, 'onChange'>;
  readonly outcomes: Pick<ClaimOutcomes, 'of' | 'onChange'>;
  readonly sources: ExperimentSources;
  readonly log: Pick<Log, 'warn'>;
  /** The text as the engine reads it, with the folder of its file. */
  textOf(source: SourceFile): ExperimentText;
}

/** What the engine last said of a file, and of which text. */
interface Answer {
  readonly text: string;
  readonly standing: ExperimentStanding;
}

/** Milliseconds of rest after typing before the engine is asked. */
const rest = 300;
/** Milliseconds between two rounds of questions about files that have not changed, since the models or sweeps have. */
const roundEvery = 500;

/**
 * How each experiment file stands, which the engine is asked one file at a time. A file in an editor starts the engine;
 * others wait until it runs. While a text is half typed, what was last said of the file stays.
 */
export class ExperimentStandings implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new Emitter<string>());
  private readonly answers = new Map<string, Answer>();
  /** What was measured of the claims of a text. */
  private readonly claims = new Map<string, { readonly text: string; readonly trains: string | undefined; readonly claims: readonly MeasuredClaim[] }>();
  /** Files that somebody looks at, open or not. */
  private readonly wanted = new Set<string>();
  private readonly resting = new Map<string, NodeJS.Timeout>();
  private readonly waiting = new Set<string>();
  private asking: { readonly file: string; readonly text: string | undefined; readonly question: AbortController } | undefined;
  /** Tells of a file whose standing, text or models have changed. */
  readonly onChange = this.changes.event;

  constructor(private readonly host: StandingsHost) {
    const { engine, models, sweeps, outcomes, sources } = host;
    const round = this.lifetime.add(throttle(() => this.askAll(), roundEvery));
    this.lifetime.add(sources.onChange(change => this.sourceChanged(change)));
    this.lifetime.add(models.onChange(change => this.modelsChanged(change, round.call)));
    this.lifetime.add(sweeps.onChange(({ summary, before }) => {
      if (summary.counts.finished !== before?.counts.finished || !before) round.call();
    }));
    this.lifetime.add(outcomes.onChange(file => {
      this.claims.delete(file);
      this.changes.fire(file);
    }));
    this.lifetime.add(engine.onStateChange(({ kind }) => {
      if (kind === 'ready') this.askAll();
    }));
    this.lifetime.add(toDisposable(() => {
      this.waiting.clear();
      this.resting.forEach(timer => clearTimeout(timer));
      this.asking?.question.abort();
    }));
    for (const { file, isOpen } of sources.all) if (isOpen) this.schedule(file, 0);
  }

  /** How a file stands, as far as is known, with its model and claims as they are now. */
  of(file: string): KnownExperiment | undefined {
    const { models, sources } = this.host;
    const answer = this.answers.get(file);
    const source = sources.get(file);
    if (!answer || !source) return undefined;
    const { standing } = answer;
    const { trains } = standing;
    const model = trains && (models.find(trains.id) ?? standing.model);
    return { standing: { ...standing, ...(model && { model }) }, claims: this.claimsOf(source, trains?.id), about: answer.text };
  }

  /** Asks about a file when that starts no process; what comes of it is told. */
  want(file: string): void {
    if (this.wanted.has(file)) return;
    this.wanted.add(file);
    if (!this.answers.has(file)) this.schedule(file, 0);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Asked for by every row and lens whenever a model moves. */
  private claimsOf({ file, text }: SourceFile, trains: string | undefined): readonly MeasuredClaim[] {
    const known = this.claims.get(file);
    if (known?.text === text && known.trains === trains) return known.claims;
    const claims = this.host.outcomes.of(file, text, trains);
    this.claims.set(file, { text, trains, claims });
    return claims;
  }

  private sourceChanged({ file, typed }: SourceChange): void {
    if (file === undefined) return this.askAll();
    if (!this.host.sources.get(file)) this.forget(file);
    else if (this.isLookedAt(file)) this.schedule(file, typed ? rest : 0);
    this.changes.fire(file);
  }

  private isLookedAt(file: string): boolean {
    return this.wanted.has(file) || this.host.sources.get(file)?.isOpen === true;
  }

  private forget(file: string): void {
    this.answers.delete(file);
    this.claims.delete(file);
    this.wanted.delete(file);
    this.waiting.delete(file);
    clearTimeout(this.resting.get(file));
    this.resting.delete(file);
    if (this.asking?.file === file) this.asking.question.abort();
  }

  /** A model that moves is shown as it is; what comes, goes or ends changes what is said of files. */
  private modelsChanged({ structure, changed, before, removed }: ModelListChange, round: () => void): void {
    const ids = new Set([...changed.map(({ id }) => id), ...removed]);
    for (const [file, { standing: { trains, origin } }] of this.answers) {
      if ((trains && ids.has(trains.id)) || (origin && ids.has(origin.id))) this.changes.fire(file);
    }
    if (structure || changed.some(model => before.get(model.id)?.status !== model.status || before.get(model.id)?.name !== model.name)) round();
  }

  private askAll(): void {
    for (const { file } of this.host.sources.all) if (this.isLookedAt(file)) this.schedule(file, 0);
  }

  private schedule(file: string, delay: number): void {
    clearTimeout(this.resting.get(file));
    this.resting.delete(file);
    // A question about the same text is answered, and asked again after it: otherwise what changes often is never told.
    if (this.asking?.file === file && this.asking.text !== this.host.sources.get(file)?.text) this.asking.question.abort();
    if (delay === 0) {
      this.waiting.add(file);
      void this.work();
      return;
    }
    this.waiting.delete(file);
    this.resting.set(file, setTimeout(() => this.schedule(file, 0), delay));
  }

  private async work(): Promise<void> {
    if (this.asking) return;
    for (;;) {
      const [file] = this.waiting;
      if (file === undefined) return;
      this.waiting.delete(file);
      const question = new AbortController();
      this.asking = { file, text: this.host.sources.get(file)?.text, question };
      try {
        await this.ask(file, question.signal);
      } finally {
        this.asking = undefined;
      }
    }
  }

  private async ask(file: string, signal: AbortSignal): Promise<void> {
    const { engine, sources, log } = this.host;
    const source = sources.get(file);
    // A file that nobody edits is asked about once the engine is ready.
    if (!source || !isJson(source.text) || (!source.isOpen && engine.state.kind !== 'ready')) return;
    try {
      const standing = await engine.request(experimentStanding, this.host.textOf(source), signal);
      if (signal.aborted) return;
      this.answers.set(file, { text: source.text, standing });
      this.changes.fire(file);
    } catch (error) {
      if (!(error instanceof CancelledError)) log.warn(`${file} was not looked at: ${messageOf(error)}`);
    }
  }
}
