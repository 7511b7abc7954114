import { element, setAttributes, setText } from '../elements';
import { formatInteger, formatNumber, formatPrecise } from '../numbers';
import { compareCells, nextSorting, type Sorting } from './sorting';
import type { Column, Table } from './tabulate';

/** Cells that the page builds at most; the CSV has all of them. */
const cellLimit = 20_000;

/** What can be done with the rows of a table. */
export interface RowActions {
  /** By the row's place in the table as it came. */
  isLocked(row: number): boolean;
  isPicked(row: number): boolean;
  toggle(row: number): void;
}

/** A table that sorts by any column, with a header that stays in view. Rows with actions are pressed to lock them. */
export class DataTable {
  private table: Table = { columns: [], rows: [] };
  private sorting: Sorting<number> | undefined;
  private readonly headings = element('tr');
  private readonly body = element('tbody');
  private readonly note = element('p', { class: 'table-note', hidden: true });
  private readonly caption = element('caption', { class: 'visually-hidden' });
  readonly element: HTMLElement;

  constructor(private readonly actions?: RowActions) {
    // Focusable, so that the keyboard can scroll it.
    const scroller = element('div', { class: 'table-scroll', tabindex: 0, role: 'group', 'aria-label': 'Table' },
      element('table', {}, this.caption, element('thead', {}, this.headings), this.body));
    this.element = element('div', { class: 'data-table' }, scroller, this.note);
  }

  /** Shows new rows under the same sorting and scroll position. */
  update(title: string, table: Table): void {
    const sameColumns = JSON.stringify(table.columns) === JSON.stringify(this.table.columns);
    this.table = table;
    setText(this.caption, title);
    if (!sameColumns) {
      this.sorting = undefined;
      this.headings.replaceChildren(...table.columns.map((column, index) => this.heading(column, index)));
    }
    this.drawRows();
  }

  private heading(column: Column, index: number): HTMLElement {
    const sort = element('button', { type: 'button' }, column.title);
    sort.addEventListener('click', () => {
      this.sorting = nextSorting(this.sorting, index);
      this.drawRows();
    });
    return element('th', { scope: 'col', class: column.numeric ? 'numeric' : undefined }, sort);
  }

  /** Marks the rows that are locked or of the picked head. */
  markRows(): void {
    const { actions } = this;
    if (!actions) return;
    for (const row of this.body.rows) {
      const place = Number(row.dataset['place']);
      setAttributes(row, { 'data-locked': actions.isLocked(place), 'data-picked': actions.isPicked(place) });
      const press = row.querySelector('button');
      if (press) setAttributes(press, { 'aria-pressed': String(actions.isLocked(place)), 'aria-current': actions.isPicked(place) ? 'true' : undefined });
    }
  }

  private row(cells: Table['rows'][number], place: number): HTMLElement {
    const { columns } = this.table;
    const { actions } = this;
    const made = element('tr', { 'data-place': place }, ...cells.map((value, index) => {
      const attributes = { class: columns[index]?.numeric ? 'numeric' : undefined };
      const text = typeof value !== 'number' ? value : columns[index]?.precise ? formatPrecise(value) : formatNumber(value);
      if (index > 0) return element('td', attributes, text);
      return element('th', { ...attributes, scope: 'row' }, actions ? element('button', { type: 'button', class: 'row-press' }, text) : text);
    }));
    if (actions) made.addEventListener('click', () => actions.toggle(place));
    return made;
  }

  private drawRows(): void {
    const { columns, rows } = this.table;
    [...this.headings.children].forEach((heading, index) => {
      setAttributes(heading, { 'aria-sort': this.sorting?.column === index ? this.sorting.direction : undefined });
    });
    const most = Math.max(20, Math.floor(cellLimit / Math.max(1, columns.length)));
    const places = new Map(rows.map((row, place) => [row, place]));
    this.body.replaceChildren(...sorted(rows, this.sorting).slice(0, most).map(row => this.row(row, places.get(row) ?? 0)));
    this.markRows();
    this.note.hidden = rows.length <= most;
    setText(this.note, `The first ${formatInteger(most)} of ${formatInteger(rows.length)} rows; the CSV export has all of them.`);
  }
}

/** Sorts stably; empty cells come last either way. */
export function sorted(rows: Table['rows'], sorting: Sorting<number> | undefined): Table['rows'] {
  if (!sorting) return rows;
  const { column, direction } = sorting;
  return [...rows].sort((a, b) => compareCells(a[column] ?? '', b[column] ?? '', direction));
}
