import { int32, type HostTensor } from '../../common/tensor';
import { allowedAttention } from '../../model/mask';
import type { ModelConfig } from '../../protocol/config';
import type { Task } from '../../tasks/task';
import type { Head } from '../heads';
import { pythonIndices } from './circuits';
import { promptLines, pythonList, tensorLines } from './written';

/** All patterns `[layer, batch, head, query, key]` of `tokens`. */
const patternLines: readonly string[] = [
  '_, cache = model.run_with_cache(tokens)',
  'patterns = torch.stack([cache["pattern", layer] for layer in range(model.cfg.n_layers)])  # [layer, batch, head, query, key]',
];

/** `name`: where attention is allowed, `[T, T]` of bools. */
function allowedLines(name: string, config: ModelConfig, T: number): readonly string[] {
  if (config.mask) return [...tensorLines(name, int32([T, T], Int32Array.from(allowedAttention(config, T)))), `${name} = ${name}.bool()`];
  return [`${name} = torch.ones(${T}, ${T})${config.attention_dir === 'causal' ? '.tril()' : ''}.bool()  # [query, key]`];
}

/** `right(logits)`: the fraction of the `answers [batch, answer]` that are right, each. */
function rightLines({ answersAre, answerPositions }: Task): readonly string[] {
  const at = pythonList(answerPositions);
  return answersAre === 'numbers'
    ? [`right = lambda logits: ((logits[:, ${at}, 0] - answers).abs() < 0.5).float().mean(0)  # rounded`]
    : [`right = lambda logits: (logits[:, ${at}].argmax(-1) == answers).float().mean(0)`];
}

/** The figures of attention statistics, in their order; `head` is the one that is drawn. */
export function statisticsLines(task: Task, { tokens, labels }: { readonly tokens: HostTensor<'int32'>; readonly labels: HostTensor<'int32'> }, index: number, { layer, head }: Head): readonly string[] {
  const spread = 'spread = patterns.std(1, correction=0)  # [layer, head, query, key]';
  switch (index) {
    case 0: return [...promptLines({ tokens }), ...patternLines, 'figure = patterns.mean(1)'];
    case 1: return [...promptLines({ tokens }), ...patternLines, spread, 'figure = spread.amax(-1).flatten(0, 1)  # [head, query]'];
    case 2: return [...promptLines({ tokens }), ...patternLines, `figure = patterns[${layer}, :, ${head}].std(0, correction=0)`];
    case 3: return [
      ...promptLines({ tokens, answers: labels }), ...patternLines,
      'def mean_pattern(pattern, hook):',
      '    return patterns[hook.layer()].mean(0).expand_as(pattern)',
      '',
      ...rightLines(task),
      'with_means = model.run_with_hooks(tokens, fwd_hooks=[(lambda name: name.endswith("hook_pattern"), mean_pattern)])',
      'figure = {"as it is": right(model(tokens)), "with mean patterns": right(with_means)}',
    ];
    default: return [...promptLines({ tokens }), ...patternLines, spread, 'figure = {"Largest standard deviation": spread.amax((-2, -1)).flatten()}'];
  }
}

/** Attention on forbidden sources, largest or mean over the examples. */
export function leakLines(tokens: HostTensor<'int32'>, forbidden: readonly (readonly number[])[], largest: boolean): readonly string[] {
  const T = forbidden.length;
  const isCausal = forbidden.every((sources, destination) => sources.length === T - 1 - destination && sources.every(source => source > destination));
  const data = Int32Array.from(forbidden.flatMap(sources => Array.from({ length: T }, (_, source) => Number(sources.includes(source)))));
  return [
    ...promptLines({ tokens }),
    ...patternLines,
    ...(isCausal ? [`forbidden = torch.ones(${T}, ${T}).triu(1)  # [query, key]`] : tensorLines('forbidden', int32([T, T], data))),
    'leak = (patterns * forbidden).sum(-1)  # [layer, batch, head, query]',
    `figure = leak.${largest ? 'amax' : 'mean'}(1).flatten(0, 1)  # [head, query]`,
  ];
}

/** The product of the patterns of later heads with that of one before them, of all later heads or of one. */
export function virtualLines(tokens: HostTensor<'int32'>, through: Head, reader: Head | undefined): readonly string[] {
  const earlier = `earlier = cache["pattern", ${through.layer}][:, ${through.head}]  # [batch, query, key]`;
  return [
    ...promptLines({ tokens }),
    '_, cache = model.run_with_cache(tokens)',
    earlier,
    reader
      ? `figure = (cache["pattern", ${reader.layer}][:, ${reader.head}] @ earlier).mean(0)`
      : `figure = torch.stack([(cache["pattern", layer] @ earlier[:, None]).mean(0) for layer in range(${through.layer + 1}, model.cfg.n_layers)])`,
  ];
}

/** Where heads are measured that are known by where they look. */
export interface ScoredHeads {
  readonly config: ModelConfig;
  readonly task: Task;
  /** `[B, T]` */
  readonly tokens: HostTensor<'int32'>;
  /** `[B, A]` tokens that are the right answers; −1 where none is. */
  readonly answerTokens: HostTensor<'int32'>;
  /** `[N, T / 2]` random tokens that are written twice; absent where there is no room for them. */
  readonly once: HostTensor<'int32'> | undefined;
  /** Token → the output that is the same word. */
  readonly copied: ReadonlyMap<number, number>;
  /** The scores that there are, as columns call them. */
  readonly names: readonly string[];
}

const sources: Readonly<Record<string, string>> = {
  previous: '(key == query - 1).expand(len(tokens), -1, -1)',
  current: '(key == query).expand(len(tokens), -1, -1)',
  first: '((key == 0) & (query > 0)).expand(len(tokens), -1, -1)',
  duplicate: 'same',
  'induction in examples': 'torch.nn.functional.pad(same, (1, 0))[..., :-1]',
};

/** A score of each head `[head, score]`, or by score. */
export function headScoreLines({ config, task, tokens, answerTokens, once, copied, names }: ScoredHeads, bySource: boolean): readonly string[] {
  const T = tokens.shape[1] ?? 0;
  const half = once?.shape[1] ?? 0;
  const expected: Readonly<Record<string, readonly string[]>> = {
    induction: once ? [
      ...tensorLines('once', once), 'twice = torch.cat([once, once], dim=1)', '_, cache = model.run_with_cache(twice)',
      ...allowedLines('allowed', config, 2 * half),
      `query, key = torch.arange(${2 * half})[:, None], torch.arange(${2 * half})`,
      `scores["induction"] = score(cache, ((key == query - ${half - 1}) & (query >= ${half})).expand(len(twice), -1, -1))`,
    ] : [],
    answer: [
      'holds = torch.zeros_like(same)',
      `holds[:, ${pythonList(task.answerPositions.filter(position => position < T))}] = tokens[:, None] == answer_tokens[:, :, None]`,
      'scores["answer"] = score(cache, holds)',
    ],
    copying: [
      `read, own = ${pythonIndices([...copied.keys()])}, ${pythonIndices([...copied.values()])}  # tokens, and the outputs that are the same words`,
      'OV = einops.einsum(model.W_E[read], model.W_V, model.W_O, model.W_U, "t d, l h d k, l h k e, e u -> l h t u")',
      'scores["copying"] = (OV.argmax(-1) == own).float().mean(-1).flatten()',
    ],
  };
  const ofExamples = names.filter(name => name !== 'induction');
  const ordered = [...ofExamples, ...(names.includes('induction') ? ['induction'] : [])];
  return [
    ...promptLines(names.includes('answer') ? { tokens, answer_tokens: answerTokens } : { tokens }),
    '_, cache = model.run_with_cache(tokens)',
    '',
    'def score(cache, expected):  # [batch, query, key]: the mean weight there, from where a head has such a source and a choice',
    '    expected = expected & allowed & (allowed.sum(-1, keepdim=True) > 1)',
    '    rows = expected.any(-1)',
    '    on = [(cache["pattern", layer] * expected[:, None]).sum(-1) for layer in range(model.cfg.n_layers)]  # [batch, head, query]',
    '    return torch.stack([each.transpose(1, 2)[rows].mean(0) for each in on]).flatten()',
    '',
    ...allowedLines('allowed', config, T),
    `query, key = torch.arange(${T})[:, None], torch.arange(${T})`,
    'same = (tokens[:, :, None] == tokens[:, None]) & (key < query)',
    'scores = {}',
    ...ordered.flatMap(name => expected[name] ?? [`scores["${name}"] = score(cache, ${sources[name] ?? ''})`]),
    `${bySource ? 'figure = torch.stack' : 'scores = torch.stack'}([scores[name] for name in [${names.map(name => `"${name}"`).join(', ')}]])  # [score, head]`,
    ...(bySource ? [] : ['figure = scores.T  # [head, score]']),
  ];
}

/** Mean weights from the positions where answers are read, `[head, key]`. */
export function fromAnswersLines(tokens: HostTensor<'int32'>, positions: readonly number[]): readonly string[] {
  return [...promptLines({ tokens }), ...patternLines, `figure = patterns[..., ${pythonList(positions)}, :].mean((1, 3)).flatten(0, 1)  # [head, key]`];
}

/** The mean weights of some heads from a source to each destination, where they attend. */
export function arrowLines(prompt: readonly number[], heads: readonly Head[], pairs: readonly { readonly destination: number; readonly source: number }[]): readonly string[] {
  const [first] = heads;
  return [
    ...promptLines({ tokens: int32([1, prompt.length], Int32Array.from(prompt)) }),
    '_, cache = model.run_with_cache(tokens)',
    `pattern = cache["pattern", ${first?.layer ?? 0}][0, ${pythonList(heads.map(({ head }) => head))}].mean(0)  # [query, key]`,
    `queries = ${pythonList(pairs.map(({ destination }) => destination))}`,
    `keys = ${pythonList(pairs.map(({ source }) => source))}`,
    'weights = pattern[queries, keys]',
    'figure = weights[weights > 0]',
  ];
}
