import { formatNumber } from '../../common/numbers';
import { layoutTitles, type ModelSource, type ProcessingStep } from '../../protocol/checkpointFile';

const stepWords = {
  'fold-layer-norm': 'LayerNorm folded into the weights',
  'center-writing-weights': 'writing weights centred',
  'center-unembedding': 'unembedding centred',
  'fold-value-biases': 'value biases folded into those of the output',
} satisfies Record<ProcessingStep, string>;

/** Where the weights of a model come from that was not trained here, as the rest of a sentence. */
export function sourceText(source: ModelSource): string {
  if (source.kind === 'file') return `imported from ${source.file}, with weights as ${layoutTitles[source.layout]} has them`;
  const { name, id, checkpoint, steps } = source;
  return `made of ${name} (${id})${checkpoint === undefined ? '' : ` at step ${formatNumber(checkpoint)}`}: ${steps.map(step => stepWords[step]).join(', ')}`;
}
