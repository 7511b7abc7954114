import { describe, expect, test } from 'vitest';
import { fourierBasis } from '../../../../src/analysis/fourier/basis';
import { chosenFrequencies, embeddingPower, keyFrequencies, namedFrequencies, standingOut } from '../../../../src/analysis/fourier/keyFrequencies';
import { UserError } from '../../../../src/common/errors';
import { float32 } from '../../../../src/common/tensor';
import { contextOf } from '../../../support/analyses';
import { prepared } from '../../../support/experiments';
import { randomParameters } from '../../../support/models';

/** A model of modular arithmetic whose embedding holds the waves of some frequencies, and a little noise. */
function modelWith(p: number, amplitudes: Readonly<Record<number, number>>) {
  const { config, model } = contextOfModulus(p);
  const parameters = randomParameters(config);
  const noise = parameters.get('embed.W_E') ?? expect.fail();
  const D = config.d_model;
  parameters.set('embed.W_E', float32(noise.shape, noise.data.map((value, at) => {
    const [n, d] = [Math.floor(at / D), at % D];
    return Object.entries(amplitudes).reduce(
      (sum, [k, amplitude]) => sum + amplitude * Math.cos((2 * Math.PI * Number(k) * n) / p + d * Number(k)), 0.01 * value + 2);
  })));
  return model.withWeights(parameters);
}

function contextOfModulus(p: number) {
  const context = contextOf(prepared({ task: { modulus: p }, model: { d_model: 32, d_head: 16 } }));
  return { config: context.details.config, model: context.model };
}

describe('key frequencies', () => {
  test.each([[13, [2, 5]], [14, [3, 7]], [59, [4, 11, 28]]])('modulo %i are those that the embedding is made of', (p, frequencies) => {
    const model = modelWith(p, Object.fromEntries(frequencies.map(k => [k, 1])));
    expect(keyFrequencies(model, fourierBasis(p))).toEqual(frequencies);
  });

  test('may differ in strength', () => {
    expect(keyFrequencies(modelWith(59, { 3: 1, 9: 0.4, 20: 0.2 }), fourierBasis(59))).toEqual([3, 9, 20]);
  });

  test('are none in a random embedding, whatever the modulus', () => {
    for (const p of [7, 13, 14, 59, 113]) expect(keyFrequencies(contextOfModulus(p).model, fourierBasis(p))).toEqual([]);
  });

  test('hold the whole norm of the embedding together with the constant', () => {
    const { config, model } = contextOfModulus(14);
    const power = embeddingPower(model, fourierBasis(14)).reduce((sum, value) => sum + value, 0);
    const { data } = model.parameter('embed.W_E');
    const D = config.d_model;
    let expected = 0;
    for (let d = 0; d < D; d++) {
      const column = Array.from({ length: 14 }, (_, n) => data[n * D + d] ?? 0);
      const mean = column.reduce((sum, value) => sum + value, 0) / 14;
      expected += column.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    }
    expect(power).toBeCloseTo(expected, 8);
  });

  test('are cut where power falls most steeply', () => {
    expect(standingOut([0.01, 5, 0.02, 4, 0.9, 0.015])).toEqual([2, 4, 5]);
    expect(standingOut([1, 1, 1, 1])).toEqual([]);
    expect(standingOut([0, 0, 3, 0])).toEqual([3]);
    expect(standingOut([0, 0, 0])).toEqual([]);
    expect(standingOut([1])).toEqual([]);
  });

  test('are half of the frequencies at most: one that falls behind does not make the others stand out', () => {
    expect(standingOut([1, 1.1, 0.9, 1, 1, 0.2])).toEqual([]);
    expect(standingOut([1, 0.1, 1, 1, 0.1, 0.1])).toEqual([1, 3, 4]);
    expect(standingOut([1, 0.1, 1])).toEqual([1, 3]);
  });
});

describe('frequencies that are named', () => {
  test('are taken as they are', () => {
    const { model } = contextOfModulus(13);
    expect(chosenFrequencies('5, 2 5', model, 13)).toEqual([2, 5]);
    expect(namedFrequencies('', 13)).toEqual([]);
  });

  test.each(['7', '0', '-1', '2.5', 'five'])('must be there: %s', word => {
    expect(() => namedFrequencies(`1 ${word}`, 13)).toThrow(`There is no frequency "${word}" modulo 13; there are 1 to 6.`);
  });

  test('are wanted where none stands out', () => {
    const { model } = contextOfModulus(13);
    expect(() => chosenFrequencies(' ', model, 13)).toThrow(UserError);
    expect(() => chosenFrequencies(' ', model, 13)).toThrow(/No frequency stands out/);
  });
});
