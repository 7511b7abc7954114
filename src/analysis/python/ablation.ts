import { int32 } from '../../common/tensor';
import type { PythonContext } from '../define';
import { answeredExamples } from '../examples';
import { componentsOf, type Component } from '../heads';
import { otherExamples, type AblationMethod } from '../patching/ablatedRuns';
import { mostPrompts, promptLines, pythonList, pythonTexts, tensorLines } from './written';

interface Chosen {
  readonly components: string;
  readonly examples: number;
  readonly sample: number;
}

/** Loss and accuracy without components, with TransformerLens. */
export function ablationLines(context: PythonContext, method: AblationMethod, { components, ...wanted }: Chosen): readonly string[] {
  const { details: { config }, task, figure, random } = context;
  const { tokens, answers } = answeredExamples(context, { ...wanted, prompt: '' });
  const count = Math.min(tokens.shape[0] ?? 0, mostPrompts);
  const chosen = componentsOf(config, components);
  const isLoss = figure.title.startsWith('Loss');
  const lines = [
    ...promptLines({ tokens, answers }),
    ...(method === 'resample' ? ['# For each example another one.', ...tensorLines('others', int32([count], otherExamples(count, random)))] : []),
    '_, cache = model.run_with_cache(tokens)',
    '',
    'def replace(value, hook, part):',
    `    value[part] = ${replacementOf(method)}`,
    '    return value',
    '',
    'def logits_without(*components):  # [example, answer, d_vocab_out]',
    '    hooks = [(name, partial(replace, part=part)) for name, part in components]',
    `    return model.run_with_hooks(tokens, fwd_hooks=hooks)[:, ${pythonList(task.answerPositions)}].double()`,
    '',
    `def score(logits):  # ${isLoss ? 'the mean loss' : 'the fraction that is right'} of each answer`,
    `    return ${scoreOf(isLoss, task.answersAre === 'numbers')}.mean(dim=0)`,
    '',
  ];
  if (chosen.length > 0) {
    return [
      ...lines,
      `components = [${chosen.map(component => partOf(component, method)).join(', ')}]`,
      'figure = {"whole model": score(logits_without()), "without": score(logits_without(*components))}',
    ];
  }
  return [
    ...lines,
    'components = []',
    'for layer in range(model.cfg.n_layers):',
    `    components += [${partOf({ layer: '{layer}', head: 'head' }, method)} for head in range(model.cfg.n_heads)]`,
    ...(config.attn_only || method === 'mean pattern' ? [] : [`    components.append(${partOf({ layer: '{layer}', head: undefined }, method)})`]),
    `values = torch.stack([score(logits_without(component)) for component in components])${isLoss ? ' - score(logits_without())' : ''}`,
    figure.kind === 'bars' ? `figure = dict(zip(${pythonTexts(figure.series.map(({ name }) => name))}, values.T))` : 'figure = values.T  # [answer, component]',
  ];
}

/** What a hook puts in a part's place. */
function replacementOf(method: AblationMethod): string {
  switch (method) {
    case 'zero': return '0';
    case 'resample': return 'cache[hook.name][others][part]';
    case 'mean':
    case 'mean pattern': return 'cache[hook.name].mean(dim=0).expand_as(value)[part]';
    default: return method satisfies never;
  }
}

/** A hook and the part of its value that is a component's; layer and head are numbers, or names of them in a loop. */
function partOf({ layer, head }: Component | { readonly layer: string; readonly head: string | undefined }, method: AblationMethod): string {
  const hook = head === undefined ? 'hook_mlp_out' : method === 'mean pattern' ? 'attn.hook_pattern' : 'attn.hook_z';
  const part = head === undefined ? '...' : method === 'mean pattern' ? `(slice(None), ${head})` : `(..., ${head}, slice(None))`;
  return `(${typeof layer === 'string' ? 'f' : ''}"blocks.${layer}.${hook}", ${part})`;
}

function scoreOf(isLoss: boolean, inNumbers: boolean): string {
  if (inNumbers) return isLoss ? '(logits[..., 0] - answers).square()' : '((logits[..., 0] - answers).abs() < 0.5).double()';
  return isLoss ? 'F.cross_entropy(logits.transpose(1, 2), answers, reduction="none")' : '(logits.argmax(dim=-1) == answers).double()';
}
