import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { float32, type HostTensor } from '../common/tensor';
import { normalize, unembed } from '../model/layers';
import { asFloat32 } from '../model/runnable';
import { forward } from '../model/transformer';
import type { ModelConfig } from '../protocol/config';
import type { Axis, LinesFigure } from '../protocol/figure';
import { unmet } from './activations';
import { measuresOf } from './answerMeasures';
import { defineAnalysis, type AnalysisContext } from './define';
import { answeredExamples, chosenAnswers, exampleParameters } from './examples';
import {
  answerAxis, atAnswers, contrastInputs, contrastName, contrastOver, contrastParameters, mean, meansOverExamples, weighted, type ContrastInputs,
} from './attribution/logitContrast';
import { lensLines } from './python/attribution';

// B batch · A answers an example · D d_model · U d_vocab_out

/** What the model would answer if it stopped at each layer. */
export const logitLens = defineAnalysis({
  id: 'logit-lens',
  title: 'Logit lens',
  description: 'What the residual stream already says of the right answer at each layer, read with the final norm, or the next where norms stand in the stream, and the unembedding (nostalgebraist 2020; TransformerLens: accumulated_resid).',
  group: 'Attribution',
  params: { ...exampleParameters, ...contrastParameters },
  scalars: {
    final: 'what is measured at the end of the model: the logit of the right answer, or its difference, or the predicted number; mean over examples and chosen answers',
    lastLayerGain: 'how much of it the last layer adds',
    finalProbability: 'probability of the right answer at the end of the model; mean over examples and chosen answers',
    finalError: 'where answers are numbers: squared error of the prediction at the end of the model; mean over examples and chosen answers',
  },
  needsAnswers: true,
  appliesTo: () => true,
  python(context, { answer, against, word, ...wanted }) {
    const { tokens, answers } = answeredExamples(context, wanted);
    return lensLines(context.details.config, context.task, { tokens, answers, chosen: chosenAnswers(context.task, answer), against, word }, context.index === 1);
  },
  async run(context, { answer, against, word, ...wanted }) {
    const { details: { config }, task } = context;
    const { tokens, answers, title } = answeredExamples(context, wanted);
    const chosen = chosenAnswers(task, answer);
    const [B = 0, A = 0] = answers.shape;
    const stages = stagesOf(config);
    const read = await readStages(context, stages, tokens, contrastInputs(task, answers, chosen, { against, word }));
    const means = (values: readonly HostTensor<'float32'>[]) => values.map(({ data }) => meansOverExamples(data, B, A, chosen));
    const measured = means(read.measured); // by stage, then by answer

    const x: Axis = { title: 'Residual stream', labels: stages.map(({ label }) => label), subjects: stages.map(({ layer }) => ({ layer })) };
    const line = (name: string, y: readonly number[]) => ({ name, x: Float64Array.from(y, (_, stage) => stage), y: Float64Array.from(y) });
    const figure = (rest: Pick<LinesFigure, 'title' | 'caption' | 'y' | 'scalar'>, values: readonly (readonly number[])[]): LinesFigure => ({
      kind: 'lines', ...rest, x,
      series: answerAxis(task, chosen).labels.map((name, at) => line(name, values.map(row => row[at] ?? 0))),
    });
    const norm = config.normalization_position === 'after' ? 'norm that comes next' : 'final norm';
    const reading = `read off the residual stream with the ${norm} computed anew at each layer; a line for each position where an answer is read`;
    const final = mean(measured.at(-1) ?? []);
    const beforeLast = measured[stages.findIndex(({ label }) => label === `${config.n_layers - 1}_pre`)] ?? [];
    const lens = figure({ title: `Logit lens ${title}`, caption: `Mean of ${contrastName(task, { against, word })}, ${reading}.`, y: { title: measuresOf(task).output }, scalar: 'final' }, measured);
    const scalars = { final, lastLayerGain: final - mean(beforeLast) };
    if (task.answersAre === 'numbers') {
      const right = meansOverExamples(answers.data, B, A, chosen);
      const truth = lens.series.map(({ name }, at) => line(`${name}: right`, stages.map(() => right[at] ?? 0)));
      const errors = means(read.measured.map(predicted => squaredErrors(predicted, answers)));
      return {
        figures: [
          { ...lens, caption: `${lens.caption ?? ''} Beside it the mean of the right numbers.`, series: [...lens.series, ...truth] },
          figure({ title: `Squared error ${title}`, caption: `Mean, ${reading}.`, y: { title: 'Mean squared error' }, scalar: 'finalError' }, errors),
        ],
        scalars: { ...scalars, finalError: mean(errors.at(-1) ?? []) },
      };
    }
    const probabilities = means(read.probabilities);
    return {
      figures: [
        lens,
        figure({ title: `Probability of the right answer ${title}`, caption: `Mean, ${reading}.`, y: { title: 'Probability' }, scalar: 'finalProbability' }, probabilities),
      ],
      scalars: { ...scalars, finalProbability: mean(probabilities.at(-1) ?? []) },
    };
  },
});

function squaredErrors({ shape, data }: HostTensor<'float32'>, right: HostTensor<'int32'>): HostTensor<'float32'> {
  return float32(shape, data.map((predicted, at) => (predicted - (right.data[at] ?? Number.NaN)) ** 2));
}

interface StageReadings {
  /** What is measured of the logits at each stage, `[B, A]`. */
  readonly measured: readonly HostTensor<'float32'>[];
  /** The probability of the right answer at each stage, `[B, A]`; none where answers are numbers. */
  readonly probabilities: readonly HostTensor<'float32'>[];
}

async function readStages({ model, task }: AnalysisContext, stages: readonly Stage[], tokens: HostTensor<'int32'>, contrast: ContrastInputs): Promise<StageReadings> {
  const { config } = model;
  model.checkTokens(tokens);
  const outputs = await model.compute('logit lens', (weights, tokens, answers, word, shares) => {
    if (!tokens || !answers || !word || !shares) throw new Error('the logit lens takes tokens and what is measured');
    const residuals = new Map<string, Tensor>(); // [B, A, D]
    const logits = forward(config, weights, tokens, {
      hook: (name, value) => {
        const stage = stages.find(({ hook }) => hook === name);
        if (!stage) return value;
        const read = atAnswers(task, value);
        residuals.set(name, read);
        return stage === stages.at(-1) ? read : value;
      },
    }); // [B, A, U]
    const contrast = contrastOver(logits, answers, word, shares);
    const read = stages.map(({ hook, norm }) => {
      const residual = residuals.get(hook) ?? unmet(hook);
      return unembed(config, norm === undefined ? residual : normalize(config, norm, residual, weights, (_, value) => value), weights); // [B, A, U]
    });
    const measured = read.map(logits => weighted(contrast, logits));
    if (task.answersAre === 'numbers') return measured;
    const right = tf.oneHot(answers, config.d_vocab_out, 1, 0, 'float32');
    return [...measured, ...read.map(logits => weighted(right, tf.softmax(logits)))];
  }, [tokens, ...contrast]);
  const values = outputs.map(asFloat32);
  return { measured: values.slice(0, stages.length), probabilities: values.slice(stages.length) };
}

interface Stage {
  readonly hook: string;
  readonly label: string;
  readonly layer: number;
  /** What it goes through before it is unembedded; absent where it was normalized when the layer before ended. */
  readonly norm?: string;
}

/** The residual stream before each layer, between attention and MLP where there is one, and at the end, as TransformerLens labels them. */
function stagesOf({ n_layers, attn_only, normalization_position }: ModelConfig): readonly Stage[] {
  const isPostNorm = normalization_position === 'after';
  const norm = (layer: number, own: 'ln1' | 'ln2') => ({ norm: isPostNorm ? `blocks.${layer}.${own}` : 'ln_final' });
  const layers = Array.from({ length: n_layers }, (_, layer) => [
    { hook: `blocks.${layer}.hook_resid_pre`, label: `${layer}_pre`, layer, ...(!isPostNorm && { norm: 'ln_final' }) },
    ...(attn_only ? [] : [{ hook: `blocks.${layer}.hook_resid_mid`, label: `${layer}_mid`, layer, ...norm(layer, 'ln1') }]),
  ]).flat();
  const last = n_layers - 1;
  return [...layers, { hook: `blocks.${last}.hook_resid_post`, label: 'final_post', layer: last, ...norm(last, attn_only ? 'ln1' : 'ln2') }];
}
