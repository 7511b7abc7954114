import * as v from 'valibot';
import { float32, sizeOf, type HostTensor } from '../../../src/common/tensor';
import { parameterSpecs } from '../../../src/model/parameters';
import { ArchitectureSchema, ModelConfigSchema } from '../../../src/protocol/config';
import { ExperimentSchema } from '../../../src/protocol/experiment';
import type { ResolvedExperiment } from '../../../src/protocol/model';
import type { SavedState } from '../../../src/store/checkpoints';
import { idOf, type ModelRecord } from '../../../src/store/modelRecord';

export const config = v.parse(ModelConfigSchema, {
  n_layers: 1, n_heads: 2, d_model: 4, d_head: 2, attn_only: true, initializer_range: 0.4,
  d_vocab: 5, d_vocab_out: 3, n_ctx: 3,
});

export function experiment(changes: Partial<ResolvedExperiment> = {}): ResolvedExperiment {
  const model = v.parse(ArchitectureSchema, { n_layers: 1, n_heads: 2, d_model: 4, d_head: 2, attn_only: true });
  const { task: _, name: __, from: ___, sweep: ____, ...rest } = v.parse(ExperimentSchema, { task: 'modular-arithmetic', model, training: { steps: 500 } });
  const task = { name: 'modular-arithmetic', parameters: { modulus: 5, operation: 'add' } };
  return { ...rest, model, name: 'clock', task, ...changes };
}

export function modelRecord(changes: Partial<ModelRecord> = {}): ModelRecord {
  const resolved = changes.experiment ?? experiment();
  return {
    format: 1, id: idOf(resolved), name: resolved.name, experiment: resolved, config, status: 'finished',
    progress: { step: 0, steps: 500 }, metrics: {}, createdAt: 1_700_000_000_000,
    versions: { circuitExplorer: '0.1.0', onnxruntime: '1.30.0' }, ...changes,
  };
}

/** Weights that fit {@link config}, different for every `seed`. */
export function weights(seed: number): Map<string, HostTensor<'float32'>> {
  return new Map(parameterSpecs(config).map(({ name, shape }, at) => {
    return [name, float32(shape, Float32Array.from({ length: sizeOf(shape) }, (_, i) => seed + at / 10 + i / 1000))];
  }));
}

export function trainingState(step: number): SavedState {
  const moments = new Map([...weights(step / 7)].flatMap(([name, tensor]) => [
    [`first.${name}`, tensor] as const,
    [`second.${name}`, tensor] as const,
  ]));
  return { step, seconds: step * 0.1, streak: step % 3, parameters: weights(step), moments };
}
