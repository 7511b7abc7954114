import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import type { CheckpointMeasures } from '../../../src/analysis/fourier/checkpointMeasures';
import { modularTaskOf } from '../../../src/analysis/fourier/modular';
import { measurePairs, pairSetOf, restrictedLoss } from '../../../src/analysis/fourier/pairMeasures';
import { progressFigures } from '../../../src/analysis/fourier/progressFigures';
import { progressMeasures } from '../../../src/analysis/progressMeasures';
import { runAnalysis } from '../../../src/analysis/run';
import { CancelledError, UserError } from '../../../src/common/errors';
import { float32 } from '../../../src/common/tensor';
import type { ParameterValuesByName } from '../../../src/model/parameters';
import type { AnalysisResult } from '../../../src/protocol/analysis';
import type { LinesFigure } from '../../../src/protocol/figure';
import type { MetricsRow } from '../../../src/protocol/model';
import { contextOf, type ContextOptions } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { randomParameters } from '../../support/models';
import { componentsOverRows, giniByDifferences, otherContext } from '../../support/waves';
import { wholePairs } from '../../support/wholePairs';

const steps = [100, 200, 300, 400, 500, 600, 700];
const keys = [2, 5];

/** A model whose embedding has more and more of two waves, from checkpoint to checkpoint. */
function growing(operation: 'add' | 'subtract', p: number, options: ContextOptions = {}): AnalysisContext {
  const experiment = prepared({ task: { operation, modulus: p } });
  const D = experiment.config.d_model;
  const parametersAt = new Map(steps.map((step, index): [number, ParameterValuesByName] => {
    const parameters = randomParameters(experiment.config, index);
    const { shape, data } = parameters.get('embed.W_E') ?? expect.fail();
    parameters.set('embed.W_E', float32(shape, data.map((noise, at) => {
      const [n, d] = [Math.floor(at / D), at % D];
      return keys.reduce((sum, k) => sum + ((index + 0.5) / 4) * Math.cos((2 * Math.PI * k * n) / p + d * k), noise / (3 * index + 1));
    })));
    return [step, parameters];
  }));
  return contextOf(experiment, { parametersAt, ...options });
}

function run(context: AnalysisContext, params: { readonly frequencies?: string } = {}): Promise<AnalysisResult> {
  return runAnalysis(progressMeasures, context, params);
}

function lines({ figures }: AnalysisResult, title: string): LinesFigure {
  const figure = figures.find(each => each.title === title);
  return figure?.kind === 'lines' ? figure : expect.fail(`there is no figure "${title}" among ${figures.map(each => each.title).join(', ')}`);
}

function series(result: AnalysisResult, title: string, name: string): readonly number[] {
  const figure = lines(result, title);
  const { y = [] } = figure.series.find(each => each.name === name) ?? expect.fail(`there is no series "${name}" among ${figure.series.map(each => each.name).join(', ')}`);
  return [...y];
}

/** The mean loss over pairs, in float64, and the similarity of the logits with the cosine of a frequency. */
async function definitionsAt(context: AnalysisContext, step: number) {
  const model = await context.atCheckpoint(step);
  const { p, sign, logits } = await wholePairs({ ...context, model });
  const lossOf = (tokens: Int32Array) => {
    const losses = Array.from({ length: tokens.length / 3 }, (_, at) => {
      const [a = 0, b = 0] = tokens.subarray(3 * at, 3 * at + 2);
      const row = logits[a * p + b] ?? [];
      return Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - (row[(a + sign * b + p) % p] ?? NaN);
    });
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };
  const { train, test: others } = context.task.split?.(context.details.experiment.seed) ?? expect.fail();
  const norm = Math.hypot(...logits.flat());
  const similarity = (k: number) => {
    const cube = logits.flatMap((row, pair) => row.map((_, c) => Math.cos((2 * Math.PI * k * (Math.floor(pair / p) + sign * (pair % p) - c)) / p)));
    return logits.flat().reduce((sum, logit, at) => sum + logit * (cube[at] ?? NaN), 0) / Math.hypot(...cube) / norm;
  };
  const { shape: [, D = 1], data } = model.parameter('embed.W_E');
  const components = componentsOverRows(Array.from({ length: p }, (_, n) => Array.from(data.subarray(n * D, (n + 1) * D))));
  const norms = Array.from({ length: Math.floor(p / 2) }, (_, index) =>
    Math.hypot(...components.filter(({ frequency }) => frequency === index + 1).flatMap(({ values }) => values)));
  const squares = context.details.parameters.flatMap(({ name }) => [...model.parameter(name).data]).reduce((sum, value) => sum + value ** 2, 0);
  return { norm, trainLoss: lossOf(train.tokens.data), testLoss: lossOf(others.tokens.data), similarity, gini: giniByDifferences(norms), squares };
}

describe('progress measures', () => {
  test.each([['add', 13], ['subtract', 14]] as const)('at each checkpoint are those of the definitions: %s modulo %i', async (operation, p) => {
    const context = growing(operation, p);
    const result = await run(context);
    const pairs = pairSetOf(context.details, context.task);
    const others = Array.from({ length: Math.floor(p / 2) }, (_, index) => index + 1).filter(k => !keys.includes(k));
    expect(result.scalars).toMatchObject({ keyCount: 2 });
    for (const figure of result.figures) for (const { x } of figure.kind === 'lines' ? figure.series : []) expect([...x]).toEqual(steps);
    for (const at of [0, 3, 6]) {
      const step = steps[at] ?? NaN;
      const defined = await definitionsAt(context, step);
      const measured = await measurePairs(await context.atCheckpoint(step), pairs, [keys]);
      const shown = (title: string, name: string) => series(result, title, name)[at] ?? NaN;
      const similarities = keys.map(defined.similarity);
      const residual = Math.sqrt(1 - [...keys, ...others].reduce((sum, k) => sum + defined.similarity(k) ** 2, 0));
      const largest = others.map(defined.similarity).reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most));
      expectClose(
        [shown('Losses', 'train'), shown('Losses', 'test'), shown('Losses', 'excluded'), shown('Losses', 'restricted'), shown('Weight norms', 'all'), shown('Sparsity of the embedding', 'embedding')],
        [defined.trainLoss, defined.testLoss, measured.excludedLosses[0] ?? NaN, restrictedLoss(measured, pairs, keys), defined.squares, defined.gini], { relative: 1e-5 });
      expectClose(
        [...keys.map(k => shown('Cosine similarity of the logits', `frequency ${k}`)), shown('Cosine similarity of the logits', 'largest other'), shown('Cosine similarity of the logits', 'residual')],
        [...similarities, largest, residual], { absolute: 1e-5 });
      expectClose(keys.map(k => shown('Cosine coefficients of the logits', `frequency ${k}`) / defined.norm), similarities, { absolute: 1e-5 });
    }
    const last = await definitionsAt(context, 700);
    expect(result.scalars['testLoss']).toBeCloseTo(last.testLoss, 5);
    expect(result.scalars['restrictedRatio']).toBeCloseTo((result.scalars['restrictedLoss'] ?? NaN) / last.testLoss, 5);
    expect(result.scalars['uniformLoss']).toBeCloseTo(Math.log(p), 12);
  });

  test('appear early and sharpen, in the order of steps', async () => {
    const seen: { readonly fraction: number; readonly partial: AnalysisResult | undefined }[] = [];
    const context = growing('add', 13, {});
    const result = await run({ ...context, progress: (fraction, partial) => void seen.push({ fraction, partial: partial?.() }) });
    expect(seen.map(({ fraction }) => fraction)).toEqual(steps.map((_, index) => (index + 1) / 7));
    const shown = seen.map(({ partial }) => (partial ? [...(lines(partial, 'Losses').series[0]?.x ?? [])] : []));
    expect(shown).toEqual([[], [100, 700], [100, 500, 700], [100, 300, 500, 700], [100, 300, 500, 700, 200].sort((a, b) => a - b), [100, 200, 300, 400, 500, 700], steps]);
    // What is known does not change, and figures keep their places.
    expect(seen.at(-1)?.partial?.figures.map(({ title }) => title)).toEqual(result.figures.map(({ title }) => title));
    expect(seen[1]?.partial?.figures.map(({ title }) => title)).toEqual(result.figures.map(({ title }) => title));
    expect(series(seen[1]?.partial ?? expect.fail(), 'Losses', 'test')).toEqual([0, 6].map(at => series(result, 'Losses', 'test')[at]));
  });

  test('begin with the losses that were recorded, before any checkpoint is measured', async () => {
    const metrics = [0, 350, 700].map((step): MetricsRow => ({ step, seconds: step, trainLoss: 2 - step / 400, testLoss: 3 }));
    const context = growing('add', 13, { metrics: [...metrics, { step: 650, seconds: 1, trainLoss: 1 }] });
    const seen: (AnalysisResult | undefined)[] = [];
    const atOnce = run({
      ...context,
      atCheckpoint: step => (seen[0] ? context.atCheckpoint(step) : expect.fail(`read ${step} first`)),
      progress: (_, partial) => void seen.push(partial?.()),
    }, { frequencies: '2 5' });
    const [losses] = (await atOnce).figures;
    expect(seen[0]?.figures.map(({ title }) => title)).toEqual(['Losses']);
    for (const figure of [seen[0]?.figures[0], losses]) {
      const [train, others] = figure?.kind === 'lines' ? figure.series : [];
      expect([[...(train?.x ?? [])], [...(train?.y ?? [])], [...(others?.y ?? [])]]).toEqual([[0, 350, 700], [2, 1.125, 0.25], [3, 3, 3]]);
    }
  });

  test('mark where the phases end in every chart', () => {
    const context = growing('add', 13);
    const at = (step: number): CheckpointMeasures => ({
      step, trainLoss: 1, testLoss: 2, restrictedLoss: 3, excludedLoss: 4, restrictedRatio: 1.5, coefficients: new Float64Array(6).fill(step), similarities: new Float64Array(6), residual: 0.5,
      weightNorms: new Map([['MLP', 3], ['attention', 4]]), gini: 0.25,
    });
    const figures = progressFigures({
      task: modularTaskOf(context.details), keys, recorded: [], measures: [at(1), at(2)], missing: [], phases: { memorisationEnd: 1, circuitFormationEnd: 2 },
    });
    expect(figures).toHaveLength(6);
    for (const figure of figures) {
      expect(figure.kind === 'lines' && figure.marks).toEqual([{ x: 1, label: 'memorisation ends' }, { x: 2, label: 'circuit formation ends' }]);
    }
  });

  test('read the next checkpoint while one is measured, and no other', async () => {
    const context = growing('add', 13);
    const opened: number[] = [];
    const openedAt: number[] = [];
    await run({
      ...context,
      atCheckpoint: step => {
        opened.push(step);
        return context.atCheckpoint(step);
      },
      progress: () => void openedAt.push(opened.length),
    }, { frequencies: '2 5' });
    expect(opened).toEqual([700, 100, 500, 300, 200, 400, 600]);
    expect(openedAt).toEqual([2, 3, 4, 5, 6, 7, 7]);
  });

  test('stop between checkpoints when they are cancelled', async () => {
    const controller = new AbortController();
    const context = growing('add', 13, { signal: controller.signal });
    const opened: number[] = [];
    const cancelled = run({
      ...context,
      atCheckpoint: step => {
        opened.push(step);
        return context.atCheckpoint(step);
      },
      progress: fraction => { if (fraction > 0.4) controller.abort(); },
    });
    await expect(cancelled).rejects.toBeInstanceOf(CancelledError);
    expect(opened.length).toBeLessThanOrEqual(5);
  });

  test('leave out a checkpoint that cannot be read, and say which', async () => {
    const context = growing('add', 13);
    const damaged = (...lost: readonly number[]): AnalysisContext => ({
      ...context, atCheckpoint: step => (lost.includes(step) ? Promise.reject(new UserError(`${step}.safetensors is cut short.`)) : context.atCheckpoint(step)),
    });
    const one = lines(await run(damaged(300)), 'Losses');
    expect(one.caption).toContain('The checkpoint at step 300 could not be read and is left out.');
    expect([...(one.series[0]?.x ?? [])]).toEqual(steps.filter(step => step !== 300));
    expect(lines(await run(damaged(400, 200, 100, 700)), 'Losses').caption).toContain('4 checkpoints, at steps 100, 200, 400, …, could not be read and are left out.');
    await expect(run(damaged(...steps))).rejects.toThrow(new UserError('No checkpoint of modular-arithmetic can be measured. 700.safetensors is cut short.'));
  });

  test('leave out a checkpoint whose weights are no numbers', async () => {
    const context = growing('add', 13);
    const diverged = (await context.atCheckpoint(400)).parameter('embed.W_E').data;
    diverged[3] = NaN;
    expect(lines(await run(context), 'Losses').caption).toContain('step 400 could not be read');
  });

  test('that fail for a defect fail', async () => {
    const context = growing('add', 13);
    await expect(run({ ...context, atCheckpoint: () => Promise.reject(new TypeError('broken')) })).rejects.toThrow(TypeError);
  });

  test('need no key frequency but for the losses without it', async () => {
    const context = growing('subtract', 13);
    const random = context.model.withWeights(randomParameters(context.details.config));
    const untrained: AnalysisContext = { ...context, atCheckpoint: step => (step === 700 ? Promise.resolve(random) : context.atCheckpoint(step)) };
    const result = await run(untrained);
    expect(lines(result, 'Losses').series.map(({ name }) => name)).toEqual(['train', 'test']);
    expect(lines(result, 'Losses').caption).toContain('no frequency stands out in the embedding of the newest weights; name some to see them.');
    expect(lines(result, 'Cosine similarity of the logits').series.map(({ name }) => name)).toEqual(['largest', 'residual']);
    expect(result.scalars).not.toHaveProperty('restrictedLoss');
    expect(result.scalars).not.toHaveProperty('excludedLoss');
    expect(result.scalars).toMatchObject({ keyCount: 0 });
    const named = await run(untrained, { frequencies: '5 2' });
    expect(series(named, 'Losses', 'excluded').slice(0, -1)).toEqual(series(await run(context), 'Losses', 'excluded').slice(0, -1));
    await expect(run(untrained, { frequencies: '9' })).rejects.toThrow('There is no frequency "9" modulo 13; there are 1 to 6.');
  });

  test('need a checkpoint, and a modular task', async () => {
    await expect(run(growing('add', 13, { checkpoints: [] }))).rejects.toThrow(/has no checkpoints/);
    await expect(run(otherContext())).rejects.toThrow(/needs a task of addition or subtraction modulo a number/);
  });

  test('say how it began, by what was recorded', async () => {
    const row = (step: number, trainLoss: number, testLoss?: number): MetricsRow => ({ step, seconds: step, trainLoss, ...(testLoss !== undefined && { testLoss }) });
    const metrics = [row(0, 2.6, 2.5), row(100, 2e-3, 9), row(150, 9e-4), row(200, 1e-5, 12), row(700, 1e-7, 0.1)];
    const { scalars } = await run(growing('add', 13, { metrics }));
    expect(scalars).toMatchObject({ initialLoss: 2.5, testLossAtMemorisation: 12, memorisationGap: 12 - Math.log(13) });
    const { scalars: unrecorded } = await run(growing('add', 13));
    expect(unrecorded).not.toHaveProperty('initialLoss');
    expect(unrecorded).not.toHaveProperty('testLossAtMemorisation');
  });
});
