import type { Tensor } from '@tensorflow/tfjs-core';
import { throwIfCancelled } from '../common/errors';
import { joinedRows, rowsOf, stretchesOf, type HostTensor } from '../common/tensor';
import type { Weights } from '../model/layers';
import { asFloat32, type RunnableModel } from '../model/runnable';
import { ordinaryRoom, rowsAtOnce } from './patching/patchingPasses';

// B prompts · T positions

/**
 * `model.compute` of prompts `[B, T]` and of what else there is a row of for each of them, of as many at once as memory allows:
 * every output has a row for each prompt.
 */
export async function computeInStretches(
  { model, signal }: { readonly model: RunnableModel; readonly signal: AbortSignal }, key: string,
  fn: (weights: Weights, tokens: Tensor, ...others: Tensor[]) => Tensor[], tokens: HostTensor<'int32'>, others: readonly HostTensor[] = [],
): Promise<readonly HostTensor<'float32'>[]> {
  model.checkTokens(tokens);
  const [B = 0, T = 0] = tokens.shape;
  const parts: HostTensor<'float32'>[][] = [];
  for (const { from, to } of stretchesOf(B, rowsAtOnce(model.config, T, T, ordinaryRoom))) {
    throwIfCancelled(signal);
    const outputs = await model.compute(key, (weights, given, ...rest) => {
      if (!given) throw new Error(`${key}: tokens are missing`);
      return fn(weights, given, ...rest);
    }, [tokens, ...others].map(each => rowsOf(each, from, to)));
    parts.push(outputs.map(asFloat32));
  }
  return (parts[0] ?? []).map((_, output) => joinedRows(parts.flatMap(part => part[output] ?? [])));
}
