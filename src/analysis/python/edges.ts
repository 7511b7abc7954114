import type { ModelConfig } from '../../protocol/config';
import type { Figure } from '../../protocol/figure';
import type { PromptPair } from '../pairs';
import { pairLines } from './patching';
import { pythonList, pythonNumber } from './written';

interface Scored {
  readonly config: ModelConfig;
  readonly pairs: readonly PromptPair[];
  /** 0 for the gradients of the corrupted run alone. */
  readonly steps: number;
  readonly threshold: number;
}

/** The Python of one figure of edge attribution, in which `scores` is `[sender, reader]`. */
export function edgeLines(scored: Scored, figure: Figure): readonly string[] {
  const base = scoreLines(scored);
  switch (figure.kind) {
    case 'graph': return [
      ...base, ...orderLines,
      'strongest = edges[order]',
      // A graph draws so many edges at most.
      `figure = strongest[strongest.abs() >= ${pythonNumber(scored.threshold)} * strongest[0].abs()][:${Math.max(1, figure.edges.length)}]`,
    ];
    case 'lines': return [
      ...base, ...orderLines, ...runLines,
      'def faithfulness(count):',
      '    kept = torch.zeros_like(edges).index_fill(0, order[:count], 1)',
      '    return run(clean_tokens, torch.zeros_like(scores).masked_scatter(is_edge, kept), torch.zeros_like(scores))',
      '',
      `figure = torch.tensor([faithfulness(count) for count in ${pythonList(figure.series[0]?.x ?? [])}])`,
    ];
    case 'table': {
      const isExact = figure.columns.some(({ title }) => title === 'Patched');
      return [
        ...base, ...orderLines, `order = order[:${figure.rows.length}]`,
        ...(isExact ? [
          ...runLines,
          'def patched(edge):',
          '    one = torch.zeros_like(scores).masked_scatter(is_edge, torch.zeros_like(edges).index_fill(0, edge, 1))',
          '    return run(corrupted_tokens, is_edge.float() - one, one)',
          '',
          'figure = {"Score": edges[order], "Patched": torch.tensor([patched(edge) for edge in order])}',
        ] : ['figure = {"Score": edges[order]}']),
      ];
    }
    default: return [...base, 'figure = scores * is_edge'];
  }
}

function scoreLines({ config, pairs, steps }: Scored): readonly string[] {
  const { n_layers: L, n_heads: H, attn_only } = config;
  const mlp = attn_only ? '' : ', f"blocks.{layer}.hook_mlp_in"';
  const inLayer = attn_only ? 'model.cfg.n_heads' : '(model.cfg.n_heads + 1)';
  const shares = steps === 0 ? [0] : Array.from({ length: steps }, (_, step) => (step + 0.5) / steps);
  return [
    'model.set_use_split_qkv_input(True)',
    ...(attn_only ? [] : ['model.set_use_hook_mlp_in(True)']),
    'model.set_use_attn_result(True)',
    ...pairLines(pairs),
    '_, corrupted_cache = model.run_with_cache(corrupted_tokens)',
    'layers = range(model.cfg.n_layers)',
    `readers = [name for layer in layers for name in [*(f"blocks.{layer}.hook_{part}_input" for part in "qkv")${mlp}]]`,
    `readers.append("blocks.${L - 1}.hook_resid_post")`,
    '',
    'def sent(cache):  # what the embedding, each head and each MLP write: [sender, batch, position, d_model]',
    '    written = [cache["resid_pre", 0]]',
    '    for layer in layers:',
    `        written += [*cache["result", layer].unbind(2)${attn_only ? '' : ', cache["mlp_out", layer]'}]`,
    '    return torch.stack(written).detach()',
    '',
    'corrupted_sent, change = sent(corrupted_cache), sent(clean_cache) - sent(corrupted_cache)',
    '',
    'def gradients(share):  # of the metric, with respect to what each reader reads: [reader, batch, position, d_model]',
    '    values = {}',
    '    def between(value, hook):',
    '        return (corrupted_sent[0] + share * change[0]).requires_grad_()',
    '    def keep(value, hook):',
    '        value.retain_grad()',
    '        values[hook.name] = value',
    '    hooks = [("blocks.0.hook_resid_pre", between), (lambda name: name in readers, keep)]',
    '    metric(model.run_with_hooks(corrupted_tokens, fwd_hooks=hooks)).backward()',
    '    grads = [values[name].grad for name in readers]',
    '    return torch.stack([one for grad in grads for one in (grad.unbind(2) if grad.ndim == 4 else [grad])])',
    '',
    `grads = torch.stack([gradients(share) for share in ${pythonList(shares)}]).mean(0)`,
    'torch.set_grad_enabled(False)',
    'scores = einops.einsum(change, grads, "sender b t d, reader b t d -> sender reader")',
    `sees = torch.tensor([1 + layer * ${inLayer}${attn_only ? '' : ' + n'} for layer in layers for n in ${attn_only ? `[0] * ${3 * H}` : `[0] * ${3 * H} + [${H}]`}] + [len(scores)])`,
    'is_edge = (torch.arange(len(scores))[:, None] < sees).float()  # a reader sees what was written before it',
    '',
  ];
}

/** Edges reader by reader, the strongest first. */
const orderLines = [
  'scores, is_edge = scores.T, is_edge.T.bool()  # [reader, sender]',
  'edges = scores[is_edge]',
  'order = edges.abs().argsort(descending=True, stable=True)',
];

/** `run(tokens, now, clean)`: the metric where every reader reads what its edges carry in this run, or in the clean one, and otherwise in the corrupted one. */
const runLines = [
  'first, columns = 0, {}',
  'for name in readers:',
  '    count = model.cfg.n_heads if name.endswith("_input") else 1',
  '    columns[name] = slice(first, first := first + count)',
  '',
  'def run(tokens, now, clean):',
  '    written = []',
  '    def send(value, hook):',
  '        written.extend(value.unbind(2) if value.ndim == 4 else [value])',
  '    def read(value, hook):',
  '        n, mine = len(written), columns[hook.name]',
  '        carried = einops.einsum(now.float()[mine, :n], torch.stack(written) - corrupted_sent[:n], "c s, s b t d -> b t c d")',
  '        carried += einops.einsum(clean.float()[mine, :n], change[:n], "c s, s b t d -> b t c d")',
  '        return corrupted_cache[hook.name] + (carried if value.ndim == 4 else carried[:, :, 0])',
  '    sends = lambda name: name == "blocks.0.hook_resid_pre" or name.endswith(("hook_result", "hook_mlp_out"))',
  '    hooks = [(sends, send), (lambda name: name in readers, read)]',
  '    return metric(model.run_with_hooks(tokens, fwd_hooks=hooks)).item()',
  '',
];
