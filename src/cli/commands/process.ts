import { processModel } from '../../engine/processing';
import { metricTexts } from '../../engine/words/model';
import { sourceText } from '../../engine/words/source';
import type { ProcessingStep } from '../../protocol/checkpointFile';
import { answer } from '../output';
import { withModel, type CommonOptions, type Session } from '../session';

export interface ProcessOptions extends CommonOptions {
  readonly foldLayerNorm?: boolean;
  readonly centerWritingWeights?: boolean;
  readonly centerUnembedding?: boolean;
  readonly foldValueBiases?: boolean;
  readonly name?: string;
  readonly checkpoint?: number;
}

/** `circuits process MODEL`: makes a model of it with processed weights. */
export async function processWeights(session: Session, reference: string, { name, checkpoint, ...options }: ProcessOptions): Promise<void> {
  const asked: Record<ProcessingStep, boolean | undefined> = {
    'fold-layer-norm': options.foldLayerNorm,
    'center-writing-weights': options.centerWritingWeights,
    'center-unembedding': options.centerUnembedding,
    'fold-value-biases': options.foldValueBiases,
  };
  const steps = (Object.keys(asked) as ProcessingStep[]).filter(step => asked[step]);
  await withModel(session, options, reference, async (engine, { id }) => {
    const { id: made } = await processModel(engine, { model: id, steps, ...(name !== undefined && { name }), ...(checkpoint !== undefined && { checkpoint }) }, session.interrupted);
    const { summary: { name: called, path, metrics, source }, config } = await engine.details(made);
    answer(session.output, { id: made, name: called, path, config, source, metrics }, () => [
      `${called} (${made})${source ? `, ${sourceText(source)}` : ''}`,
      ...metricTexts(metrics).map(text => `  ${text}`),
      `  ${path}`,
    ].join('\n'));
  });
}
