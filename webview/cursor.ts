import { Emitter } from '../src/common/event';

export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** The number of cells in each row; rows may differ in length, as the series of a chart do. */
export interface CellSpace {
  readonly rows: number;
  columns(row: number): number;
  /** Rows run down the page beside each other, as the layers of a graph do, so that the arrow keys trade places. */
  readonly turned?: boolean;
}

/**
 * The cell that the reader looks at. Figures over the same rows and columns share one, which is what links their hover.
 * While it is locked the pointer does not move it; the arrow keys do, and the lock goes along.
 */
export class CellCursor {
  private readonly changes = new Emitter<void>();
  readonly onDidChange = this.changes.event;
  private at: Cell | undefined;
  private isLocked = false;
  private locker: unknown;

  get cell(): Cell | undefined {
    return this.at;
  }

  get locked(): boolean {
    return this.isLocked;
  }

  /** Where it was locked: a figure that shares the cursor with others finds out whether it was there. */
  get lockedBy(): unknown {
    return this.isLocked ? this.locker : undefined;
  }

  hover(cell: Cell | undefined): void {
    if (!this.isLocked) this.set(cell, false);
  }

  /** Locks a cell, or unlocks it where it is the one that is locked. */
  toggleLock(cell: Cell | undefined = this.at, by?: unknown): void {
    const isSame = this.at?.row === cell?.row && this.at?.column === cell?.column;
    if (cell) this.set(cell, !(this.isLocked && isSame), by);
  }

  /** Lets go of the cell; says whether there was one. */
  clear(): boolean {
    const had = this.at !== undefined;
    this.set(undefined, false);
    return had;
  }

  moveTo(cell: Cell): void {
    this.set(cell, this.isLocked);
  }

  /** Forgets a cell that is not there any more. */
  fit(space: CellSpace): void {
    if (this.at && (this.at.row >= space.rows || this.at.column >= space.columns(this.at.row))) this.clear();
  }

  private set(cell: Cell | undefined, locked: boolean, by: unknown = this.locker): void {
    if (this.at?.row === cell?.row && this.at?.column === cell?.column && this.isLocked === locked) return;
    this.at = cell;
    this.isLocked = locked;
    this.locker = locked ? by : undefined;
    this.changes.fire();
  }
}

/** Where a key takes a cell: arrows by one, Home and End along the row, Page Up and Page Down along the column. */
export function cellAfterKey(key: string, from: Cell | undefined, { rows, columns, turned }: CellSpace): Cell | undefined {
  if (rows === 0) return undefined;
  const { row, column } = from ?? { row: 0, column: 0 };
  const target = (toRow: number, toColumn: number): Cell | undefined => {
    const within = Math.min(rows - 1, Math.max(0, toRow));
    const count = columns(within);
    return count === 0 ? undefined : { row: within, column: Math.min(count - 1, Math.max(0, toColumn)) };
  };
  // The first key brings the cursor in rather than moving it.
  const step = from ? 1 : 0;
  switch (turned ? turnedKeys[key] ?? key : key) {
    case 'ArrowLeft': return target(row, column - step);
    case 'ArrowRight': return target(row, column + step);
    case 'ArrowUp': return target(row - step, column);
    case 'ArrowDown': return target(row + step, column);
    case 'Home': return target(row, 0);
    case 'End': return target(row, Infinity);
    case 'PageUp': return target(0, column);
    case 'PageDown': return target(Infinity, column);
    default: return undefined;
  }
}

const turnedKeys: Readonly<Record<string, string>> = {
  ArrowLeft: 'ArrowUp', ArrowRight: 'ArrowDown', ArrowUp: 'ArrowLeft', ArrowDown: 'ArrowRight',
};

/**
 * Drives a cursor with the keyboard while `target` has the focus: arrows move, Enter or Space locks, Escape lets go.
 * `moved` is told after each key that did something, for what should be announced.
 */
export function listenForCellKeys(target: HTMLElement, cursor: CellCursor, space: () => CellSpace, moved: () => void): void {
  target.addEventListener('keydown', event => {
    if (event.target !== target || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') cursor.toggleLock(undefined, target);
    else if (event.key === 'Escape') {
      if (!cursor.clear()) return;
    } else {
      const cell = cellAfterKey(event.key, cursor.cell, space());
      if (!cell) return;
      cursor.moveTo(cell);
    }
    event.preventDefault();
    moved();
  });
}
