import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scaleFor } from '../../../../src/cli/report/scale';

const labels = (values: number[], logarithmic: boolean, ticks = 6) =>
  scaleFor(values, { logarithmic, range: [0, 100], ticks, nice: true }).ticks.map(tick => tick.label);

describe('a scale', () => {
  test('has round ticks that include both ends', () => {
    expect(labels([0.13, 3.9], false)).toEqual(['0', '1', '2', '3', '4']);
    expect(labels([-0.02, 0.05], false)).toEqual(['−0.02', '0.00', '0.02', '0.04', '0.06']);
    expect(labels([0, 25_000], false, 5)).toEqual(['0', '5000', '10\u202f000', '15\u202f000', '20\u202f000', '25\u202f000']);
  });

  test('in logarithms has powers of ten, skipping some where there are many', () => {
    expect(labels([0.02, 4], true)).toEqual(['0.01', '0.1', '1', '10']);
    expect(labels([1e-12, 1], true, 5)).toEqual(['10⁻¹²', '10⁻⁹', '10⁻⁶', '10⁻³', '1']);
  });

  test('in logarithms has no place for 0 and below', () => {
    const scale = scaleFor([0, -3, 0.1, 10], { logarithmic: true, range: [0, 100], ticks: 5 });
    expect(scale.at(0)).toBeUndefined();
    expect(scale.at(-3)).toBeUndefined();
    expect(scale.at(1)).toBeCloseTo(50, 9);
  });

  test('gives a single value, or none, some room', () => {
    for (const logarithmic of [false, true]) {
      for (const values of [[], [3], [0], [-2]]) {
        const scale = scaleFor(values, { logarithmic, range: [0, 100], ticks: 5, nice: true });
        expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
        for (const tick of scale.ticks) expect(scale.at(tick.value)).toSatisfy(Number.isFinite);
      }
    }
  });

  test.each([0, 4000, -2])('has a single value, as the one step of a model that was not trained, for its only tick: %i', value => {
    const scale = scaleFor([value], { logarithmic: false, range: [0, 100], ticks: 10 });
    expect(scale.ticks).toEqual([{ value, label: String(value).replace('-', '−') }]);
    expect(scale.at(value)).toBeCloseTo(50, 9);
  });

  test('whatever its values, draws them in order inside its range', () => {
    const value = fc.double({ min: -1e12, max: 1e12, noNaN: true }).filter(x => x === 0 || Math.abs(x) > 1e-12);
    fc.assert(fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), fc.boolean(), fc.boolean(), (values, logarithmic, nice) => {
      const scale = scaleFor(values, { logarithmic, range: [0, 100], ticks: 6, nice });
      expect(scale.ticks.length).toBeLessThan(20);
      let before = -Infinity;
      for (const x of [...values].sort((a, b) => a - b)) {
        const at = scale.at(x);
        if (at === undefined) continue;
        expect(at).toBeGreaterThanOrEqual(Math.max(before, -1e-6));
        expect(at).toBeLessThanOrEqual(100 + 1e-6);
        before = at - 1e-9;
      }
    }), { examples: [[[-241731449999.25183, -241731449999.2517], false, true]] });
  });
});
