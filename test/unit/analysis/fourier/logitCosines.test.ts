import { Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { allFrequencies, fourierBasis } from '../../../../src/analysis/fourier/basis';
import { approximateLogits, approximationScores, logitCosines, residualFraction } from '../../../../src/analysis/fourier/logitCosines';
import { measurePairs, pairSetOf } from '../../../../src/analysis/fourier/pairMeasures';
import { expectClose } from '../../../support/close';
import { lookupModel, randomModel } from '../../../support/modularModels';
import { definedCosines, wholePairs } from '../../../support/wholePairs';

const cases = [['add', 13, 1], ['subtract', 13, 2], ['add', 14, 2], ['subtract', 14, 1]] as const;

describe('cosines in the logits are those of the definition', () => {
  test.each(cases)('%s modulo %i, %i layers', async (operation, p, n_layers) => {
    for (const context of [randomModel(operation, p, { n_layers }), lookupModel(operation, p, 18.5)]) {
      const pairs = pairSetOf(context.details, context.task);
      const measures = await measurePairs(context.model, pairs);
      const whole = await wholePairs(context);
      const every = definedCosines(whole, allFrequencies(p));
      const cosines = logitCosines(measures, pairs.basis);
      expectClose(cosines.coefficients, every.coefficients, { absolute: 1e-5 * every.norm });
      expectClose(cosines.similarities, every.coefficients.map(value => value / every.norm), { absolute: 1e-5 });
      expectClose([cosines.norm], [every.norm], { relative: 1e-5 });
      for (const frequencies of [allFrequencies(p), [2, 5], [Math.floor(p / 2)]]) {
        const { residual, approximation } = definedCosines(whole, frequencies);
        expectClose([residualFraction(measures, cosines, pairs.basis, frequencies)], [residual], { relative: 1e-5 });
        const byDifference = approximateLogits(cosines, pairs.basis, frequencies);
        expectClose(approximation.map((_, at) => {
          const [pair, c] = [Math.floor(at / p), at % p];
          return byDifference[(Math.floor(pair / p) + whole.sign * (pair % p) - c + 2 * p) % p] ?? NaN;
        }), approximation, { absolute: 1e-5 });
      }
    }
  });
});

describe.each([13, 14])('logits that are made of cosines, modulo %i', p => {
  const basis = fourierBasis(p);
  const of = (amplitudes: Readonly<Record<number, number>>) => new Matrix(Array.from({ length: p }, (_, s) => Array.from({ length: p }, (_, c) =>
    Object.entries(amplitudes).reduce((sum, [k, amplitude]) => sum + amplitude * Math.cos((2 * Math.PI * Number(k) * (s - c)) / p), 0))));

  test('have no residual, however small the rest to be told', () => {
    const logitMeans = of({ 2: 20, 5: 7 });
    const cosines = logitCosines({ logitMeans, spread: 0 }, basis);
    expect(residualFraction({ logitMeans, spread: 0 }, cosines, basis, [2, 5])).toBeLessThan(1e-14);
    const little = { logitMeans, spread: (1e-9 * cosines.norm) ** 2 };
    expect(residualFraction(little, logitCosines(little, basis), basis, [2, 5])).toBeCloseTo(1e-9, 14);
  });

  test('are their own approximation, whose loss keeps its digits', () => {
    const logitMeans = of({ 1: 9, 3: 9, 4: 9 });
    const logits = approximateLogits(logitCosines({ logitMeans, spread: 0 }, basis), basis, [1, 3, 4]);
    const exact = logitMeans.getRow(0).slice(1).reduce((sum, logit) => sum + Math.exp(logit - 27), 0);
    const { loss, accuracy } = approximationScores(logits);
    expect(accuracy).toBe(1);
    expectClose([loss], [Math.log1p(exact)], { relative: 1e-9 });
  });

  test('lose what is said of a pair beside its right answer', () => {
    const logitMeans = of({ 2: 1 });
    const spread = 3 * p * logitMeans.norm('frobenius') ** 2;
    const cosines = logitCosines({ logitMeans, spread }, basis);
    expect(cosines.similarities[1]).toBeCloseTo(0.5, 12);
    expect(residualFraction({ logitMeans, spread }, cosines, basis, [2])).toBeCloseTo(Math.sqrt(3 / 4), 12);
  });

  test('of nothing are similar to nothing', () => {
    const nothing = { logitMeans: Matrix.zeros(p, p), spread: 0 };
    const cosines = logitCosines(nothing, basis);
    expect(Math.max(...cosines.similarities)).toBe(0);
    expect(residualFraction(nothing, cosines, basis, [1])).toBe(1);
    const { loss, accuracy } = approximationScores(approximateLogits(cosines, basis, []));
    expect(loss).toBeCloseTo(Math.log(p), 12);
    expect(accuracy).toBe(0);
  });
});
