import { describe, expect, test } from 'vitest';
import { perturbation } from '../../../src/analysis/perturbation';
import { runAnalysis } from '../../../src/analysis/run';
import type { MetricsRow } from '../../../src/protocol/model';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';

const experiment = prepared({ seed: 3, perturb: { matrices: 2, scale: 0.5 } });

function run(metrics: readonly MetricsRow[], of = experiment) {
  return runAnalysis(perturbation, contextOf(of, { metrics }), {});
}

describe('a perturbation', () => {
  test('is told with its matrices, the loss right after it and the last one', async () => {
    const { figures: [figure], scalars } = await run([
      { step: 0, seconds: 0, trainLoss: 9, testLoss: 8 }, { step: 3, seconds: 1, trainLoss: 4 }, { step: 4, seconds: 1, trainLoss: 3, testLoss: 2 },
    ]);
    expect(scalars).toEqual({ lossAfter: 8, lossAtEnd: 2, recovered: 0.25 });
    expect(figure).toMatchObject({ kind: 'table', caption: expect.stringContaining('right after that: 8.00; at step 4: 2.00.') as string });
    const rows = figure?.kind === 'table' ? figure.rows : [];
    expect(rows).toHaveLength(2);
    for (const [matrix, head, ...others] of rows) {
      expect(matrix).toMatch(/^W_[QKV]$/);
      expect(head).toMatch(/^L0H[01]$/);
      expect(others).toEqual([]);
    }
  });

  test('has not recovered before anything was trained', async () => {
    const untrained = await run([{ step: 0, seconds: 0, testLoss: 8 }]);
    expect(untrained.scalars).toEqual({ lossAfter: 8, lossAtEnd: 8 });
    expect(untrained.figures[0]).toMatchObject({ caption: expect.stringMatching(/right after that: 8\.00; not trained yet\.$/) as string });
    const unmeasured = await run([]);
    expect(unmeasured.scalars).toEqual({});
    expect(unmeasured.figures[0]).toMatchObject({ caption: expect.stringMatching(/0\.5\. Not trained yet\.$/) as string });
  });

  test('is told of models that were perturbed alone', () => {
    expect(perturbation.appliesTo(contextOf(experiment).details)).toBe(true);
    expect(perturbation.appliesTo(contextOf(prepared()).details)).toBe(false);
  });
});
