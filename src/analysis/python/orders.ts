import { int32, type HostTensor } from '../../common/tensor';
import type { Figure } from '../../protocol/figure';
import { mostPrompts, promptLines, pythonList, tensorLines } from './written';

/** Inputs that are run in all of their orders, and what is read of them at one position. */
export interface InOrders {
  /** `[B, T]` */
  readonly tokens: HostTensor<'int32'>;
  /** The positions of the numbers that change places, `n` of them. */
  readonly inputs: readonly number[];
  /** All of them, as a dictionary sorts them, or as many as were drawn. */
  readonly orders: readonly (readonly number[])[];
  readonly isDrawn: boolean;
  readonly position: number;
  readonly hook: string;
  /** The tokens `[B]` that are the answers read there, where an input holds it; −1 elsewhere. */
  readonly answers: HostTensor<'int32'>;
  /** The numbers of the first example, as tokens, in the order of their values. */
  readonly values: readonly number[];
  readonly keysByValue: boolean;
}

/** The Python of one figure of permutation invariance. */
export function orderLines(of: InOrders, figure: Figure): readonly string[] {
  const { position, inputs } = of;
  if (figure.kind === 'heatmap' && figure.subject?.head === undefined) return [
    ...promptsLines(of),
    'prompts = reordered(tokens[0])',
    '_, cache = model.run_with_cache(prompts)',
    `directions = torch.nn.functional.normalize(cache["${of.hook}"][:, ${position}], dim=-1)`,
    'figure = directions @ directions.T',
  ];
  if (figure.kind === 'heatmap') return [
    ...promptsLines(of),
    'prompts = reordered(tokens[0])',
    '_, cache = model.run_with_cache(prompts)',
    `attention = cache["pattern", ${figure.subject?.layer ?? 0}][:, ${figure.subject?.head ?? 0}, ${position}]  # [order, key]`,
    ...(of.keysByValue ? [
      `others = [key for key in range(${of.tokens.shape[1] ?? 0}) if key not in inputs]`,
      `by_value = [(attention[:, inputs] * (prompts[:, inputs] == value)).sum(-1, keepdim=True) for value in ${pythonList(of.values)}]`,
      'figure = torch.cat([*by_value, attention[:, others]], dim=1)',
    ] : ['figure = attention']),
  ];
  if (figure.kind === 'bars') return [
    ...promptsLines(of),
    ...tensorLines('answers', { ...of.answers, data: of.answers.data.subarray(0, mostPrompts), shape: [Math.min(mostPrompts, of.answers.data.length)] }),
    'found = []',
    'for row, answer in zip(tokens, answers):',
    '    if (row[inputs] == answer).any():',
    '        prompts = reordered(row)',
    '        _, cache = model.run_with_cache(prompts)',
    `        attention = torch.cat([cache["pattern", layer][:, :, ${position}] for layer in range(model.cfg.n_layers)], dim=1)[:, :, inputs]`,
    '        found.append((attention * (prompts[:, None, inputs] == answer)).sum(-1).mean(0))  # [head]',
    'figure = torch.stack(found).mean(0)',
  ];
  return [
    ...promptsLines(of),
    'smallest, means = [], []',
    'for row in tokens:',
    '    prompts = reordered(row)',
    '    differ = (prompts[:, None] != prompts).any(-1).tril()  # equal numbers that change places are no other order',
    '    if not differ.any():',
    '        continue',
    '    _, cache = model.run_with_cache(prompts)',
    `    attention = torch.cat([cache["pattern", layer][:, :, ${position}] for layer in range(model.cfg.n_layers)], dim=1)  # [order, head, key]`,
    `    others = [key for key in range(${of.tokens.shape[1] ?? 0}) if key not in inputs]`,
    '    by_value = [(attention[:, :, inputs] * (prompts[:, None, inputs] == value)).sum(-1, keepdim=True) for value in row[inputs].unique()]',
    `    directions = torch.nn.functional.normalize(torch.cat([*by_value, attention[:, :, others]], dim=-1), dim=-1).transpose(0, 1)`,
    '    cosines = (directions @ directions.transpose(1, 2))[:, differ]  # [head, pair of orders]',
    '    smallest.append(cosines.amin(-1))',
    '    means.append(cosines.mean(-1))',
    `figure = {"Smallest": torch.stack(smallest).amin(0), "Mean": torch.stack(means).mean(0)}  # inputs at ${pythonList(inputs)}`,
  ];
}

/** `tokens`, `inputs`, `orders` and `reordered(row)`: a prompt with its inputs in every order. */
function promptsLines({ tokens, inputs, orders, isDrawn }: InOrders): readonly string[] {
  const n = inputs.length;
  const drawn = () => int32([orders.length, n], Int32Array.from(orders.flat()));
  return [
    ...promptLines({ tokens }),
    `inputs = torch.tensor(${pythonList(inputs)})`,
    ...(isDrawn ? promptLines({ orders: drawn() }, 'orders') : [`orders = torch.tensor(list(itertools.permutations(range(${n}))))`]),
    '',
    'def reordered(row):',
    '    prompts = row.repeat(len(orders), 1)',
    '    prompts[:, inputs] = row[inputs][orders]',
    '    return prompts',
    '',
  ];
}
