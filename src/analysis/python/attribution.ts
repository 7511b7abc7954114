import type { HostTensor } from '../../common/tensor';
import type { ModelConfig } from '../../protocol/config';
import type { Task } from '../../tasks/task';
import type { Head } from '../heads';
import { pythonList, promptLines } from './written';

interface Explained {
  /** `[B, T]` */
  readonly tokens: HostTensor<'int32'>;
  /** `[B, A]` */
  readonly answers: HostTensor<'int32'>;
  /** The answers that are measured, by their numbers. */
  readonly chosen: readonly number[];
  readonly against: string;
  readonly word: string;
}

/** `tokens`, the chosen `answers` and the `positions` that they are read at, and a run of the model. */
function runLines(task: Task, { tokens, answers, chosen }: Explained): readonly string[] {
  const picked = chosen.length === task.answerPositions.length ? '' : `[:, ${pythonList(chosen)}]`;
  return [
    ...promptLines({ tokens, answers }),
    ...(picked === '' ? [] : [`answers = answers${picked}`]),
    `positions = ${pythonList(chosen.map(answer => task.answerPositions[answer] ?? 0))}`,
    'logits, cache = model.run_with_cache(tokens)',
  ];
}

/** `weights`: what is measured of the logits, as weights on them `[batch, answer, d_vocab_out]`. */
function weightLines(task: Task, { against, word }: Explained): readonly string[] {
  if (task.answersAre === 'numbers') return ['weights = torch.ones_like(logits[:, positions])  # the one output is the number itself'];
  const right = 'weights = torch.nn.functional.one_hot(answers, model.cfg.d_vocab_out).float()';
  switch (against) {
    case 'mean output': return [`${right} - 1 / model.cfg.d_vocab_out`];
    case 'word': return [right, `weights[..., ${task.outputs.indexOf(word.trim())}] -= 1`];
    case 'largest wrong output': return [
      right,
      'wrong = logits[:, positions].scatter(-1, answers[..., None], -torch.inf).argmax(-1)',
      'weights -= torch.nn.functional.one_hot(wrong, model.cfg.d_vocab_out)',
    ];
    default: return [right];
  }
}

/** The direction in the residual stream, behind the final norm, that raises what is measured. */
function directionLines({ normalization_type }: ModelConfig): readonly string[] {
  const scaled = normalization_type === 'LN' || normalization_type === 'RMS' ? ' * model.ln_final.w' : '';
  const centred = normalization_type === 'LN' || normalization_type === 'LNPre';
  return [
    `directions = weights @ model.W_U.T${scaled}  # [batch, answer, d_model]`,
    ...(centred ? ['directions = directions - directions.mean(-1, keepdim=True)  # as the norm centres what it reads'] : []),
    ...(normalization_type === null ? [] : ['directions = directions / cache["ln_final.hook_scale"][:, positions]  # the scale is held as it was']),
  ];
}

/** What enters the stream below the first layer. */
function embeddings({ positional_embedding_type }: ModelConfig): readonly (readonly [name: string, hook: string])[] {
  return [['embedding', 'hook_embed'], ...(positional_embedding_type === 'standard' ? [['positions', 'hook_pos_embed'] as const] : [])];
}

/** The mean part of each component, as the bars have them, a row an answer; a heatmap has the same numbers. */
export function componentLines(config: ModelConfig, task: Task, explained: Explained): readonly string[] {
  const { n_layers, n_heads, biases, attn_only, normalization_type } = config;
  const layer = [
    '    z = cache["z", layer][:, positions]  # [batch, answer, head, d_head]',
    '    heads = einops.einsum(z, model.W_O[layer], "b a h k, h k d -> h b a d")',
    `    for head in range(${n_heads}):`,
    '        parts[f"L{layer}H{head}"] = (heads[head] * directions).sum(-1)',
    ...(biases ? ['    parts[f"b_O {layer}"] = directions @ model.b_O[layer]'] : []),
    ...(attn_only ? [] : ['    parts[f"MLP {layer}"] = (cache["mlp_out", layer][:, positions] * directions).sum(-1)']),
  ];
  return [
    ...runLines(task, explained),
    ...weightLines(task, explained),
    ...directionLines(config),
    'parts = {}  # each [batch, answer]',
    ...embeddings(config).map(([name, hook]) => `parts["${name}"] = (cache["${hook}"][:, positions] * directions).sum(-1)`),
    `for layer in range(${n_layers}):`,
    ...layer,
    ...(normalization_type === 'LN' ? ['parts["ln_final b"] = weights @ (model.ln_final.b @ model.W_U)'] : []),
    'figure = torch.stack([part.mean(0) for part in parts.values()], dim=1)  # [answer, component]',
  ];
}

/** The part of one head by what its values read, its pattern and the scales of norms held as they were. */
export function pathLines(config: ModelConfig, task: Task, explained: Explained, { layer, head }: Head): readonly string[] {
  const { n_heads, biases, attn_only, normalization_type } = config;
  const norm = `blocks.${layer}.ln1`;
  const scaled = normalization_type === 'LN' || normalization_type === 'RMS';
  const biasParts = [
    ...(biases ? [`pattern.sum(-1) * (for_values @ model.b_V[${layer}, ${head}])`] : []),
    ...(biases ? Array.from({ length: layer }, (_, earlier) => `share.sum(-1) * (reads @ model.b_O[${earlier}])`) : []),
    ...(normalization_type === 'LN' ? [`pattern.sum(-1) * (for_values @ (model.blocks[${layer}].ln1.b @ model.W_V[${layer}, ${head}]))`] : []),
  ];
  return [
    ...runLines(task, explained),
    ...weightLines(task, explained),
    ...directionLines(config),
    `for_values = directions @ model.W_O[${layer}, ${head}].T  # [batch, answer, d_head]`,
    `pattern = cache["pattern", ${layer}][:, ${head}, positions]  # [batch, answer, source]`,
    `reads = for_values @ model.W_V[${layer}, ${head}].T${scaled ? ` * model.blocks[${layer}].ln1.w` : ''}  # [batch, answer, d_model]`,
    ...(normalization_type === 'LN' || normalization_type === 'LNPre' ? ['reads = reads - reads.mean(-1, keepdim=True)'] : []),
    normalization_type === null ? 'share = pattern' : `share = pattern / cache["${norm}.hook_scale"][:, None, :, 0]  # of each source`,
    'part = lambda written: einops.einsum(share, reads, written, "b a s, b a d, b s d -> b a")',
    'parts = {}  # each [batch, answer]',
    ...embeddings(config).map(([name, hook]) => `parts["${name}"] = part(cache["${hook}"])`),
    ...(layer === 0 ? [] : [
      `for earlier in range(${layer}):`,
      '    results = einops.einsum(cache["z", earlier], model.W_O[earlier], "b s h k, h k d -> h b s d")',
      `    parts |= {f"L{earlier}H{head}": part(results[head]) for head in range(${n_heads})}`,
      ...(attn_only ? [] : ['    parts[f"MLP {earlier}"] = part(cache["mlp_out", earlier])']),
    ]),
    ...(biasParts.length > 0 ? [`parts["biases"] = ${biasParts.join(' + ')}`] : []),
    'figure = torch.stack([part.mean(0) for part in parts.values()], dim=1)  # [answer, component]',
  ];
}

/** What the residual stream says at each stage: of what is measured, or how probable the right answer is, or how far off a number is. */
export function lensLines({ normalization_type }: ModelConfig, task: Task, explained: Explained, second: boolean): readonly string[] {
  const isNumber = task.answersAre === 'numbers';
  const right = 'answers.float().mean(0)[:, None].expand(-1, len(stages))';
  return [
    ...runLines(task, explained),
    ...(second ? [] : weightLines(task, explained)),
    'stages, labels = cache.accumulated_resid(incl_mid=not model.cfg.attn_only, return_labels=True)',
    `lens = torch.stack([model.unembed(${normalization_type === null ? 'stage' : 'model.ln_final(stage)'}) for stage in stages])[:, :, positions]  # [stage, batch, answer, output]`,
    ...(second
      ? isNumber
        ? ['figure = ((lens[..., 0] - answers) ** 2).mean(1).T  # [answer, stage]']
        : ['figure = lens.softmax(-1).gather(-1, answers.expand(len(stages), -1, -1)[..., None])[..., 0].mean(1).T  # [answer, stage]']
      : isNumber
        ? [`predicted = (lens * weights).sum(-1).mean(1).T  # [answer, stage]`, `figure = torch.cat([predicted, ${right}])  # and the right numbers`]
        : ['figure = (lens * weights).sum(-1).mean(1).T  # [answer, stage]']),
  ];
}
