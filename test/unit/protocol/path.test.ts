import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { axesOf, formatPath, headMatrices, layerMatrices, misfit, modelMatrices, parsePath, pathProblem, type PathFactor } from '../../../src/protocol/path';

const transposed = fc.boolean();
const index = fc.nat({ max: 40 });
const factor: fc.Arbitrary<PathFactor> = fc.oneof(
  fc.record({ matrix: fc.constantFrom(...modelMatrices), transposed }),
  fc.record({ matrix: fc.constantFrom(...headMatrices), layer: index, head: index, transposed }),
  fc.record({ matrix: fc.constantFrom(...layerMatrices), layer: index, transposed }),
);

describe('a path', () => {
  test('is read as it is written in papers', () => {
    expect(parsePath('W_pos · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ')).toEqual([
      { matrix: 'W_pos', transposed: false },
      { matrix: 'QK', layer: 1, head: 0, transposed: false },
      { matrix: 'OV', layer: 0, head: 0, transposed: true },
      { matrix: 'W_E', transposed: true },
    ]);
  });

  test.each([
    'W_E @ OV(0.0) @ W_U', 'W_E*OV(0.0)*W_U', 'W_E OV(0.0) W_U', '  W_E·OV( 0.0 )·W_U ', 'W_E · OV(L0H0) · W_U', 'W_E ·\nOV(0.0) · W_U',
  ])('may be written %j', text => {
    expect(formatPath(parsePath(text))).toBe('W_E · OV(0.0) · W_U');
  });

  test('is transposed with ^T as well', () => {
    expect(formatPath(parsePath('W_Q(0.1)^T W_E^T'))).toBe('W_Q(0.1)ᵀ · W_Eᵀ');
  });

  test('goes through an MLP by its weights', () => {
    expect(formatPath(parsePath('W_E W_in(0) W_out(0) W_U'))).toBe('W_E · W_in(0) · W_out(0) · W_U');
  });

  test('written and read again is the same, wherever its factors fit', () => {
    fc.assert(fc.property(fc.array(factor, { minLength: 1, maxLength: 6 }), factors => {
      if (pathProblem(factors) === undefined) expect(parsePath(formatPath(factors))).toEqual(factors);
      else expect(() => parsePath(formatPath(factors))).toThrow('does not fit');
    }));
  });

  test('of other text is an error for people, never another one', () => {
    fc.assert(fc.property(fc.string(), text => {
      try {
        expect(parsePath(text).length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toMatchObject({ name: 'UserError' });
      }
    }));
  });
});

describe('what cannot be read is named with its place', () => {
  test.each([
    ['', 'The path is empty; write a product such as W_E · OV(0.0) · W_U.'],
    ['W_E · W_X(0.0)', 'Factor 2 of the path, "W_X(0.0)": There is no matrix "W_X"; the nearest are "W_E"'],
    ['W_E · OV', 'Factor 2 of the path, "OV": OV is of a head, written layer.head, as in OV(1.0).'],
    ['OV(1)', 'Factor 1 of the path, "OV(1)": OV is of a head, written layer.head, as in OV(1.0).'],
    ['OV(-1.0)', 'Factor 1 of the path, "OV(-1.0)": OV is of a head'],
    ['W_E(0)', 'Factor 1 of the path, "W_E(0)": the model has one W_E, so write W_E alone.'],
    ['W_E W_in(0.1)', 'Factor 2 of the path, "W_in(0.1)": W_in is of a layer\'s MLP, as in W_in(0).'],
    ['W_E OV(0.0', 'Factor 2 of the path, "OV(0.0", cannot be read; write it as in W_E, OV(1.0) or W_in(0)ᵀ.'],
    ['toString', 'Factor 1 of the path, "toString": There is no matrix "toString"'],
  ])('%j', (text, message) => {
    expect(() => parsePath(text)).toThrow(message);
  });

  test('and so is what does not fit', () => {
    expect(() => parsePath('W_E · OV(0.0) · W_E')).toThrow(
      'Factor 3 of the path does not fit: W_E begins in the vocabulary, but OV(0.0) before it ends in the residual stream.',
    );
  });
});

describe('axes', () => {
  /** The shapes of DESIGN's conventions, with a size of its own for each kind of axis. */
  const sizes = { 'vocabulary': 2, 'positions': 3, 'residual stream': 5, 'head': 7, 'mlp': 11, 'outputs': 13 };
  const expected = { W_E: [2, 5], W_pos: [3, 5], W_U: [5, 13], OV: [5, 5], QK: [5, 5], W_Q: [5, 7], W_K: [5, 7], W_V: [5, 7], W_O: [7, 5], W_in: [5, 11], W_out: [11, 5] };

  test('are those of the matrix, or turned', () => {
    fc.assert(fc.property(factor, one => {
      const shape = axesOf(one).map(axis => sizes[axis]);
      expect(one.transposed ? shape.reverse() : shape).toEqual(expected[one.matrix]);
    }));
  });

  test('meet exactly where the matrices could be multiplied', () => {
    fc.assert(fc.property(factor, factor, (a, b) => {
      expect(misfit(a, b) === undefined).toBe(sizes[axesOf(a)[1]] === sizes[axesOf(b)[0]]);
    }));
  });
});
