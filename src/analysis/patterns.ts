import { throwIfCancelled } from '../common/errors';
import { rowsOf, stretchesOf, type HostTensor } from '../common/tensor';
import type { RunnableModel } from '../model/runnable';
import { activationsOf } from './activations';
import type { AnalysisContext } from './define';
import { ordinaryRoom, rowsAtOnce } from './patching/patchingPasses';

// B batch · T positions · H heads

/** The attention patterns `[B, H, T, T]` of every layer, on `tokens [B, T]`. */
export function patternsOf(model: RunnableModel, tokens: HostTensor<'int32'>): Promise<readonly HostTensor<'float32'>[]> {
  return activationsOf(model, tokens, Array.from({ length: model.config.n_layers }, (_, layer) => `blocks.${layer}.attn.hook_pattern`));
}

/**
 * Shows every head's pattern `[T, T]` of each example to `see`; those of one head in the order of the examples.
 * @param room numbers of one layer that are held at once
 */
export async function everyPattern(
  { model, signal, progress }: Pick<AnalysisContext, 'model' | 'signal' | 'progress'>, tokens: HostTensor<'int32'>,
  see: (pattern: Float32Array, layer: number, head: number, example: number) => void, room = ordinaryRoom,
): Promise<void> {
  const [B = 0, T = 0] = tokens.shape;
  const H = model.config.n_heads;
  for (const { from, to } of stretchesOf(B, rowsAtOnce(model.config, T, T, room))) {
    throwIfCancelled(signal);
    const patterns = await patternsOf(model, rowsOf(tokens, from, to));
    patterns.forEach(({ data }, layer) => {
      for (let row = 0; row < (to - from) * H; row++) {
        see(data.subarray(row * T * T, (row + 1) * T * T), layer, row % H, from + Math.floor(row / H));
      }
    });
    progress(to / B);
  }
}
