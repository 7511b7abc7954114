import { UserError } from '../common/errors';
import { allowedAttention } from '../model/mask';
import type { ModelConfig } from '../protocol/config';
import type { HeatmapFigure } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { positionNames } from '../tasks/words';
import { testExamples } from '../training/evaluate';
import { defineAnalysis } from './define';
import { allHeads, componentName } from './heads';
import { inputPositions } from './numberInputs';
import { everyPattern } from './patterns';
import { leakLines } from './python/patterns';

// T positions · N heads of all layers

/**
 * Whether attention reaches where it should not, measured of the patterns themselves. To what the model's own mask forbids it is
 * 0 by construction, as scores are -Infinity there: anything else shows that the mask does not hold. With `inputs` it is a
 * measurement of the model: whether answers look at inputs that the mask allows.
 */
export const attentionLeak = defineAnalysis({
  id: 'attention-leak',
  title: 'Attention leak',
  description: 'How much attention every head pays to sources that the mask forbids, which is 0 where the mask holds, and if you wish to the inputs where an answer is read, which the mask may allow.',
  group: 'Attention',
  params: {
    inputs: {
      kind: 'boolean', title: 'Forbid the inputs to answers', default: false,
      description: 'Whether the inputs too are forbidden sources where an answer is read: without attention to them, it comes from elsewhere.',
    },
  },
  scalars: {
    leak: 'largest attention on forbidden sources together, of any head from any destination in any test example',
    meanLeak: 'mean over the test examples of the attention on forbidden sources together, of the head and destination where that is largest',
  },
  needs: 'a mask that forbids some source',
  appliesTo: ({ config }) => allowedAttention(config, config.mask?.length ?? Math.min(config.n_ctx, 2)).includes(0),
  python({ details: { config, experiment }, task, index }, { inputs }) {
    return leakLines(testExamples(experiment, task).tokens, forbiddenSources(config, task, inputs), index === 0);
  },
  async run(context, { inputs }) {
    const { details: { config, experiment }, task } = context;
    const forbidden = forbiddenSources(config, task, inputs);
    const { tokens } = testExamples(experiment, task);
    const [B = 0, T = 0] = tokens.shape;
    const heads = allHeads(config);
    const [largest, mean] = [new Float64Array(heads.length * T), new Float64Array(heads.length * T)]; // [N, T]
    await everyPattern(context, tokens, (pattern, layer, head) => {
      forbidden.forEach((sources, destination) => {
        const leak = sources.reduce((sum, source) => sum + (pattern[destination * T + source] ?? 0), 0);
        const at = (layer * config.n_heads + head) * T + destination;
        largest[at] = Math.max(largest[at] ?? 0, leak);
        mean[at] = (mean[at] ?? 0) + leak / B;
      });
    });
    const positions = positionNames(task);
    const figure = (title: string, scalar: string, values: Float64Array): HeatmapFigure => ({
      kind: 'heatmap', title: `${title} attention on forbidden sources`, scalar,
      caption: `Of ${B.toLocaleString('en')} test examples. Forbidden is what the mask forbids${inputs ? ', and the inputs where an answer is read' : ''}; a destination with nothing forbidden has no value.`,
      x: { title: 'Destination', labels: positions, subjects: positions.map((_, position) => ({ position })) },
      y: { title: 'Head', labels: heads.map(componentName), subjects: heads },
      rows: heads.length, columns: T, values: Float32Array.from(values),
      present: Uint8Array.from(values, (_, at) => Number(forbidden[at % T]?.length !== 0)),
      scale: 'sequential', reach: 1, unit: 'attention weight',
    });
    return {
      figures: [figure('Largest', 'leak', largest), figure('Mean', 'meanLeak', mean)],
      scalars: { leak: Math.max(...largest), meanLeak: Math.max(...mean) },
    };
  },
});

/** For each destination the sources that it should not look at. @throws UserError where inputs are to be forbidden, and there are none. */
function forbiddenSources(config: ModelConfig, task: Task, forbidInputs: boolean): readonly (readonly number[])[] {
  const T = task.positions.length;
  const allowed = allowedAttention(config, T);
  const inputs = forbidInputs ? inputPositions(task) : [];
  if (forbidInputs && inputs.length === 0) throw new UserError('This task has no numbers for inputs, so that there is nothing to forbid to its answers but what the mask does.');
  return Array.from({ length: T }, (_, destination) => Array.from({ length: T }, (__, source) => source).filter(source =>
    allowed[destination * T + source] === 0 || (task.answerPositions.includes(destination) && inputs.includes(source))));
}
