import type { Figure } from '../protocol/figure';
import { measuresOf } from './answerMeasures';
import { attributeComponents, type Attribution } from './attribution/attribution';
import { componentFigure } from './attribution/componentFigure';
import { defineAnalysis } from './define';
import { answeredExamples, chosenAnswers, exampleParameters } from './examples';
import { attributePaths } from './attribution/headPaths';
import { componentName, headOf, type Head } from './heads';
import { answerAxis, contrastInputs, contrastName, contrastParameters, mean, meansOverExamples } from './attribution/logitContrast';
import { componentLines, pathLines } from './python/attribution';

// B batch · A answers an example

/** By term, then by chosen answer: the mean over the examples. */
type Means = readonly (readonly number[])[];

/** Who writes the answer: the logit of the right answer as a sum over components, and one head's part as a sum over paths. */
export const directLogitAttribution = defineAnalysis({
  id: 'direct-logit-attribution',
  title: 'Direct logit attribution',
  description: 'How much each head, MLP, embedding and bias adds to the logit of the right answer, or to the number predicted, through the residual stream, and one head\'s part by what it reads (Elhage et al. 2021; TransformerLens: logit_attrs).',
  group: 'Attribution',
  params: {
    ...exampleParameters,
    ...contrastParameters,
    head: { kind: 'head', title: 'Head', description: 'The head whose part is divided by paths; empty for the one that adds most.', default: '', otherwise: 'Largest part' },
  },
  scalars: {
    share: 'mean part of the chosen head, divided by the sum over all components of their mean parts; parts against the answer count negative, so that a share can exceed 1 (0 where the sum is 0)',
    largestShare: 'largest such share of any component',
    directTerm: 'part of the chosen head that its values read from the embedding (and positions), as a share of its whole part',
    virtualTerm: 'part of the chosen head that its values read from the one earlier head that gives most, as a share of its whole part (0 in the first layer)',
    error: 'largest difference between the sum of all components and the logits, over examples and all answers',
    pathError: 'largest difference between the sum of the paths and the chosen head, over examples and all answers',
  },
  needsAnswers: true,
  appliesTo: () => true,
  python(context, { answer, against, word, head: _, ...wanted }) {
    const { details: { config }, task, figure: { subject } } = context;
    const { tokens, answers } = answeredExamples(context, wanted);
    const explained = { tokens, answers, chosen: chosenAnswers(task, answer), against, word };
    if (context.index === 0) return componentLines(config, task, explained);
    // The head that adds most, where none was chosen.
    const { layer = 0, head = 0 } = subject ?? {};
    return pathLines(config, task, explained, { layer, head });
  },
  async run(context, { answer, against, word, head, ...wanted }) {
    const { details: { config }, model, task } = context;
    const given = head === '' ? undefined : headOf(config, head);
    const { tokens, answers, title } = answeredExamples(context, wanted);
    model.checkTokens(tokens);
    const answered = chosenAnswers(task, answer);
    const contrast = contrastInputs(task, answers, answered, { against, word });
    const means = ({ terms, values }: Attribution) => {
      const [B = 0, A = 0] = answers.shape;
      return terms.map((_, term) => meansOverExamples(values, B, A, answered, term * B * A));
    };

    const components = await attributeComponents(model, task, tokens, contrast);
    const componentMeans = means(components);
    const chosen = given ?? strongestHead(components, componentMeans);
    const paths = await attributePaths(model, task, tokens, contrast, chosen);
    const pathMeans = means(paths);

    const name = componentName(chosen);
    const what = contrastName(task, { against, word });
    const quantity = measuresOf(task).output;
    const axis = answerAxis(task, answered);
    const held = config.normalization_type === null ? '' : ', with the scale of each norm as it was';
    const positions = config.positional_embedding_type === 'shortformer' ? ' Positions reach queries and keys only, so that they have no part.' : '';
    const figures: Figure[] = [
      componentFigure({
        title: `Direct logit attribution ${title}`, scalar: 'share',
        caption: `Mean part of each component in ${what}${config.biases ? ', b_U aside' : ''}${held}, for each position where an answer is read.${positions}`,
        components: components.terms, answers: axis, values: componentMeans, quantity, scale: 'diverging',
      }),
      componentFigure({
        title: `${name} by what its values read, ${title}`, scalar: 'directTerm', subject: { ...chosen },
        caption: `Mean part of ${name} in ${what}, through each component that its values read; a head's name stands for the virtual head of both.`,
        components: paths.terms, answers: axis, values: pathMeans, quantity, scale: 'diverging',
      }),
    ];

    return { figures, scalars: { ...shareScalars(components, componentMeans, name, paths, pathMeans), error: components.error, pathError: paths.error } };
  },
});

function shareScalars(components: Attribution, componentMeans: Means, head: string, paths: Attribution, pathMeans: Means): Record<string, number> {
  const [shares, pathShares] = [sharesOf(componentMeans), sharesOf(pathMeans)];
  const direct = pathShares.filter((_, at) => paths.terms[at]?.name === 'embedding' || paths.terms[at]?.name === 'positions');
  const virtual = pathShares.filter((_, at) => paths.terms[at]?.subject?.head !== undefined);
  return {
    share: shares[components.terms.findIndex(({ name }) => name === head)] ?? 0,
    largestShare: Math.max(...shares),
    directTerm: direct.reduce((sum, share) => sum + share, 0),
    virtualTerm: virtual.length > 0 ? Math.max(...virtual) : 0,
  };
}

/** Each row's mean as a share of the sum of all rows' means. */
function sharesOf(means: Means): readonly number[] {
  const sum = means.reduce((total, row) => total + mean(row), 0);
  return means.map(row => (sum === 0 ? 0 : mean(row) / sum));
}

function strongestHead({ terms }: Attribution, means: Means): Head {
  const heads = terms.flatMap(({ subject }, at) => {
    const { layer, head } = subject ?? {};
    return layer === undefined || head === undefined ? [] : [{ layer, head, part: mean(means[at] ?? []) }];
  });
  const { layer, head } = heads.reduce((best, candidate) => (candidate.part > best.part ? candidate : best));
  return { layer, head };
}
