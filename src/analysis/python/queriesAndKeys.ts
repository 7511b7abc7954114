import type { PythonContext } from '../define';
import { chosenQueryAndKeys, tokensAt } from '../queriesAndKeys';
import { testExamples } from '../../training/evaluate';
import { rowsOf, int32 } from '../../common/tensor';
import { promptLines, pythonTexts } from './written';
import { pythonIndices } from './circuits';

interface Positions {
  readonly query: string;
  readonly key: string;
}

/** Scores by the numbers at query and key, with TransformerLens. */
export function qkByValueLines(context: PythonContext, chosen: Positions): readonly string[] {
  const { figure } = context;
  const { query, keys: [key = 0] } = chosenQueryAndKeys(context, chosen);
  const head = figure.subject?.head ?? 0;
  const lines = vectorLines(context, query, [key]);
  if (figure.kind === 'bars') return [...lines, `figure = {"query": q[0, ${head}]}`];
  if (figure.kind === 'lines' && figure.subject) {
    const of = figure.title.startsWith('Key') ? 'keys[0]' : 'q';
    return [...lines, `figure = {f"dimension {at}": values for at, values in enumerate(${of}[:, ${head}].T)}`];
  }
  return [
    ...lines,
    'scores = torch.einsum("ihd,jhd->hij", q, keys[0]) / model.blocks[0].attn.attn_scale  # [head, query, key]',
    figure.kind === 'heatmap' ? `figure = scores[${head}]` : 'figure = {f"L0H{head}": of_head[0] for head, of_head in enumerate(scores)}',
  ];
}

/** `q [n, head, d_head]` and `keys`, one such tensor a key position: of each token that can stand there, in the order of the numbers. */
function vectorLines({ task, model: { config } }: Pick<PythonContext, 'task' | 'model'>, query: number, keys: readonly number[]): readonly string[] {
  const rotated = config.positional_embedding_type === 'rotary' ? 'rot_' : '';
  const at = (letter: string, position: number) => `cache["${rotated}${letter}", 0][${pythonIndices(tokensAt(task, position).tokens)}, ${position}]`;
  return [
    `tokens = torch.arange(model.cfg.d_vocab)[:, None].expand(-1, ${Math.max(query, ...keys) + 1})  # each token at every position`,
    '_, cache = model.run_with_cache(tokens, names_filter=lambda name: name.startswith("blocks.0.attn."))',
    `q = ${at('q', query)}  # [number, head, d_head]`,
    `keys = [${keys.map(key => at('k', key)).join(', ')}]`,
  ];
}

interface FitChosen extends Positions {
  readonly from: number;
  readonly examples: number;
}

/** Scores from lines that are fitted to queries and keys, with TransformerLens. */
export function qkLinearFitLines(context: PythonContext, { from, examples, ...chosen }: FitChosen): readonly string[] {
  const { task, figure } = context;
  const { query, keys } = chosenQueryAndKeys(context, chosen);
  const isFixed = tokensAt(task, query).values === undefined;
  const head = figure.subject?.head ?? 0;
  const lines = [...vectorLines(context, query, keys), ...fitLines(context, query, keys, from)];
  const scores = 'scores = torch.stack([torch.einsum("ihd,jhd->hij", q, k) for k in keys]) / model.blocks[0].attn.attn_scale  # [key position, head, query, key]';
  switch (figure.kind) {
    case 'lines': return [
      ...lines, scores,
      `figure = dict(zip(${pythonTexts(figure.series.map(({ name }) => name))}, [*scores[:, ${head}, 0], fitted(x[0], y)[${head}, 0]]))`,
    ];
    case 'heatmap': return [...lines, scores, figure.title.startsWith('Fitted') ? `figure = fitted(x[0], y)[${head}]` : `figure = scores[:, ${head}].mean(dim=0)`];
    case 'bars': return [...lines, ...accuracyLines(context, query, keys, examples)];
    default: return figure.subject ? [...lines, ...dimensionLines(head, isFixed)] : [...lines, ...headLines(isFixed)];
  }
}

/** Least squares over the numbers from `from` on: a line for each dimension, and the scores that follow. */
function fitLines({ task }: PythonContext, query: number, keys: readonly number[], from: number): readonly string[] {
  const numbers = (position: number) => tokensAt(task, position).values;
  const asked = numbers(query);
  return [
    `x = ${pythonIndices(numbers(keys[0] ?? 0) ?? [])}.float().expand(${keys.length}, -1)  # the numbers, the same at each key position`,
    asked ? `y = ${pythonIndices(asked)}.float()` : 'y = torch.zeros(1)  # the query is always the same',
    '',
    'def line(numbers, vectors):  # slope and value at 0, [head, d_head] each, by least squares',
    '    distances = numbers - numbers.mean()',
    '    slope = torch.einsum("n,nhd->hd", distances, vectors) / distances.square().sum().clamp(min=1e-30)',
    '    return slope, vectors.mean(dim=0) - slope * numbers.mean()',
    '',
    `kept_x, kept_y = x >= ${from}, ${asked ? `y >= ${from}` : 'y == 0'}`,
    'key_slope, key_at_0 = line(x[kept_x], torch.stack(keys)[kept_x])',
    'query_slope, query_at_0 = line(y[kept_y], q[kept_y])',
    '',
    'def fitted(x, y):  # scores [head, y, x]',
    '    keys = key_slope[:, None] * x[:, None] + key_at_0[:, None]  # [head, x, d_head]',
    '    queries = query_slope[:, None] * y[:, None] + query_at_0[:, None]  # [head, y, d_head]',
    '    return queries @ keys.mT / model.blocks[0].attn.attn_scale',
  ];
}

/** The fits of each head, and how much of the variance of its real scores they explain. */
function headLines(isFixed: boolean): readonly string[] {
  return [
    '',
    'def product(query, key):  # [head], scaled as in the model',
    '    return (query * key).sum(dim=-1) / model.blocks[0].attn.attn_scale',
    '',
    'x_term, constant = product(query_at_0, key_slope), product(query_at_0, key_at_0)',
    'real, fit = [], []',
    'for k, numbers, kept in zip(keys, x, kept_x):',
    '    real.append(torch.einsum("ihd,jhd->hij", q[kept_y], k[kept]).flatten(1) / model.blocks[0].attn.attn_scale)',
    '    fit.append(fitted(numbers[kept], y[kept_y]).flatten(1))',
    'real, fit = torch.cat(real, dim=1), torch.cat(fit, dim=1)',
    'r2 = 1 - (real - fit).square().mean(dim=1) / real.var(dim=1, correction=0)',
    isFixed
      ? 'figure = {"Slope a": x_term, "Centre c": -constant / x_term, "R²": r2}'
      : 'figure = {"x · y": product(query_slope, key_slope), "x": x_term, "y": product(query_slope, key_at_0), "Constant": constant, "R²": r2}',
  ];
}

function dimensionLines(head: number, isFixed: boolean): readonly string[] {
  return [
    'def r2(numbers, vectors, slope, at_0):  # [d_head]',
    '    left = vectors - slope * numbers[:, None] - at_0',
    '    return 1 - left.square().mean(dim=0) / vectors.var(dim=0, correction=0)',
    '',
    `key = key_slope[${head}], key_at_0[${head}]`,
    `figure = {"Dimension": torch.arange(model.cfg.d_head), "Key slope": key[0], "Key at 0": key[1]}`,
    `figure["Key R²"] = r2(x[kept_x], torch.stack(keys)[kept_x][:, ${head}], *key)`,
    ...(isFixed ? [`figure["Query"] = query_at_0[${head}]`] : [
      `query = query_slope[${head}], query_at_0[${head}]`,
      `figure.update({"Query slope": query[0], "Query at 0": query[1], "Query R²": r2(y[kept_y], q[kept_y][:, ${head}], *query)})`,
    ]),
  ];
}

/** The fraction of test examples that are right with real and with fitted scores. */
function accuracyLines({ details, task }: PythonContext, query: number, keys: readonly number[], most: number): readonly string[] {
  const all = testExamples(details.experiment, task);
  const [total = 0, A = 0] = all.labels.shape;
  const count = Math.min(total, most);
  const answer = task.answerPositions.indexOf(query);
  const answers = int32([count], Int32Array.from({ length: count }, (_, row) => all.labels.data[row * A + answer] ?? -1));
  const numbers = (position: number) => {
    const { tokens, values = [] } = tokensAt(task, position);
    const valueOf = new Map(tokens.map((token, at) => [token, values[at] ?? 0]));
    return int32([count], Int32Array.from({ length: count }, (_, row) => valueOf.get(all.tokens.data[row * task.positions.length + position] ?? -1) ?? 0));
  };
  return [
    '',
    ...promptLines({ prompts: rowsOf(all.tokens, 0, count), answers, asking: numbers(query), ...Object.fromEntries(keys.map(key => [`asked_${key}`, numbers(key)])) }, 'test examples'),
    '',
    'def replace(scores, hook):  # [example, head, query, key]',
    `    for key, numbers in {${keys.map(key => `${key}: asked_${key}`).join(', ')}}.items():`,
    `        for row in range(len(prompts)):`,
    `            scores[row, :, ${query}, key] = fitted(numbers[row, None], asking[row, None])[:, 0, 0]`,
    '    return scores',
    '',
    'def accuracy(logits):',
    `    return (logits[:, ${query}].argmax(dim=-1) == answers).double().mean()`,
    '',
    'with_fit = model.run_with_hooks(prompts, fwd_hooks=[("blocks.0.attn.hook_attn_scores", replace)])',
    'figure = {"accuracy": torch.stack([accuracy(model(prompts)), accuracy(with_fit)])}',
  ];
}
