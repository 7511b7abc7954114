import { describe, expect, test } from 'vitest';
import { defineAnalysis, describeAnalysis, type AnalysisContext, type AnalysisDefinition } from '../../../src/analysis/define';
import { analyses, findAnalysis } from '../../../src/analysis/registry';
import { runAnalysis } from '../../../src/analysis/run';
import { CancelledError, UnknownNameError, UserError } from '../../../src/common/errors';
import type { AnalysisResult } from '../../../src/protocol/analysis';
import type { LinesFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';

const line = (...y: number[]): LinesFigure => ({
  kind: 'lines',
  title: 'Loss',
  x: { title: 'x' },
  y: { title: 'y' },
  series: [{ name: 's', x: Float64Array.from(y, (_, index) => index), y: Float64Array.from(y) }],
});

/** An analysis that gives what it is told to. */
const giving = (result: AnalysisResult, changes: Partial<AnalysisDefinition> = {}): AnalysisDefinition =>
  defineAnalysis({
    id: 'test',
    title: 'Test',
    description: '',
    group: 'Training',
    params: {},
    scalars: { size: 'a size' },
    appliesTo: () => true,
    run: () => result,
    ...changes,
  });

const experiment = prepared();

describe('running an analysis', () => {
  test('passes on figures and scalars that are right', async () => {
    const result: AnalysisResult = { figures: [line(1, 2)], scalars: { size: 3 } };
    expect(await runAnalysis(giving(result), contextOf(experiment), {})).toEqual(result);
  });

  test.each<readonly [string, AnalysisResult, RegExp]>([
    ['a figure that holds NaN', { figures: [line(1, Number.NaN)], scalars: {} }, /figure "Loss": "s" holds NaN at 1/],
    ['a scalar that is NaN', { figures: [], scalars: { size: Number.NaN } }, /analysis "test" measured NaN for "size"/],
    [
      'a scalar that is infinite',
      { figures: [], scalars: { size: -Infinity } },
      /analysis "test" measured -Infinity for "size"/,
    ],
    [
      'a scalar that it did not declare',
      { figures: [], scalars: { weight: 1 } },
      /gave the scalar "weight", which it did not declare/,
    ],
    [
      'a scalar of every object',
      { figures: [], scalars: { toString: 1 } },
      /gave the scalar "toString", which it did not declare/,
    ],
  ])('refuses %s', async (_, result, message) => {
    await expect(runAnalysis(giving(result), contextOf(experiment), {})).rejects.toThrow(message);
  });

  test('refuses partial results that are wrong as it does the last one', async () => {
    const partial = giving(
      { figures: [], scalars: {} },
      {
        run: ({ progress }) => {
          progress(0.5, () => ({ figures: [line(Infinity)], scalars: {} }));
          return { figures: [], scalars: {} };
        },
      },
    );
    const shown: AnalysisContext['progress'] = (_, made) => void made?.();
    await expect(runAnalysis(partial, { ...contextOf(experiment), progress: shown }, {})).rejects.toThrow(/holds Infinity/);
  });

  test('passes on progress', async () => {
    const seen: unknown[] = [];
    const partial: AnalysisResult = { figures: [line(1)], scalars: {} };
    const definition = giving(
      { figures: [], scalars: {} },
      {
        run: ({ progress }) => {
          progress(0.25);
          progress(0.5, () => partial);
          return { figures: [], scalars: {} };
        },
      },
    );
    await runAnalysis(definition, { ...contextOf(experiment), progress: (fraction, made) => seen.push([fraction, made?.()]) }, {});
    expect(seen).toEqual([
      [0.25, undefined],
      [0.5, partial],
    ]);
  });

  test('makes no partial result that nobody shows', async () => {
    const unwanted = giving(
      { figures: [], scalars: {} },
      {
        run: ({ progress }) => {
          progress(0.5, () => expect.fail('it was made'));
          return { figures: [], scalars: {} };
        },
      },
    );
    await expect(runAnalysis(unwanted, contextOf(experiment), {})).resolves.toEqual({ figures: [], scalars: {} });
  });

  test('says that the weights are too large where its numbers overflow for that', async () => {
    const context = contextOf(experiment);
    const weights = context.model.parameter('embed.W_E').data;
    const overflowing = () => runAnalysis(giving({ figures: [line(Infinity)], scalars: {} }), context, {});
    weights[0] = 999;
    await expect(overflowing()).rejects.not.toBeInstanceOf(UserError);
    weights[0] = -2e7;
    await expect(overflowing()).rejects.toThrow(
      new UserError(
        'The weights of modular-arithmetic reach 2.0e+7, too large for "test" to compute with; training has probably diverged, and an earlier checkpoint may be whole.',
      ),
    );
  });

  test('says so too where it comes to no result for that, and blames no training for weights that were imported', async () => {
    const context = contextOf(experiment);
    const failing = giving({ figures: [], scalars: {} }, { run: () => { throw new Error('there is no head -1'); } });
    const imported = { kind: 'file' as const, file: 'a.pt', format: 'torch' as const, layout: 'grokking' as const, inferred: [] };
    const foreign = { ...context, details: { ...context.details, summary: { ...context.details.summary, source: imported } } };
    await expect(runAnalysis(failing, foreign, {})).rejects.toThrow(new Error('there is no head -1'));
    context.model.parameter('embed.W_E').data[0] = 1e20;
    await expect(runAnalysis(failing, foreign, {})).rejects.toThrow(new UserError('The weights of modular-arithmetic reach 1.0e+20, too large for "test" to compute with.'));
  });

  test('says when it does not apply to the model, and what it needs', async () => {
    const refusing = { needs: 'a model of two layers at least', appliesTo: () => false };
    const run = runAnalysis(giving({ figures: [], scalars: {} }, refusing), contextOf(experiment), {});
    await expect(run).rejects.toThrow(
      new UserError('The analysis "test" does not apply to modular-arithmetic; it needs a model of two layers at least.'),
    );
  });

  test('that applies to some models alone says what it needs', () => {
    const { details } = contextOf(prepared({ model: { n_layers: 1 } }));
    const picky = analyses.filter(analysis => !analysis.appliesTo(details));
    expect(picky.map(({ id }) => id)).toContain('composition');
    for (const { id, needs } of picky) expect(needs, id).toBeDefined();
  });

  test('ends when it is cancelled, before it starts and when it is done', async () => {
    const controller = new AbortController();
    const during = giving(
      { figures: [], scalars: {} },
      {
        run: () => {
          controller.abort();
          return { figures: [], scalars: {} };
        },
      },
    );
    await expect(runAnalysis(during, contextOf(experiment, { signal: controller.signal }), {})).rejects.toThrow(
      CancelledError,
    );
    await expect(
      runAnalysis(giving({ figures: [], scalars: {} }), contextOf(experiment, { signal: controller.signal }), {}),
    ).rejects.toThrow(CancelledError);
  });
});

describe('the registry', () => {
  test('finds analyses by their ids, which differ', () => {
    for (const analysis of analyses) expect(findAnalysis(analysis.id)).toBe(analysis);
    expect(new Set(analyses.map(analysis => analysis.id)).size).toBe(analyses.length);
  });

  test('names the nearest for one that does not exist', () => {
    expect(() => findAnalysis('attentoin')).toThrow(
      new UnknownNameError('There is no analysis "attentoin"; the nearest are "attention", "attention-leak".', ['attention', 'attention-leak']),
    );
  });

  test('describes an analysis without its functions, so that it can cross to another process', () => {
    for (const analysis of analyses)
      expect(structuredClone(describeAnalysis(analysis))).toMatchObject({
        id: analysis.id,
        title: analysis.title,
        params: analysis.params,
        scalars: analysis.scalars,
      });
  });
});
