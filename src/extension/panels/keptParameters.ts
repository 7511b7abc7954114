import * as v from 'valibot';
import type { PanelState } from '../../protocol/panel';
import type { Memory } from '../memory';
import { Params } from './panelMessages';

const memoryKey = 'circuits.parameters';
/** Panels whose parameters are kept; those changed longest ago are forgotten. */
const most = 200;

const Kept = v.fallback(v.array(v.tuple([v.string(), Params])), []);

/** The parameters that each analysis of each model was last shown with, kept in the workspace. */
export class KeptParameters {
  constructor(private readonly memory: Memory) {}

  of({ model, analysis }: Pick<PanelState, 'model' | 'analysis'>): PanelState['params'] {
    return this.read().get(key(model, analysis)) ?? {};
  }

  keep({ model, analysis, params }: PanelState): void {
    const kept = this.read();
    kept.delete(key(model, analysis));
    kept.set(key(model, analysis), v.parse(Params, params));
    this.memory.update(memoryKey, [...kept].slice(-most));
  }

  private read(): Map<string, v.InferOutput<typeof Params>> {
    return new Map(v.parse(Kept, this.memory.get(memoryKey)));
  }
}

function key(model: string, analysis: string): string {
  return `${analysis} ${model}`;
}
