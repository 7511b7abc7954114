import type { Disposable } from '../../src/common/lifetime';
import type { RunCurve, SweepRow } from '../../src/protocol/sweep';
import type { SweepMetric } from '../../src/protocol/sweepPanel';
import { drawnRuns } from './curvesFigure';

/** Milliseconds between an answer and the next question, while runs go on. */
const askEvery = 1000;

export interface CurveReaderHost {
  ask(question: { readonly metric: SweepMetric; readonly runs: readonly number[] }): void;
  /** There are curves that were not there before, or it is time to read on. */
  changed(): void;
}

/** The curves of runs as far as the page has them: asks for those of runs that have gone on since, one question at a time. */
export class CurveReader implements Disposable {
  private metric: SweepMetric | undefined;
  private curves: readonly RunCurve[] | undefined;
  /** Run → where it stood when its curve was asked for. */
  private readonly asked = new Map<number, string>();
  private waiting = false;
  private timer: number | undefined;

  constructor(private readonly host: CurveReaderHost) {}

  /** The curves by a measurement, as they are now; `undefined` until there is an answer. */
  read(rows: readonly SweepRow[], metric: SweepMetric): readonly RunCurve[] | undefined {
    if (metric !== this.metric) this.forget();
    this.metric = metric;
    const outdated = drawnRuns(rows).filter(row => this.asked.get(row.index) !== standing(row));
    if (!this.waiting && this.timer === undefined && (outdated.length > 0 || !this.curves)) {
      this.waiting = true;
      for (const row of outdated) this.asked.set(row.index, standing(row));
      this.host.ask({ metric, runs: outdated.map(({ index }) => index) });
    }
    return this.curves;
  }

  /** Takes an answer, if it is to the question that was asked last. */
  take({ metric, curves }: { readonly metric: SweepMetric; readonly curves: readonly RunCurve[] }): void {
    if (!this.waiting || metric !== this.metric) return;
    this.waiting = false;
    const read = new Map((this.curves ?? []).map(curve => [curve.run, curve]));
    for (const curve of curves) read.set(curve.run, curve);
    this.curves = [...read.values()].sort((a, b) => a.run - b.run);
    this.timer = window.setTimeout(() => {
      this.timer = undefined;
      this.host.changed();
    }, askEvery);
    this.host.changed();
  }

  /** Everything is read anew, as after the engine has started again. */
  forget(): void {
    this.dispose();
    this.curves = undefined;
    this.asked.clear();
    this.waiting = false;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

/** Another one whenever a run's curve may be another one. */
function standing({ model, status, progress: { step } }: SweepRow): string {
  return `${model} ${status} ${step}`;
}
