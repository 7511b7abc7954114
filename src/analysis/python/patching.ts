import { int32 } from '../../common/tensor';
import type { PromptPair } from '../pairs';
import type { PatchedActivation, Site } from '../patching/patching';
import type { Sweep } from '../patching/patchingSweeps';
import { promptLines } from './written';

/** Prompts of pairs, and `metric`: as shares, so that it is 0 of the corrupted prompts and 1 of the clean ones. */
export function pairLines(pairs: readonly PromptPair[]): readonly string[] {
  const rows = (of: (pair: PromptPair) => readonly number[]) => int32([pairs.length, of(pairs[0] ?? noPair()).length], Int32Array.from(pairs.flatMap(of)));
  const [first] = pairs;
  const { position = 0 } = first ?? {};
  const isNumber = first?.wrong === undefined;
  const outputs = isNumber ? {} : { answers: rows(({ correct, wrong = 0 }) => [correct, wrong]) };
  return [
    ...promptLines({ clean_tokens: rows(({ clean }) => clean), corrupted_tokens: rows(({ corrupted }) => corrupted), ...outputs }, 'pairs'),
    isNumber
      ? `difference = lambda logits: logits[:, ${position}, 0].mean()`
      : `difference = lambda logits: logits[:, ${position}].gather(-1, answers).diff(dim=-1).neg().mean()  # of the clean and the corrupted answer`,
    'clean_logits, clean_cache = model.run_with_cache(clean_tokens)',
    'clean, corrupted = difference(clean_logits).item(), difference(model(corrupted_tokens)).item()',
    'metric = lambda logits: (difference(logits) - corrupted) / (clean - corrupted)',
  ];
}

/** TransformerLens' function that patches an activation by position `[layer, position(, head)]`, and at all positions `[layer, head]`. */
const functions: Readonly<Record<PatchedActivation, readonly [byPosition: string, whole?: string]>> = {
  resid_pre: ['get_act_patch_resid_pre'],
  attn_out: ['get_act_patch_attn_out'],
  mlp_out: ['get_act_patch_mlp_out'],
  z: ['get_act_patch_attn_head_out_by_pos', 'get_act_patch_attn_head_out_all_pos'],
  q: ['get_act_patch_attn_head_q_by_pos', 'get_act_patch_attn_head_q_all_pos'],
  k: ['get_act_patch_attn_head_k_by_pos', 'get_act_patch_attn_head_k_all_pos'],
  v: ['get_act_patch_attn_head_v_by_pos', 'get_act_patch_attn_head_v_all_pos'],
  pattern: ['get_act_patch_attn_head_pattern_by_pos', 'get_act_patch_attn_head_pattern_all_pos'],
};

const given = '(model, corrupted_tokens, clean_cache, metric)';

/** The figure of one sweep by TransformerLens' `patching`, of all heads or of one. */
export function sweepLines({ sites, rows }: Pick<Sweep, 'sites' | 'rows'>): readonly string[] {
  const [first] = sites;
  if (!first) throw new Error('a sweep has sites');
  const [byPosition, whole] = functions[first.activation];
  if (first.head === undefined) return [`figure = patching.${byPosition}${given}  # [layer, position]`];
  const head = rows.labels.length === 1 ? `[${first.layer}, ${first.head}]` : '';
  if (first.position === undefined && whole !== undefined) {
    return [
      `every = patching.get_act_patch_attn_head_all_pos_every${given}  # [z q k v pattern, layer, head]`,
      head === '' ? 'figure = every.flatten(1).T  # [head, activation]' : `figure = every[:, ${first.layer}, ${first.head}]`,
    ];
  }
  const order = first.activation === 'pattern' ? 'layer head position' : 'layer position head';
  const patched = `patched = patching.${byPosition}${given}  # [${order.replaceAll(' ', ', ')}]`;
  if (first.activation === 'pattern') return [patched, head === '' ? 'figure = patched.flatten(0, 1)  # [head, destination]' : `figure = patched${head}`];
  return [patched, head === '' ? `figure = einops.rearrange(patched, "${order} -> (layer head) position")` : `figure = patched[${first.layer}, :, ${first.head}]`];
}

/** `estimate(activation, sum_over)`: by gradients in the corrupted run what patching an activation would bring back, layer by layer. */
export const estimateLines: readonly string[] = [
  'def estimate(activation, sum_over):  # the gradient of the metric in the corrupted run, times what patching would change',
  '    values = {}',
  '    def keep(value, hook):',
  '        value.retain_grad()',
  '        values[hook.layer()] = value',
  '    layers = range(model.cfg.n_layers)',
  '    hooks = [(get_act_name(activation, layer), keep) for layer in layers]',
  '    metric(model.run_with_hooks(corrupted_tokens, fwd_hooks=hooks)).backward()',
  '    return torch.stack([(values[l].grad * (clean_cache[activation, l] - values[l])).sum(sum_over) for l in layers]).detach()',
  '',
];

/** The figure of one sweep by {@link estimateLines}. */
export function attributedLines(sweep: Sweep): readonly string[] {
  const [first] = sweep.sites;
  if (!first) throw new Error('a sweep has sites');
  const { activation, head } = first;
  const one = sweep.rows.labels.length === 1 && head !== undefined ? first : undefined;
  const isPattern = activation === 'pattern';
  const shape = head === undefined ? '[layer, position]' : isPattern ? '[layer, head, destination]' : '[layer, position, head]';
  return [
    `scores = estimate("${activation}", ${isPattern ? '(0, 3)' : '(0, -1)'})  # ${shape}`,
    ...figureOfScores(one, activation, head !== undefined),
  ];
}

function figureOfScores(one: Site | undefined, activation: PatchedActivation, isOfHeads: boolean): readonly string[] {
  if (!isOfHeads) return ['figure = scores'];
  if (activation === 'pattern') return [one ? `figure = scores[${one.layer}, ${one.head ?? 0}]` : 'figure = scores.flatten(0, 1)  # [head, destination]'];
  return [one ? `figure = scores[${one.layer}, :, ${one.head ?? 0}]` : 'figure = einops.rearrange(scores, "layer position head -> (layer head) position")'];
}

/** The table of the sites at which the gradients are furthest from the patching. */
export function disagreementLines(sweeps: readonly Sweep[], most: number): readonly string[] {
  const both = sweeps.flatMap(sweep => [...attributedLines(sweep), 'estimates.append(figure.flatten())', ...sweepLines(sweep), 'exacts.append(figure.flatten())', '']);
  return [
    ...estimateLines,
    'estimates, exacts = [], []',
    ...both,
    'estimates, exacts = torch.cat(estimates), torch.cat(exacts)',
    `order = (estimates - exacts).abs().argsort(descending=True)[:${most}]`,
    'figure = {"Estimate": estimates[order], "Exact": exacts[order], "Difference": (estimates - exacts)[order]}',
  ];
}

function noPair(): never {
  throw new Error('there is no pair');
}
