import { Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import type { Circuit, CircuitAxis } from '../../../../src/analysis/weights/circuit';
import { asideOf, blockFigures, blockScalars, chosenBlock, scoresOf, wholeBlock } from '../../../../src/analysis/weights/circuitScores';
import { UserError } from '../../../../src/common/errors';

function axis(kind: CircuitAxis['kind'], names: readonly string[]): CircuitAxis {
  return { kind, names, total: names.length };
}

function circuitOf(rows: CircuitAxis, columns: CircuitAxis, values: readonly number[][], allowed?: readonly number[]): Circuit {
  const matrix = new Matrix([...values]);
  return { rows, columns, left: matrix, right: undefined, values: matrix, ...(allowed && { allowed: Uint8Array.from(allowed) }) };
}

const positions = ['BOS', '↵ (1)', 'a', '↵ (3)'];
const byPosition = circuitOf(axis('positions', positions), axis('vocabulary', ['x', 'y', 'z']), [
  [9, 9, 9],
  [5, 1, -7],
  [0, 2, 4],
  [3, 3, 6],
]);
const words = circuitOf(axis('vocabulary', ['BOS', 'x', 'y', 'z']), axis('outputs', ['z', 'y', 'x']), [
  [9, 9, 9],
  [1, 2, 3],
  [4, 4, 0],
  [5, -6, 5.5],
]);

describe('a block of a circuit', () => {
  test('pairs the rows and columns that were named in their order', () => {
    const block = chosenBlock(byPosition, { rows: '↵ (3), a, ↵ (1)', columns: 'z y x' }, []);
    expect(block).toEqual({ rows: [3, 2, 1], columns: [2, 1, 0], diagonal: new Map([[3, 2], [2, 1], [1, 0]]) });
    // 6 − 3, 2 − 4 and 5 − 1
    expect(blockScalars(scoresOf(byPosition, block))).toEqual({
      blockDiagonal: 2 / 3,
      blockMean: (6 + 2 + 5) / 3 - (3 + 3 + 4 + 0 - 7 + 1) / 6,
      blockSmallestDiagonal: -2,
      blockLargest: 7,
    });
  });

  test('finds names that have spaces in them among spaces', () => {
    expect(chosenBlock(byPosition, { rows: ' ↵ (3)  a ↵ (1)', columns: '' }, []).rows).toEqual([3, 2, 1]);
  });

  test('knows positions by their numbers too, and tokens by their words alone', () => {
    expect(chosenBlock(byPosition, { rows: '3 1', columns: 'x,y' }, []).rows).toEqual([3, 1]);
    const numbered = circuitOf(axis('vocabulary', ['5', '0', '1']), axis('vocabulary', ['5', '0', '1']), [[1, 2, 3], [4, 5, 6], [7, 8, 9]]);
    expect(chosenBlock(numbered, { rows: '1 0', columns: '0 5' }, [])).toMatchObject({ rows: [2, 1], columns: [1, 0] });
    expect(() => chosenBlock(numbered, { rows: '2', columns: '' }, [])).toThrow(/^There is no token "2"; there are "5", "0", "1"\.$/);
  });

  test('where only one list is given pairs rows with the columns of their names', () => {
    const { rows, columns, diagonal } = chosenBlock(words, { rows: 'z x', columns: '' }, []);
    expect([rows, columns, [...diagonal]]).toEqual([[3, 1], [0, 1, 2], [[3, 0], [1, 2]]]);
  });

  test.each(['  ', ',', ' , ,'])('of the lists "%s", which name nothing, is all of it and is not drawn by itself', nothing => {
    const block = chosenBlock(byPosition, { rows: nothing, columns: nothing }, []);
    expect(block).toEqual(wholeBlock(byPosition, []));
    expect(blockFigures(byPosition, block, { rows: nothing, columns: nothing })).toEqual([]);
    expect(chosenBlock(byPosition, { rows: 'a', columns: nothing }, []).columns).toEqual([0, 1, 2]);
  });

  test('without a diagonal has only a largest entry', () => {
    expect(blockScalars(scoresOf(byPosition, wholeBlock(byPosition, [])))).toEqual({ blockLargest: 9 });
  });

  test('of one pair has no others to compare with', () => {
    const names = { rows: 'a', columns: 'z' };
    const one = chosenBlock(byPosition, names, []);
    expect(scoresOf(byPosition, one)).toEqual({ largest: 4 });
    expect(blockFigures(byPosition, one, names).map(({ scalar }) => scalar)).toEqual(['blockLargest']);
  });

  test.each([
    [{ rows: 'a, ↵ (3)', columns: 'x y z' }, /^The block has 2 rows and 3 columns; its diagonal pairs them one by one, so name as many of each, or leave one empty\.$/],
    [{ rows: '↵ (2)', columns: '' }, /^There is no position "↵"; there are "BOS", "↵ \(1\)", /],
    [{ rows: '↵ (2),', columns: '' }, /^There is no position "↵ \(2\)"; the nearest are "↵ \(1\)", "↵ \(3\)"/],
    [{ rows: '4', columns: '' }, /^There is no position "4"; there are "BOS", /],
  ])('refuses %j', (names, message) => {
    expect(() => chosenBlock(byPosition, names, [])).toThrow(UserError);
    expect(() => chosenBlock(byPosition, names, [])).toThrow(message);
  });
});

describe('a whole circuit', () => {
  test('pairs tokens with outputs by their words, and counts a tie as not the largest', () => {
    const block = wholeBlock(words, []);
    expect([...block.diagonal]).toEqual([[1, 2], [2, 1], [3, 0]]);
    expect(scoresOf(words, block).diagonal).toBeCloseTo(1 / 3, 12);
  });

  test('ignores tokens left aside, as rows and as columns', () => {
    const block = wholeBlock(words, asideOf({ vocabulary: words.rows.names, outputs: words.columns.names }, 'x'));
    expect([block.rows, block.columns]).toEqual([[0, 2, 3], [0, 1]]);
    expect(scoresOf(words, block)).toMatchObject({ diagonal: 1 / 2 });
  });

  test('leaves out the pairs that the mask forbids, and the rows that have no choice', () => {
    const names = axis('positions', ['p', 'q']);
    const masked = circuitOf(names, names, [[1, 100], [3, 2]], [1, 0, 1, 1]);
    expect(scoresOf(masked, wholeBlock(masked, []))).toEqual({ diagonal: 0, mean: 1.5 - 3, smallestDiagonal: -1, largest: 3 });
    const nothing = circuitOf(names, names, [[1, 100], [3, 2]], [0, 0, 0, 0]);
    expect(scoresOf(nothing, wholeBlock(nothing, []))).toEqual({});
  });
});
