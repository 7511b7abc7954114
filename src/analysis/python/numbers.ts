import { int32, rowsOf, type HostTensor } from '../../common/tensor';
import type { Histogram2dFigure } from '../../protocol/figure';
import type { Examples, Task } from '../../tasks/task';
import { mostPrompts, promptLines, pythonList, pythonNumber, pythonText, tensorLines } from './written';

/** Prompts of several kinds, each with its right numbers. */
export interface NamedExamples extends Examples {
  readonly name: string;
}

/** `predict(tokens)`: the numbers that the model answers with, `[batch, answer]`. */
function predictLines({ answerPositions }: Task): readonly string[] {
  return [`predict = lambda tokens: model(tokens)[:, ${pythonList(answerPositions)}, 0]  # [batch, answer]`];
}

/** How the predictions for each right number are spread, a column a number. */
export function histogramLines(task: Task, { tokens, labels }: Examples, { xEdges, yEdges }: Histogram2dFigure): readonly string[] {
  const [least = 0, most = 0, [lowest = 0, second = 0], highest = 0] = [xEdges[0], xEdges.at(-1), [...yEdges], yEdges.at(-1)];
  return [
    ...promptLines({ tokens, labels }),
    ...predictLines(task),
    `x_edges = torch.arange(${pythonNumber(least)}, ${pythonNumber(most + 0.5)})`,
    `y_edges = torch.arange(${pythonNumber(lowest)}, ${pythonNumber(highest + (second - lowest) / 2)}, ${pythonNumber(second - lowest)})`,
    'predictions = predict(tokens).flatten().clamp(y_edges[0], y_edges[-1])  # what lies further out is in the outermost bins',
    'counts = torch.histogramdd(torch.stack([predictions, labels.flatten().float()], dim=1), [y_edges, x_edges]).hist',
    'figure = counts / counts.sum(0).clamp(min=1)  # [prediction, right number]',
  ];
}

/** The predictions for each right number, as a table. */
export function labelTableLines(task: Task, { tokens, labels }: Examples): readonly string[] {
  return [
    ...promptLines({ tokens, labels }),
    ...predictLines(task),
    'numbers = labels.unique()',
    'groups = [predict(tokens)[labels == number] for number in numbers]',
    'figure = {',
    '    "Right number": numbers,',
    '    "Examples": torch.tensor([len(group) for group in groups]),',
    '    "Loss": torch.stack([((group - number) ** 2).mean() for group, number in zip(groups, numbers)]),',
    '    "Mean prediction": torch.stack([group.mean() for group in groups]),',
    '    "Standard deviation": torch.stack([group.std(correction=0) for group in groups]),',
    '}',
  ];
}

/** `sets`: name → prompts and their right numbers; of many the first of each. */
export function setLines(task: Task, sets: readonly NamedExamples[]): readonly string[] {
  const most = Math.max(1, Math.floor(mostPrompts / sets.length));
  const isCut = sets.some(({ tokens: { shape: [B = 0] } }) => B > most);
  const first = (tensor: HostTensor<'int32'>) => rowsOf(tensor, 0, Math.min(most, tensor.shape[0] ?? 0));
  return [
    ...(isCut ? [`# The figure is over more examples; these are the first ${most} of each.`] : []),
    'sets = {}',
    ...sets.flatMap(({ name, tokens, labels }) => [
      ...tensorLines('tokens', first(tokens)), ...tensorLines('labels', first(labels)), `sets[${pythonText(name)}] = tokens, labels`,
    ]),
    ...predictLines(task),
  ];
}

/** The mean squared error on each set. */
export const setLosses = '{name: ((predict(tokens) - labels) ** 2).mean()[None] for name, (tokens, labels) in sets.items()}';

/** What a model says of one prompt, beside the right number. */
export function predictionLines(task: Task, prompt: readonly number[], right: number, hasPath: boolean): readonly string[] {
  return [
    ...promptLines({ tokens: int32([1, prompt.length], Int32Array.from(prompt)) }),
    ...predictLines(task),
    `truth = torch.tensor([${pythonNumber(right)}])`,
    'prediction = predict(tokens)[0, :1]',
    `figure = {${hasPath ? '"Right answer": truth, ' : ''}"Prediction": prediction, "Error": prediction - truth}`,
  ];
}
