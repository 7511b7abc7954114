import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { normalize, unembed } from '../model/layers';
import { asFloat32 } from '../model/runnable';
import { forward } from '../model/transformer';
import type { ModelConfig } from '../protocol/config';
import type { Axis, LinesFigure } from '../protocol/figure';
import { defineAnalysis } from './define';
import { answeredExamples, chosenAnswers, exampleParameters } from './examples';
import { answerNames, atAnswers, contrastInputs, contrastName, contrastOver, contrastParameters, mean, meansOverExamples, weighted } from './logitContrast';

// B batch · T positions · A answers an example · S stages of the residual stream · D d_model · U d_vocab_out

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
    const { details: { config }, model, task } = context;
    const { tokens, answers, title } = answeredExamples(context, wanted);
    model.checkTokens(tokens);
    const chosen = chosenAnswers(task, answer);
    const [B = 0, A = 0] = answers.shape;
    const stages = stagesOf(config);

    const outputs = await model.compute('logit lens', (weights, tokens, answers, words, shares) => {
      if (!tokens || !answers || !words || !shares) throw new Error('the logit lens takes tokens and what is measured');
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
      const contrast = contrastOver(logits, answers, words, shares);
      const right = tf.oneHot(answers, config.d_vocab_out, 1, 0, 'float32');
      return stages.flatMap(({ hook }) => {
        const residual = residuals.get(hook);
        if (!residual) throw new Error(`the forward pass did not meet ${hook}`);
        const read = unembed(config, normalize(config, 'ln_final', residual, weights, (_, value) => value), weights);
        return [weighted(contrast, read), weighted(right, tf.softmax(read))]; // [B, A] each
      });
    }, [tokens, ...contrastInputs(task, answers, { against, word })]);

    const means = outputs.map(output => meansOverExamples(asFloat32(output).data, B, A, chosen)); // by stage, measure and answer
    const [measured, probabilities] = [means.filter((_, at) => at % 2 === 0), means.filter((_, at) => at % 2 === 1)];
    const names = answerNames(task, chosen);
    const x: Axis = { title: 'Residual stream', labels: stages.map(({ label }) => label), subjects: stages.map(({ layer }) => ({ layer })) };
    const figure = (rest: Pick<LinesFigure, 'title' | 'caption' | 'y' | 'scalar'>, values: readonly (readonly number[])[]): LinesFigure => ({
      kind: 'lines', ...rest, x,
      series: names.map((name, at) => ({
        name, x: Float64Array.from(stages, (_, stage) => stage), y: Float64Array.from(values, row => row[at] ?? 0),
      })),
    });
    const reading = 'read off the residual stream with the final norm computed anew at each layer; a line for each position where an answer is read';
    const finals = measured.at(-1) ?? [];
    const lastLayer = stages.findIndex(({ label }) => label === `${config.n_layers - 1}_pre`);
    return {
      figures: [
        figure({ title: `Logit lens ${title}`, caption: `Mean of ${contrastName({ against, word })}, ${reading}.`, y: { title: 'Logit' }, scalar: 'final' }, measured),
        figure({ title: `Probability of the right answer ${title}`, caption: `Mean, ${reading}.`, y: { title: 'Probability' }, scalar: 'finalProbability' }, probabilities),
      ],
      scalars: { final: mean(finals), lastLayerGain: mean(finals) - mean(measured[lastLayer] ?? []), finalProbability: mean(probabilities.at(-1) ?? []) },
    };
  },
});

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
