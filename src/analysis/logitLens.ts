import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor } from '../common/tensor';
import { normalize, unembed } from '../model/layers';
import { asFloat32 } from '../model/runnable';
import { forward } from '../model/transformer';
import type { ModelConfig } from '../protocol/config';
import type { Axis, LinesFigure } from '../protocol/figure';
import { defineAnalysis, type AnalysisContext } from './define';
import { answeredExamples, chosenAnswers, exampleParameters } from './examples';
import {
  answerAxis, atAnswers, contrastInputs, contrastName, contrastOver, contrastParameters, mean, meansOverExamples, weighted, type ContrastInputs,
} from './attribution/logitContrast';

// B batch · A answers an example · D d_model · U d_vocab_out

/** What the model would answer if it stopped at each layer. */
export const logitLens = defineAnalysis({
  id: 'logit-lens',
  title: 'Logit lens',
  description: 'What the residual stream already says of the right answer at each layer, read with the final norm and the unembedding (nostalgebraist 2020; TransformerLens: accumulated_resid).',
  group: 'Attribution',
  params: { ...exampleParameters, ...contrastParameters },
  scalars: {
    final: 'what is measured at the end of the model: the logit of the right answer, or its difference; mean over examples and chosen answers',
    lastLayerGain: 'how much of it the last layer adds',
    finalProbability: 'probability of the right answer at the end of the model; mean over examples and chosen answers',
  },
  appliesTo: () => true,
  async run(context, { answer, against, word, ...wanted }) {
    const { details: { config }, task } = context;
    const { tokens, answers, title } = answeredExamples(context, wanted);
    const chosen = chosenAnswers(task, answer);
    const [B = 0, A = 0] = answers.shape;
    const stages = stagesOf(config);
    const read = await readStages(context, stages, tokens, contrastInputs(task, answers, chosen, { against, word }));
    const means = (values: readonly HostTensor<'float32'>[]) => values.map(({ data }) => meansOverExamples(data, B, A, chosen));
    const [measured, probabilities] = [means(read.measured), means(read.probabilities)]; // by stage, then by answer

    const x: Axis = { title: 'Residual stream', labels: stages.map(({ label }) => label), subjects: stages.map(({ layer }) => ({ layer })) };
    const figure = (rest: Pick<LinesFigure, 'title' | 'caption' | 'y' | 'scalar'>, values: readonly (readonly number[])[]): LinesFigure => ({
      kind: 'lines', ...rest, x,
      series: answerAxis(task, chosen).labels.map((name, at) => ({
        name, x: Float64Array.from(stages, (_, stage) => stage), y: Float64Array.from(values, row => row[at] ?? 0),
      })),
    });
    const reading = 'read off the residual stream with the final norm computed anew at each layer; a line for each position where an answer is read';
    const final = mean(measured.at(-1) ?? []);
    const beforeLast = measured[stages.findIndex(({ label }) => label === `${config.n_layers - 1}_pre`)] ?? [];
    return {
      figures: [
        figure({ title: `Logit lens ${title}`, caption: `Mean of ${contrastName({ against, word })}, ${reading}.`, y: { title: 'Logit' }, scalar: 'final' }, measured),
        figure({ title: `Probability of the right answer ${title}`, caption: `Mean, ${reading}.`, y: { title: 'Probability' }, scalar: 'finalProbability' }, probabilities),
      ],
      scalars: { final, lastLayerGain: final - mean(beforeLast), finalProbability: mean(probabilities.at(-1) ?? []) },
    };
  },
});

interface StageReadings {
  /** What is measured of the logits at each stage, `[B, A]`. */
  readonly measured: readonly HostTensor<'float32'>[];
  /** The probability of the right answer at each stage, `[B, A]`. */
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
    const right = tf.oneHot(answers, config.d_vocab_out, 1, 0, 'float32');
    const read = stages.map(({ hook }) => {
      const residual = residuals.get(hook);
      if (!residual) throw new Error(`the forward pass did not meet ${hook}`);
      return unembed(config, normalize(config, 'ln_final', residual, weights, (_, value) => value), weights); // [B, A, U]
    });
    return [...read.map(logits => weighted(contrast, logits)), ...read.map(logits => weighted(right, tf.softmax(logits)))];
  }, [tokens, ...contrast]);
  const values = outputs.map(asFloat32);
  return { measured: values.slice(0, stages.length), probabilities: values.slice(stages.length) };
}

interface Stage {
  readonly hook: string;
  readonly label: string;
  readonly layer: number;
}

/** The residual stream before each layer, between attention and MLP where there is one, and at the end, as TransformerLens labels them. */
function stagesOf({ n_layers, attn_only }: ModelConfig): readonly Stage[] {
  const layers = Array.from({ length: n_layers }, (_, layer) => [
    { hook: `blocks.${layer}.hook_resid_pre`, label: `${layer}_pre`, layer },
    ...(attn_only ? [] : [{ hook: `blocks.${layer}.hook_resid_mid`, label: `${layer}_mid`, layer }]),
  ]).flat();
  return [...layers, { hook: `blocks.${n_layers - 1}.hook_resid_post`, label: 'final_post', layer: n_layers - 1 }];
}
