import { throwIfCancelled, UserError } from '../common/errors';
import type { HostTensor } from '../common/tensor';
import type { BarsFigure, Figure } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { ablatedRuns, ablationMethods, checkAblation, type AblationMethod } from './patching/ablatedRuns';
import { measuresOf } from './answerMeasures';
import { answerScores, type AnswerScores } from './attribution/answerScores';
import { componentFigure } from './attribution/componentFigure';
import { defineAnalysis } from './define';
import { answeredExamples, exampleParameters } from './examples';
import { allComponents, componentName, componentsOf, type Component } from './heads';
import { answerAxis, type LabelledAxis } from './attribution/logitContrast';
import { ablationLines } from './python/ablation';

// B batch · A answers an example

/** What a model can still do without some of its parts. */
export const ablation = defineAnalysis({
  id: 'ablation',
  title: 'Ablation',
  description: 'Loss and accuracy without some heads or MLPs: each alone, or the chosen ones together (mean ablation: Wang et al. 2022; resampling: Chan et al. 2022).',
  group: 'Interventions',
  params: {
    components: { kind: 'components', title: 'Components', description: 'Heads and MLPs that are taken out together; empty for each one alone.', default: '' },
    method: {
      kind: 'choice', title: 'Replace by', options: ablationMethods, default: 'mean',
      description: 'Zero, their mean over the examples at each position, what they write for another example, or for heads what they write with their mean pattern.',
    },
    examples: exampleParameters.examples,
    sample: exampleParameters.sample,
  },
  scalars: {
    loss: 'mean loss without the chosen components, in nats (squared where answers are numbers); with none chosen, without the one whose absence costs most',
    accuracy: 'fraction of answers that are right without them',
    lossBefore: 'mean loss of the whole model',
    accuracyBefore: 'fraction of answers that the whole model has right',
    lossIncrease: 'loss less lossBefore',
  },
  needsAnswers: true,
  appliesTo: () => true,
  python: (context, { method, ...chosen }) => ablationLines(context, methodOf(method), chosen),
  async run(context, { components, method: chosenMethod, ...wanted }) {
    const { details: { config }, task, signal, progress } = context;
    const method = methodOf(chosenMethod);
    const chosen = componentsOf(config, components);
    checkAblation(method, chosen, wanted.examples);
    const { tokens, answers, title } = answeredExamples(context, { ...wanted, prompt: '' });
    const { whole, without } = await ablatedRuns(context, tokens, method);
    const before = answerScores(whole, answers, task);
    const single = allComponents(config).filter(({ head }) => method !== 'mean pattern' || head !== undefined).map(component => [component]);
    const sets = chosen.length > 0 ? [chosen] : single;

    const results: Result[] = [];
    let changed = false;
    for (const set of sets) {
      throwIfCancelled(signal);
      const logits = await without(set);
      changed ||= differ(whole, logits);
      results.push({ set, scores: answerScores(logits, answers, task) });
      progress(results.length / sets.length);
    }
    if (!changed) {
      const what = chosen.length > 0 ? namesOf(chosen) : 'any component';
      throw new UserError(`Replacing ${what} (${method}) changes no logit where an answer is read; choose other components, or another method.`);
    }
    const worst = results.reduce((most, candidate) => (candidate.scores.loss > most.scores.loss ? candidate : most));
    const how = `(${method}) ${title}`;
    return {
      figures: chosen.length > 0 ? togetherFigures(task, chosen, how, before, worst.scores) : aloneFigures(task, how, before, results),
      scalars: {
        loss: worst.scores.loss, accuracy: worst.scores.accuracy,
        lossBefore: before.loss, accuracyBefore: before.accuracy, lossIncrease: worst.scores.loss - before.loss,
      },
    };
  },
});

/** A title names no more components than these. */
const mostNamed = 3;

interface Result {
  readonly set: readonly Component[];
  readonly scores: AnswerScores;
}

/** The chosen components together: each answer before and after. */
function togetherFigures(task: Task, chosen: readonly Component[], how: string, before: AnswerScores, after: AnswerScores): Figure[] {
  const x = allAnswers(task);
  const measures = measuresOf(task);
  const without = chosen.length <= mostNamed ? namesOf(chosen) : `${chosen.length} components`;
  const figure = (title: string, scalar: string, quantity: string, whole: readonly number[], rest: readonly number[]): BarsFigure => ({
    kind: 'bars', title: `${title} without ${without} ${how}`, scalar, x,
    caption: `Mean over the examples, of the whole model and without ${namesOf(chosen)}.`, y: { title: quantity },
    series: [{ name: 'whole model', values: Float64Array.from(whole) }, { name: 'without', values: Float64Array.from(rest) }],
  });
  return [
    figure('Loss', 'loss', measures.loss, before.losses, after.losses),
    figure('Accuracy', 'accuracy', measures.right, before.accuracies, after.accuracies),
  ];
}

/** Each component alone: what its absence does to each answer. */
function aloneFigures(task: Task, how: string, before: AnswerScores, results: readonly Result[]): Figure[] {
  const components = results.flatMap(({ set }) => set.map(component => ({ name: componentName(component), subject: subjectOf(component) })));
  const shared = { components, answers: allAnswers(task) };
  const { lossIncrease, lossUnit, right } = measuresOf(task);
  return [
    componentFigure({
      ...shared, title: `Loss increase without each component alone ${how}`, scalar: 'lossIncrease', scale: 'diverging', quantity: lossIncrease,
      caption: `How much the mean loss grows, from ${before.loss.toPrecision(3)} ${lossUnit} in all, for each position where an answer is read.`,
      values: results.map(({ scores }) => scores.losses.map((loss, answer) => loss - (before.losses[answer] ?? 0))),
    }),
    componentFigure({
      ...shared, title: `Accuracy without each component alone ${how}`, scalar: 'accuracy', scale: 'sequential', quantity: right,
      caption: `Fraction of answers that are right, for each position where one is read; the whole model has ${before.accuracy.toPrecision(3)}.`,
      values: results.map(({ scores }) => scores.accuracies),
    }),
  ];
}

function allAnswers(task: Task): LabelledAxis {
  return answerAxis(task, task.answerPositions.map((_, answer) => answer));
}

function subjectOf({ layer, head }: Component) {
  return head === undefined ? { layer } : { layer, head };
}

function namesOf(components: readonly Component[]): string {
  return components.map(componentName).join(', ');
}

/** Whether any logit differs by more than float32's rounding. */
function differ({ data: a }: HostTensor<'float32'>, { data: b }: HostTensor<'float32'>): boolean {
  return a.some((value, at) => Math.abs(value - (b[at] ?? 0)) > 1e-6 * Math.max(1, Math.abs(value)));
}

function methodOf(text: string): AblationMethod {
  const method = ablationMethods.find(candidate => candidate === text);
  if (!method) throw new Error(`there is no ablation method "${text}"`);
  return method;
}
