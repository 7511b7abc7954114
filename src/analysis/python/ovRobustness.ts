import { int32, type HostTensor } from '../../common/tensor';
import type { PythonContext } from '../define';
import { stream } from '../examples';
import { copiedValues, forcedPrompts, type ForcedPrompts } from '../forcedAttention';
import { pythonTexts, tensorLines } from './written';

/** Prompts of an answer that are written out, or one a value where there are more values. */
const mostWritten = 256;

interface Chosen {
  readonly from: number;
  readonly others: number;
  readonly sample: number;
}

/** Accuracy with attention fixed on an input, with TransformerLens. */
export function ovRobustnessLines(context: PythonContext, { from, others, sample }: Chosen): readonly string[] {
  const { task, random, figure } = context;
  const values = copiedValues(task);
  const counted = values.filter(({ value }) => value >= from);
  const n = Math.min(others, counted.length - 1);
  const prompts = forcedPrompts(context, stream(random, sample), values, counted, n);
  const written = Math.min(n, Math.max(1, Math.floor(mostWritten / values.length)));
  const names = figure.kind === 'lines' ? figure.series.map(({ name }) => name) : [];
  const isOfValues = figure.title.startsWith('Accuracy of each value');
  const isOfAnswers = figure.title.includes(' of each answer ');
  const large = values.length - counted.length;
  return [
    ...(written < n ? [`# The figure is of ${n} prompts a value and answer; these are the first ${written} of them.`] : []),
    'prompts = {}  # by the position of an answer: prompts, the place that is attended to, the other place, the right output',
    ...prompts.flatMap(each => answerLines(each, written)),
    '',
    'def right(share, position):  # [value, prompt], where heads pay this share [n_heads] of attention to the other place',
    '    tokens, place, other, outputs = prompts[position]',
    '    rows = torch.arange(len(tokens))',
    '    def attend(pattern, hook):  # [prompt, head, query, key]',
    '        pattern[:, :, position] = 0',
    '        pattern[rows, :, position, place] = 1 - share',
    '        pattern[rows, :, position, other] = share',
    '        return pattern',
    '    logits = model.run_with_hooks(tokens, fwd_hooks=[("blocks.0.attn.hook_pattern", attend)])[:, position]',
    `    return (logits.argmax(dim=-1) == outputs).double().reshape(-1, ${written})`,
    '',
    'every_head = torch.ones(model.cfg.n_heads)',
    ...(isOfValues ? [
      'lines = [',
      '    torch.stack([right(share * every_head, position) for position in prompts]).mean(dim=(0, 2))  # [value]',
      '    for share in (0, 0.2)',
      ']',
      `figure = dict(zip(${pythonTexts(names)}, lines))`,
    ] : [
      'shares = torch.arange(21) / 20',
      ...(isOfAnswers ? [
        `lines = [[right(share * every_head, position)[${large}:].mean() for share in shares] for position in prompts]`,
      ] : [
        `groups = [every_head${names.length > 1 ? ', *torch.eye(model.cfg.n_heads)' : ''}]  # heads that look at the other place too`,
        'lines = [',
        `    [torch.stack([right(share * heads, position)[${large}:] for position in prompts]).mean() for share in shares]`,
        '    for heads in groups',
        ']',
      ]),
      `figure = dict(zip(${pythonTexts(names)}, torch.tensor(lines)))`,
    ]),
  ];
}

/** The first prompts of each value, for one answer. */
function answerLines({ n, position, tokens, places, otherPlaces, outputs }: ForcedPrompts, written: number): readonly string[] {
  const [R = 0] = tokens.shape;
  const kept = Array.from({ length: R }, (_, row) => row).filter(row => row % n < written);
  const rowsOf = ({ shape: [, T], data }: HostTensor<'int32'>) => {
    const rows = kept.map(row => [...data.subarray(row * (T ?? 1), (row + 1) * (T ?? 1))]);
    return int32(T === undefined ? [kept.length] : [kept.length, T], Int32Array.from(rows.flat()));
  };
  return [
    ...tensorLines('tokens', rowsOf(tokens)), ...tensorLines('place', rowsOf(places)), ...tensorLines('other', rowsOf(otherPlaces)),
    ...tensorLines('outputs', rowsOf(int32([R], outputs))),
    `prompts[${position}] = tokens, place, other, outputs`,
  ];
}
