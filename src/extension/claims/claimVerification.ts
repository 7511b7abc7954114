import { CancelledError, throwIfCancelled, UserError } from '../../common/errors';
import { getModel, verifyClaims, verifyProgress, type ExperimentText, type Verification, type VerifyNews, type VerifyRequest } from '../../protocol/engine';
import type { ClaimItem } from './claimItems';
import type { KeptOutcome } from './claimOutcomes';
import { checkpointLines, keptOf, measurementsOf, outcomeLine, verdictOf, type MeasuredOnce, type Verdict } from './claimVerdicts';
import type { Engine } from '../engine';
import { formatMetrics, formatProgress } from '../format';
import { TooLongError } from '../refusals';

/** The claims of a file that are to be measured. */
export interface AskedClaims {
  readonly experiment: ExperimentText;
  readonly claims: readonly Pick<ClaimItem, 'index' | 'label'>[];
  /** Whether the file has a sweep, so that there may be several models. */
  readonly isSweep: boolean;
  /** The seed of the file itself. */
  readonly seed: number;
}

/** What the claims are measured on: the model at its end, which `untrained` leaves as it is; each of its checkpoints; or other seeds too. */
export type ClaimPoints =
  | { readonly kind: 'end'; readonly untrained?: boolean }
  | { readonly kind: 'checkpoints' }
  | { readonly kind: 'seeds'; readonly seeds: readonly number[] };

export interface ClaimsListener {
  /** A line of output. */
  say(line: string): void;
  /** Each claim is settled once, by its index. */
  settled(index: number, verdict: Verdict): void;
  /** What was measured of the models that the file trains as it is. */
  measured(outcomes: ReadonlyMap<number, KeptOutcome>): void;
}

interface VerificationHost {
  readonly engine: Pick<Engine, 'request' | 'requestWithProgress'>;
  /** Whether the user wants what would take too long: a sentence that says how long. */
  confirm(question: string): Promise<boolean>;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Has the engine measure claims, training what is not trained. */
export class ClaimVerification {
  private count = 0;

  constructor(private readonly host: VerificationHost) {}

  /**
   * Settles every claim.
   * @throws UserError where none can be measured; CancelledError
   */
  async verify(asked: AskedClaims, points: ClaimPoints, listener: ClaimsListener, signal: AbortSignal): Promise<void> {
    const run = new Verifying(asked, listener, points.kind === 'end' && !asked.isSweep);
    const request: VerifyRequest = {
      experiment: asked.experiment, claims: asked.claims.map(({ index }) => index), train: !(points.kind === 'end' && points.untrained === true),
    };
    switch (points.kind) {
      case 'end': return this.atEnd(request, run, signal);
      case 'checkpoints': return this.atCheckpoints(request, run, signal);
      case 'seeds': return this.withSeeds(request, points.seeds, run, signal);
      default: points satisfies never;
    }
  }

  private async atEnd(request: VerifyRequest, run: Verifying, signal: AbortSignal): Promise<void> {
    const verifications = await this.ask(request, run, signal);
    run.keep(verifications, this.host.now());
    run.settleAll(verifications, ({ name, seed }) => (run.isSweep ? name : `seed ${seed}`));
  }

  private async atCheckpoints(request: VerifyRequest, run: Verifying, signal: AbortSignal): Promise<void> {
    if (run.isSweep) throw new UserError('Checkpoints are looked at one model at a time, and this experiment has a sweep.');
    // It is trained first where it has to be.
    const ends = await this.ask(request, run, signal);
    run.keep(ends, this.host.now());
    const [end] = ends;
    if (!end || end.problem !== undefined) return run.settleAll(ends, () => 'end');
    const { summary: { progress: { step: last } }, checkpoints } = await this.host.engine.request(getModel, { model: end.id }, signal);
    const rows: { readonly step: number; readonly verification: Verification }[] = [];
    for (const step of checkpoints.filter(each => each < last)) {
      throwIfCancelled(signal);
      run.listener.say(`checkpoint ${step}`);
      for (const verification of await this.ask({ ...request, checkpoint: step, train: false }, run, signal)) rows.push({ step, verification });
    }
    rows.push({ step: last, verification: end });
    run.tellCheckpoints(rows);
    run.settleAll(ends, () => 'end');
  }

  private async withSeeds(request: VerifyRequest, seeds: readonly number[], run: Verifying, signal: AbortSignal): Promise<void> {
    const all: Verification[] = [];
    let force = request.force ?? false;
    for (const seed of seeds) {
      throwIfCancelled(signal);
      run.listener.say(`seed ${seed}`);
      const verifications = await this.ask({ ...request, seed, ...(force && { force }) }, run, signal, () => (force = true));
      if (seed === run.seed) run.keep(verifications, this.host.now());
      all.push(...verifications);
    }
    run.settleAll(all, ({ name, seed }) => (run.isSweep ? `${name}, seed ${seed}` : `seed ${seed}`));
  }

  /** Asks the engine; again by force where it would take too long and the user insists, of which `forced` is told. */
  private async ask(request: VerifyRequest, run: Verifying, signal: AbortSignal, forced?: () => void): Promise<readonly Verification[]> {
    const token = `claims/${this.count++}`;
    try {
      return await this.host.engine.requestWithProgress(verifyClaims, { ...request, progress: token }, {
        type: verifyProgress, token, listener: news => !signal.aborted && run.take(news),
      }, signal);
    } catch (error) {
      if (!(error instanceof TooLongError) || request.force) throw error;
      const insists = await this.host.confirm(error.message);
      if (signal.aborted) throw new CancelledError();
      if (!insists) throw error;
      forced?.();
      return this.ask({ ...request, force: true }, run, signal, forced);
    }
  }
}

/** The claims of a file while they are measured. */
class Verifying {
  /** Model → how many tenths of its training have been told of. */
  private readonly told = new Map<string, number>();
  private readonly labels: ReadonlyMap<number, string>;
  private readonly settled = new Set<number>();

  /** `live`: what is measured of a claim settles it, as nothing else will be. */
  constructor(private readonly asked: AskedClaims, readonly listener: ClaimsListener, private readonly live: boolean) {
    this.labels = new Map(asked.claims.map(({ index, label }) => [index, label]));
  }

  get isSweep(): boolean {
    return this.asked.isSweep;
  }

  get seed(): number {
    return this.asked.seed;
  }

  take(news: VerifyNews): void {
    switch (news.kind) {
      case 'training': return this.tellTraining(news);
      case 'running': return this.listener.say(`${news.name}: ${news.analysis}…`);
      case 'outcome': return this.takeOutcome(news);
      default: news satisfies never;
    }
  }

  settleAll(verifications: readonly Verification[], labelOf: (verification: Verification) => string): void {
    const problems = verifications.flatMap(({ problem }) => problem ?? []);
    for (const { index } of this.asked.claims) {
      const measurements = measurementsOf(index, verifications, labelOf);
      const isUnmeasured = measurements.length === 0 && problems.length > 0;
      this.settle(index, isUnmeasured ? { kind: 'errored', message: problems.join('\n') } : verdictOf(measurements));
    }
  }

  private settle(index: number, verdict: Verdict): void {
    if (this.settled.has(index)) return;
    this.settled.add(index);
    this.listener.settled(index, verdict);
  }

  private takeOutcome({ model, outcome }: Extract<VerifyNews, { readonly kind: 'outcome' }>): void {
    const { index } = outcome;
    this.listener.say(outcomeLine(this.labels.get(index) ?? outcome.claim, outcome));
    if (this.live && this.labels.has(index)) this.settle(index, verdictOf([{ label: '', trained: model, outcome }]));
  }

  /** Keeps what was measured of what the file trains as it is. */
  keep(verifications: readonly Verification[], at: number): void {
    const kept = new Map<number, KeptOutcome>();
    for (const { index } of this.asked.claims) {
      const outcome = keptOf(measurementsOf(index, verifications, ({ name }) => name), this.isSweep, at);
      if (outcome) kept.set(index, outcome);
    }
    this.listener.measured(kept);
  }

  tellCheckpoints(rows: readonly { readonly step: number; readonly verification: Verification }[]): void {
    for (const { index, label } of this.asked.claims) {
      const measured = rows.flatMap(({ step, verification }) => measurementsOf(index, [verification], () => '')
        .map(({ outcome }: MeasuredOnce) => ({ step, outcome })));
      if (measured.length > 0) checkpointLines(label, measured).forEach(line => this.listener.say(line));
    }
  }

  /** Every tenth of a training is worth a line. */
  private tellTraining({ model, name, progress, metrics }: Extract<VerifyNews, { readonly kind: 'training' }>): void {
    const tenths = Math.floor((10 * progress.step) / Math.max(1, progress.steps));
    if (this.told.get(model) === tenths) return;
    this.told.set(model, tenths);
    const shown = formatMetrics(metrics);
    this.listener.say(`${name}: training ${formatProgress(progress)}${shown === undefined ? '' : ` · ${shown}`}`);
  }
}
