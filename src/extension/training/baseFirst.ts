import type { ModelControl, UntrainedOrigin } from '../../protocol/engine';
import type { ModelSummary } from '../../protocol/model';

/** How a model comes to be trained that another one is to start from. */
export interface BaseFirst {
  /** What the button says. */
  readonly title: string;
  /** `send`: what the engine named with its refusal; `wait`: nothing, it is under way, or has been trained meanwhile. */
  readonly how: 'send' | 'wait' | Extract<ModelControl, 'resume' | 'retrain'>;
}

/** By what there is of the model; nothing where there is neither a model nor an experiment that makes one. */
export function baseFirst({ name, request }: UntrainedOrigin, base: ModelSummary | undefined): BaseFirst | undefined {
  if (!base) return request && { title: `Train ${name} First`, how: 'send' };
  if (base.status === 'training' || base.status === 'finished') return { title: `Wait for ${base.name}`, how: 'wait' };
  if (base.status === 'paused' || base.resumable) return { title: `Resume ${base.name} First`, how: 'resume' };
  return { title: `Train ${base.name} First`, how: 'retrain' };
}
