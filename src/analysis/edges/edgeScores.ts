import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { throwIfCancelled } from '../../common/errors';
import { float32 } from '../../common/tensor';
import type { Hook, Weights } from '../../model/layers';
import { asFloat32, type RunnableModel } from '../../model/runnable';
import { forward } from '../../model/transformer';
import type { ModelConfig } from '../../protocol/config';
import { edgeGraph, readerGroups } from './edges';
import type { PromptPair } from '../pairs';
import { logitDifference, normalised, pairInputs, type Work } from '../patching/patching';
import { SentValues } from './sentValues';

// S senders · R readers · C readers of a group · T positions · H heads · D d_model · U d_vocab_out

/**
 * What each edge would bring back of the clean answer if it alone carried the clean run's value into the corrupted run, to
 * first order: the change of its sender's output times the gradient of the normalised metric with respect to its reader's
 * input, summed over positions and averaged over pairs; what the metric is normalised by is averaged over them too.
 *
 * The gradient is taken in the corrupted run for `steps` 0 (EAP; Syed, Rager and Conmy 2023). Otherwise it is averaged over
 * so many runs whose embeddings lie between the corrupted and the clean one (EAP-IG; Hanna, Pezzelle and Belinkov 2024), in
 * the middle of as many equal parts: the paper takes their ends, whose sum is further from the integral. The scores of the
 * embedding's edges then sum to 1, the whole difference of the two runs, as well as the sum stands for the integral.
 * @returns `[S, R]` by the numbers of `edgeGraph`; 0 where there is no edge.
 * @throws UserError when clean and corrupted prompts give the same metric; CancelledError.
 */
export async function edgeScores(model: RunnableModel, pairs: readonly PromptPair[], steps: number, { signal, progress }: Work): Promise<Float64Array> {
  const { senders, readers, edges } = edgeGraph(model.config);
  const shares = steps === 0 ? [0] : Array.from({ length: steps }, (_, step) => (step + 0.5) / steps);
  const changes = new Float64Array(senders.length * readers.length);
  let [clean, corrupted] = [0, 0];
  for (const [index, pair] of pairs.entries()) {
    for (const [step, share] of shares.entries()) {
      throwIfCancelled(signal);
      const { products, metrics } = await scoresAt(model, pair, share);
      for (const { sender, reader } of edges) {
        const at = sender * readers.length + reader;
        changes[at] = (changes[at] ?? 0) + (products[at] ?? 0) / shares.length / pairs.length;
      }
      // The same for every share.
      if (step === 0) [clean, corrupted] = [clean + (metrics[0] ?? 0) / pairs.length, corrupted + (metrics[1] ?? 0) / pairs.length];
      progress((index + (step + 1) / shares.length) / pairs.length);
    }
  }
  return normalised(changes, clean, corrupted);
}

/**
 * The scores `[S, R]` in logits for one pair, with gradients where the embedding is this share of the way to the clean one,
 * and the metrics `[2]` of the clean and the corrupted run.
 */
async function scoresAt(model: RunnableModel, pair: PromptPair, share: number) {
  const { clean: { length: T }, position } = pair;
  const inputs = [...pairInputs(model, pair, T), float32([], Float32Array.of(share))];
  const [products, metrics] = await model.compute(`edge scores ${position}`, (weights, ...given) => scoresOf(model.config, weights, position, given), inputs);
  return { products: asFloat32(products).data, metrics: asFloat32(metrics).data };
}

/** The scores `[S, R]` of a clean and a corrupted prompt `tokens [2, T]`, and the metrics `[2]` of both. */
function scoresOf(config: ModelConfig, weights: Weights, position: number, [tokens, outputs, share]: readonly Tensor[]): Tensor[] {
  if (!tokens || !outputs || !share) throw new Error('edges are scored by tokens, two outputs and a share');
  const groups = readerGroups(config, edgeGraph(config));
  const logitsHook = groups.at(-1)?.hook;
  /** Behind the last layer only the position that is measured goes on. */
  const measured = (name: string, value: Tensor) => (name === logitsHook ? tf.slice(value, [0, position, 0], [-1, 1, -1]) : value);

  const sent = new SentValues();
  const logits = forward(config, weights, tokens, {
    hook: (name, value) => {
      sent.see(name, value);
      return measured(name, value);
    },
    wantsResult: true,
  }); // [2, 1, U]
  const [clean, corrupted] = tf.split(sent.all(), 2, 0) as [Tensor, Tensor]; // [1, S, T, D]
  const change = tf.sub(clean, corrupted);
  const [, S = 0, T = 0, D = 0] = change.shape;
  const ofEmbedding = (value: Tensor) => tf.reshape(tf.slice(value, [0, 0, 0, 0], [1, 1, T, D]), [1, T, D]);
  const between = tf.add(ofEmbedding(corrupted), tf.mul(ofEmbedding(change), share));

  // Gradients with respect to zeros that are added to the readers' inputs are those with respect to the inputs.
  const metric = (...added: Tensor[]) => {
    const byHook = new Map(groups.map(({ hook }, index) => [hook, added[index]]));
    const hook: Hook = (name, value) => {
      const zeros = byHook.get(name);
      return measured(name, name === 'blocks.0.hook_resid_pre' ? between : zeros ? tf.add(value, zeros) : value);
    };
    const corruptedTokens = tf.slice(tokens, [1, 0], [1, T]);
    return tf.sum(logitDifference(forward(config, weights, corruptedTokens, { hook, splitInputs: true }), outputs));
  };
  const gradients = tf.grads(metric)(groups.map(({ count, isOfHeads }) => tf.zeros(isOfHeads ? [1, T, count, D] : [1, T, D])));
  const byReader = gradients.map((gradient, index) => {
    const { count = 0, isOfHeads = false } = groups[index] ?? {};
    return tf.reshape(isOfHeads ? tf.transpose(gradient, [0, 2, 1, 3]) : gradient, [count, T * D]); // [C, T·D]
  });
  return [tf.matMul(tf.reshape(change, [S, T * D]), tf.concat(byReader, 0), false, true), logitDifference(logits, outputs)];
}
