import { Emitter } from '../../common/event';
import { Lifetime, type Disposable } from '../../common/lifetime';
import type { BreakpointHit } from '../../protocol/engine';
import type { Breakpoint } from '../../protocol/experiment';
import type { ModelSummary } from '../../protocol/model';
import { reasonOf } from './breakpointText';
import type { Engine } from '../engine';
import type { ModelList, ModelListChange } from '../models/modelList';

/** The breakpoints that runs have come to in this window: of each run and breakpoint the last time. */
export class BreakpointHits implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new Emitter<string>());
  /** Model → breakpoint → where it was reached. */
  private readonly hits = new Map<string, Map<string, BreakpointHit>>();
  /** Tells the id of a model that has come to a breakpoint, or whose breakpoints were forgotten. */
  readonly onChange = this.changes.event;

  constructor(engine: Pick<Engine, 'onBreakpoint'>, models: Pick<ModelList, 'onChange'>) {
    this.lifetime.add(engine.onBreakpoint(hit => this.add(hit)));
    this.lifetime.add(models.onChange(change => this.modelsChanged(change)));
  }

  /** Why a model waits, if that is for a breakpoint. */
  reasonOf({ id, status, progress: { step } }: ModelSummary): string | undefined {
    if (status !== 'paused') return undefined;
    const hits = [...(this.hits.get(id)?.values() ?? [])].filter(hit => hit.paused && hit.step === step);
    return hits.length === 0 ? undefined : hits.map(reasonOf).join(', ');
  }

  /** Where the model came to the breakpoint last. */
  of(model: string, breakpoint: Breakpoint): BreakpointHit | undefined {
    return this.hits.get(model)?.get(key(breakpoint));
  }

  dispose(): void {
    this.lifetime.dispose();
    this.hits.clear();
  }

  private add(hit: BreakpointHit): void {
    const known = this.hits.get(hit.model) ?? new Map<string, BreakpointHit>();
    known.set(key(hit.breakpoint), hit);
    this.hits.set(hit.model, known);
    this.changes.fire(hit.model);
  }

  private modelsChanged({ changed, before, removed }: ModelListChange): void {
    for (const id of removed) this.hits.delete(id);
    for (const model of changed) {
      const old = before.get(model.id);
      if (old && model.progress.step < old.progress.step) this.forgetBeyond(model);
    }
  }

  /** A run that began again, or went on from an earlier checkpoint, has not come there yet. */
  private forgetBeyond({ id, progress: { step } }: ModelSummary): void {
    const known = this.hits.get(id);
    if (!known) return;
    for (const [name, hit] of known) if (hit.step > step) known.delete(name);
    this.changes.fire(id);
  }
}

/** What tells breakpoints apart: all that decides when they are reached. */
function key({ analysis, params, scalar, when, changesBy }: Breakpoint): string {
  return JSON.stringify([analysis, Object.entries(params).sort(([a], [b]) => a.localeCompare(b)), scalar, when?.replaceAll(/\s/g, ''), changesBy]);
}
