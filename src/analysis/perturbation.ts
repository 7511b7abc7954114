import type { ModelConfig } from '../protocol/config';
import type { TableFigure } from '../protocol/figure';
import { perturbedMatrices, type HeadMatrix } from '../training/perturb';
import { defineAnalysis, knownScalars } from './define';
import { componentName } from './heads';
import { deedOf } from './searchHeads';

/** Which matrices became noise before training, and how far training mended what that did. */
export const perturbation = defineAnalysis({
  id: 'perturbation',
  title: 'Perturbation',
  description: 'Which head matrices were replaced by noise before the first step, the test loss right after that, and what training brought it down to.',
  group: 'Training',
  live: true,
  atCheckpoint: false,
  params: {},
  scalars: {
    lossAfter: 'test loss right after the perturbation, before the first step',
    lossAtEnd: 'test loss when it was measured last',
    recovered: 'lossAtEnd as a share of lossAfter; not measured before a step was trained',
  },
  needs: 'an experiment that perturbs its model ("perturb")',
  appliesTo: ({ experiment }) => experiment.perturb !== undefined,
  python: () => ({ reason: 'it says what the experiment did to the weights before training, and a HookedTransformer does not know where its weights come from' }),
  run({ details: { config, experiment: { perturb, seed } }, metrics }) {
    if (!perturb) throw new Error('the experiment perturbs nothing');
    const losses = metrics.flatMap(({ step, testLoss }) => (testLoss === undefined ? [] : [{ step, testLoss }]));
    const [after, end] = [losses.find(({ step }) => step === 0)?.testLoss, losses.at(-1)];
    const figure: TableFigure = {
      kind: 'table', title: 'Perturbed matrices', scalar: 'recovered',
      caption: [
        `Each was replaced by normal noise of standard deviation ${perturb.scale}.`,
        ...(after === undefined ? [] : [` Test loss right after that: ${after.toPrecision(3)}`, end && end.step > 0 ? `; at step ${end.step}: ${end.testLoss.toPrecision(3)}.` : '; not trained yet.']),
        ...(losses.length === 0 ? [' Not trained yet.'] : []),
      ].join(''),
      columns: ['Matrix', 'Head', ...(config.init_mode === 'bfs' ? ['What the head did'] : [])].map(title => ({ title, numeric: false })),
      rows: perturbedMatrices(config, perturb, seed).map(matrix => rowOf(config, matrix)),
      subjects: perturbedMatrices(config, perturb, seed).map(({ layer, head }) => ({ layer, head })),
    };
    const recovered = after !== undefined && after > 0 && end && end.step > 0 ? end.testLoss / after : undefined;
    return { figures: [figure], scalars: knownScalars({ lossAfter: after, lossAtEnd: end?.testLoss, recovered }) };
  },
});

function rowOf(config: ModelConfig, matrix: HeadMatrix): readonly string[] {
  const name = matrix.parameter.split('.').at(-1) ?? '';
  return [name, componentName(matrix), ...(config.init_mode === 'bfs' ? [deedOf(matrix)] : [])];
}
