import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor } from '../common/tensor';
import { asFloat32, type RunnableModel } from '../model/runnable';
import { forward } from '../model/transformer';

// B batch · T positions · U d_vocab_out

/**
 * Activations of `tokens [B, T]`, one a hook, in their order: what `runWithCache` caches, without the logits `[B, T, U]`, which
 * with a large vocabulary take far more room, and with nothing computed that no hook asked for depends on.
 */
export async function activationsOf(model: RunnableModel, tokens: HostTensor<'int32'>, hooks: readonly string[]): Promise<readonly HostTensor<'float32'>[]> {
  model.checkTokens(tokens);
  const values = await model.compute(`activations ${hooks.join()}`, (weights, given) => {
    if (!given) throw new Error('activations are of tokens');
    const seen = new Map<string, Tensor>();
    forward(model.config, weights, given, {
      hook: (name, value) => {
        seen.set(name, value);
        return value;
      },
    });
    return hooks.map(hook => seen.get(hook) ?? unmet(hook));
  }, [tokens]);
  return values.map(asFloat32);
}

/** Throws for a hook point that a forward pass should have come by. */
export function unmet(hook: string): never {
  throw new Error(`the forward pass did not meet ${hook}`);
}
