import { describe, expect, test } from 'vitest';
import { analyses } from '../../../src/analysis/registry';
import { runAnalysis } from '../../../src/analysis/run';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';

/** Encoders for shortest paths: pairs of tokens, padding, norms after the sublayers, and a number for an answer. */
const shapes = {
  'the study\'s encoder': { normalization_type: 'LN', positional_embedding_type: 'none' },
  'one with positions': { normalization_type: 'LN', positional_embedding_type: 'standard' },
  'attention alone': { normalization_type: 'LN', attn_only: true, d_mlp: undefined },
  'norms without weights': { normalization_type: 'RMSPre', positional_embedding_type: 'none' },
} as const;

const encoder = (model: object) => prepared({
  task: { name: 'shortest-paths', vertices: 5, largest: 5, modulus: undefined, trainFraction: undefined },
  model: { n_layers: 3, attention_dir: 'bidirectional', normalization_position: 'after', ...model },
  training: { batch: 16, evaluationExamples: 64 },
});

/** Rows of training, as the loop writes them. */
const metrics = [1, 2, 3].map(step => ({ step, seconds: step, trainLoss: 4 / step, testLoss: 5 / step, testAccuracy: 0.2 * step, testExactMatch: 0.2 * step }));

describe.each(Object.entries(shapes))('of %s', (_, shape) => {
  const experiment = encoder(shape);
  const context = () => contextOf(experiment, { metrics, checkpoints: [1, 2, 3] });
  const applicable = analyses.filter(analysis => analysis.appliesTo(context().details));

  test.each(applicable.map(analysis => [analysis.id, analysis] as const))('%s gives figures of finite numbers', async (_, analysis) => {
    const { figures, scalars } = await runAnalysis(analysis, context(), {});
    expect(figures.length).toBeGreaterThan(0);
    expect(Object.keys(scalars).length).toBeGreaterThan(0);
  });
});
