import { describe, expect, test } from 'vitest';
import { cellAfterKey, CellCursor, type Cell, type CellSpace } from '../../webview/cursor';

const grid: CellSpace = { rows: 3, columns: () => 4 };
const at = (row: number, column: number): Cell => ({ row, column });

describe('keys', () => {
  test('the first one brings the cursor in', () => expect(cellAfterKey('ArrowDown', undefined, grid)).toEqual(at(0, 0)));
  test.each([
    ['ArrowRight', at(1, 2)], ['ArrowLeft', at(1, 0)], ['ArrowUp', at(0, 1)], ['ArrowDown', at(2, 1)],
    ['Home', at(1, 0)], ['End', at(1, 3)], ['PageUp', at(0, 1)], ['PageDown', at(2, 1)],
  ])('%s moves', (key, cell) => expect(cellAfterKey(key, at(1, 1), grid)).toEqual(cell));
  test('stop at the edges', () => {
    expect(cellAfterKey('ArrowUp', at(0, 0), grid)).toEqual(at(0, 0));
    expect(cellAfterKey('ArrowRight', at(2, 3), grid)).toEqual(at(2, 3));
  });
  test('come back into a row that is shorter', () => {
    expect(cellAfterKey('ArrowDown', at(0, 3), { rows: 2, columns: row => row === 0 ? 4 : 2 })).toEqual(at(1, 1));
  });
  test('trade places where rows run down the page', () => {
    expect(cellAfterKey('ArrowRight', at(0, 1), { ...grid, turned: true })).toEqual(at(1, 1));
    expect(cellAfterKey('ArrowDown', at(0, 1), { ...grid, turned: true })).toEqual(at(0, 2));
  });
  test('others do nothing, and neither does any in an empty space', () => {
    expect(cellAfterKey('a', at(0, 0), grid)).toBeUndefined();
    expect(cellAfterKey('End', undefined, { rows: 0, columns: () => 0 })).toBeUndefined();
    expect(cellAfterKey('End', undefined, { rows: 1, columns: () => 0 })).toBeUndefined();
  });
});

describe('a cursor', () => {
  test('follows the pointer until it is locked', () => {
    const cursor = new CellCursor();
    cursor.hover(at(1, 1));
    cursor.toggleLock(at(1, 1));
    cursor.hover(at(2, 2));
    cursor.hover(undefined);
    expect(cursor.cell).toEqual(at(1, 1));
    cursor.toggleLock(at(2, 2));
    expect([cursor.cell, cursor.locked]).toEqual([at(2, 2), true]);
    cursor.toggleLock(at(2, 2));
    expect([cursor.cell, cursor.locked]).toEqual([at(2, 2), false]);
  });
  test('takes its lock along when the keyboard moves it', () => {
    const cursor = new CellCursor();
    cursor.toggleLock(at(0, 0));
    cursor.moveTo(at(0, 1));
    expect([cursor.cell, cursor.locked]).toEqual([at(0, 1), true]);
  });
  test('tells of changes only', () => {
    const cursor = new CellCursor();
    let changes = 0;
    cursor.onDidChange(() => { changes++; });
    cursor.hover(at(0, 0));
    cursor.hover(at(0, 0));
    cursor.clear();
    cursor.clear();
    cursor.toggleLock();
    expect(changes).toBe(2);
  });
  test('forgets a cell that is gone', () => {
    const cursor = new CellCursor();
    cursor.toggleLock(at(2, 3));
    cursor.fit(grid);
    expect(cursor.cell).toEqual(at(2, 3));
    cursor.fit({ rows: 3, columns: () => 3 });
    expect([cursor.cell, cursor.locked]).toEqual([undefined, false]);
  });
});
