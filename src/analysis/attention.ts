import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { Random } from '../common/random';
import { int32, type HostTensor } from '../common/tensor';
import { allowedAttention } from '../model/mask';
import { headName } from '../model/names';
import type { AttentionFigure, AttentionHead } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { defineAnalysis } from './define';

// B batch · T positions · H heads

/** Where each head looks: the attention patterns, averaged over a batch or of one prompt. */
export const attention = defineAnalysis({
  id: 'attention',
  title: 'Attention',
  description: 'The attention pattern of every head, averaged over examples or for one prompt.',
  live: true,
  params: {
    prompt: { kind: 'prompt', title: 'Prompt', description: 'Tokens separated by spaces. Leave it empty to use examples of the task.', default: '' },
    examples: { kind: 'integer', title: 'Examples', description: 'Examples drawn from the task and averaged; 1 shows a single one.', default: 64, minimum: 1, maximum: 4096 },
    sample: { kind: 'integer', title: 'Sample', description: 'Another number draws other examples.', default: 0, minimum: 0, maximum: 1_000_000 },
    head: { kind: 'head', title: 'Head', description: 'The head that is drawn large and measured.', default: '' },
  },
  scalars: {
    entropy: 'mean entropy of the rows of the chosen head (of all heads without a choice), in nats',
    largest: 'mean of the largest weight in each row',
  },
  appliesTo: () => true,
  async run({ details, model, task, random }, { prompt, examples, sample, head }) {
    // A stream of its own for each sample: one draw further along the same stream, nearly all examples would be the same.
    const drawing = new Random(sample, `attention ${random.uniform()}`);
    const typed = prompt.trim() === '' ? undefined : tokensOf(task, prompt);
    const tokens = typed ?? task.sample(drawing, examples).tokens; // [B, T]
    const [B = 0, T = 0] = tokens.shape;
    const { n_layers, n_heads } = details.config;
    const chosen = head === '' ? undefined : headOf(head, n_layers, n_heads);
    const hooks = Array.from({ length: n_layers }, (_, layer) => `blocks.${layer}.attn.hook_pattern`);
    const { cache } = await model.runWithCache(tokens, hooks);
    const heads = hooks.flatMap((hook, layer) => meanPatterns(cache.get(hook), layer, B, n_heads, T));

    const labels = Array.from({ length: T }, (_, position) => (
      B === 1 ? task.vocabulary[tokens.data[position] ?? 0] : task.positions[position]) ?? String(position));
    const figure: AttentionFigure = {
      kind: 'attention',
      title: B === 1 ? 'Attention on one prompt' : `Attention, mean over ${B} examples`,
      caption: 'Each row is a destination; its weights on the sources sum to 1.',
      tokens: labels,
      heads,
      allowed: allowedAttention(details.config, T),
    };
    const measured = chosen ? heads.filter(({ layer, head: index }) => layer === chosen.layer && index === chosen.head) : heads;
    return { figures: [figure], scalars: { entropy: meanOverRows(measured, T, entropy), largest: meanOverRows(measured, T, row => Math.max(...row)) } };
  },
});

/** Means over the batch of `pattern [B, H, T, T]`, one a head. */
function meanPatterns(pattern: HostTensor<'float32'> | undefined, layer: number, B: number, H: number, T: number): AttentionHead[] {
  if (!pattern) throw new Error(`layer ${layer} gave no pattern`);
  const size = T * T;
  return Array.from({ length: H }, (_, head) => {
    const sum = new Float64Array(size);
    for (let row = 0; row < B; row++) {
      const from = (row * H + head) * size;
      for (let at = 0; at < size; at++) sum[at] = (sum[at] ?? 0) + (pattern.data[from + at] ?? 0);
    }
    return { layer, head, pattern: Float32Array.from(sum, value => value / B) };
  });
}

function entropy(row: Float32Array): number {
  return row.reduce((sum, weight) => (weight > 0 ? sum - weight * Math.log(weight) : sum), 0);
}

function meanOverRows(heads: readonly AttentionHead[], T: number, measure: (row: Float32Array) => number): number {
  const values = heads.flatMap(({ pattern }) => Array.from({ length: T }, (_, row) => measure(pattern.subarray(row * T, (row + 1) * T))));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The words of a prompt as token ids `[1, T]`. */
function tokensOf(task: Task, prompt: string): HostTensor<'int32'> {
  const ids = prompt.trim().split(/\s+/).map(word => {
    const id = task.vocabulary.indexOf(word);
    if (id < 0) throw unknownName('token', word, task.vocabulary);
    return id;
  });
  if (ids.length > task.positions.length) throw new UserError(`The prompt has ${ids.length} tokens; this model reads at most ${task.positions.length}.`);
  return int32([1, ids.length], Int32Array.from(ids));
}

/** `1.0` or `L1H0` as a layer and a head of the model. */
function headOf(text: string, n_layers: number, n_heads: number): { readonly layer: number; readonly head: number } {
  const [layer = 0, head = 0] = text.split(/[.LH]/).filter(part => part !== '').map(Number);
  if (layer < n_layers && head < n_heads) return { layer, head };
  const names = Array.from({ length: n_layers * n_heads }, (_, at) => headName(Math.floor(at / n_heads), at % n_heads));
  throw unknownName('head', headName(layer, head), names);
}
