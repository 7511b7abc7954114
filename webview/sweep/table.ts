import type { SweepRow } from '../../src/protocol/sweep';
import type { SweepSorting } from '../../src/protocol/sweepPanel';
import { button } from '../controls/toolkit';
import { element, setAttributes, setText } from '../elements';
import { compareCells, nextSorting } from '../figures/sorting';
import { formatInteger } from '../numbers';
import type { SweepColumn } from './columns';
import { hasModel, RunRow } from './row';

/** Rows that the page builds at a time. */
const pageSize = 200;
/** Rows that Page Up and Page Down pass. */
const leap = 10;

export interface SweepTableHost {
  open(row: SweepRow): void;
  sorted(sorting: SweepSorting | undefined): void;
  announce(text: string): void;
}

/** All that the table shows. */
export interface ShownRuns {
  readonly columns: readonly SweepColumn[];
  readonly rows: readonly SweepRow[];
  readonly best: SweepRow | undefined;
  readonly sorting: SweepSorting | undefined;
}

/**
 * The runs of a sweep while they go on, in any order. Rows change in place, and do not move while the pointer or the
 * keyboard is among them. Of very many runs it shows a page at a time.
 */
export class SweepTable {
  private readonly headings = element('tr');
  private readonly body = element('tbody');
  private readonly table = element('table', {},
    element('caption', { class: 'visually-hidden' }, 'Runs. Enter opens the model of a run.'), element('thead', {}, this.headings), this.body);
  private readonly place = element('span');
  private readonly earlier = button({ title: 'Previous', label: 'Previous runs', appearance: 'secondary' }, () => this.turn(-1));
  private readonly later = button({ title: 'Next', label: 'Next runs', appearance: 'secondary' }, () => this.turn(1));
  private readonly pager = element('div', { class: 'sweep-pager', hidden: true }, this.place, this.earlier.element, this.later.element);
  readonly element = element('div', { class: 'data-table sweep-table' },
    element('div', { class: 'table-scroll', role: 'group', 'aria-label': 'Runs' }, this.table), this.pager);
  private shown: ShownRuns = { columns: [], rows: [], best: undefined, sorting: undefined };
  /** Places in `rows`, in the order of the table. */
  private order: readonly number[] = [];
  private readonly built = new Map<number, RunRow>();
  private page = 0;
  private drawing = false;
  /** The row that the Tab key reaches. */
  private stop: number | undefined;

  constructor(private readonly host: SweepTableHost) {
    this.body.addEventListener('keydown', event => this.walk(event));
    this.body.addEventListener('focusin', event => this.stopAt(this.placeOf(event.target)));
    this.body.addEventListener('click', event => {
      if (event.target instanceof Element && event.target.closest('.row-press')) this.open(this.placeOf(event.target));
      else this.focusRow(this.placeOf(event.target));
    });
    this.body.addEventListener('dblclick', event => {
      if (!(event.target instanceof Element && event.target.closest('.row-press'))) this.open(this.placeOf(event.target));
    });
    // Rows that were held in their places go where they belong.
    this.body.addEventListener('mouseleave', () => this.draw());
    this.body.addEventListener('focusout', event => {
      // A row that goes, or moves, loses the focus while it is being drawn.
      if (!this.drawing && !(event.relatedTarget instanceof Node && this.body.contains(event.relatedTarget))) this.draw();
    });
  }

  update(shown: ShownRuns): void {
    const { columns, rows, sorting } = this.shown;
    const rebuilt = columns !== shown.columns;
    this.shown = shown;
    if (rebuilt) {
      this.headings.replaceChildren(...shown.columns.map(column => this.heading(column)));
      this.built.clear();
      this.body.replaceChildren();
    }
    const sameOrder = !rebuilt && rows.length === shown.rows.length && sorting === shown.sorting;
    this.draw(sameOrder && this.isHeld);
  }

  private get isHeld(): boolean {
    return this.body.matches(':hover') || this.body.contains(document.activeElement);
  }

  private heading({ name, title, numeric }: SweepColumn): HTMLElement {
    const sort = element('button', { type: 'button' }, title);
    sort.addEventListener('click', () => {
      const sorting = nextSorting(this.shown.sorting, name);
      this.page = 0;
      this.host.sorted(sorting);
      this.host.announce(sorting ? `Sorted by ${title}, ${sorting.direction}.` : 'In the order of the runs.');
    });
    return element('th', { scope: 'col', class: numeric ? 'numeric' : undefined, title: name === title ? undefined : name }, sort);
  }

  private draw(held = false): void {
    const { columns, rows, best, sorting } = this.shown;
    if (!held) this.order = inOrder(this.shown);
    [...this.headings.children].forEach((heading, at) => {
      setAttributes(heading, { 'aria-sort': columns[at]?.name === sorting?.column ? sorting?.direction : undefined });
    });
    this.page = Math.max(0, Math.min(this.page, Math.ceil(rows.length / pageSize) - 1));
    const start = this.page * pageSize;
    const places = this.order.slice(start, start + pageSize);
    const wanted = places.flatMap(place => {
      const row = rows[place];
      if (!row) return [];
      const made = this.built.get(place) ?? new RunRow(columns);
      this.built.set(place, made);
      made.update(row, row === best);
      return [made];
    });
    this.drawing = true;
    this.arrange(wanted.map(({ element }) => element));
    this.drawing = false;
    const present = new Set(places);
    for (const place of this.built.keys()) if (!present.has(place)) this.built.delete(place);
    this.stopAt(this.stop !== undefined && present.has(this.stop) ? this.stop : places[0]);
    this.pager.hidden = rows.length <= pageSize;
    setText(this.place, `Runs ${formatInteger(start + 1)} to ${formatInteger(start + places.length)} of ${formatInteger(rows.length)}`);
    this.earlier.setEnabled(start > 0);
    this.later.setEnabled(start + pageSize < rows.length);
  }

  /** Puts the rows in order, moving those only that have to; what has the focus keeps it. */
  private arrange(wanted: readonly HTMLElement[]): void {
    const focused = this.body.contains(document.activeElement) ? document.activeElement : undefined;
    let next = this.body.firstElementChild;
    for (const row of wanted) {
      if (row === next) next = next.nextElementSibling;
      else this.body.insertBefore(row, next);
    }
    while (next) {
      const left = next;
      next = next.nextElementSibling;
      left.remove();
    }
    if (focused instanceof HTMLElement && focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  private turn(by: number): void {
    this.page += by;
    this.draw();
    this.element.querySelector('.table-scroll')?.scrollTo({ top: 0 });
    this.host.announce(this.place.textContent);
  }

  private walk(event: KeyboardEvent): void {
    const at = this.order.indexOf(this.stop ?? -1);
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: -1, ArrowDown: 1, PageUp: -leap, PageDown: leap, Home: -Infinity, End: Infinity,
    };
    const step = steps[event.key];
    if (step === undefined || at < 0) return;
    event.preventDefault();
    const target = Math.min(this.order.length - 1, Math.max(0, at + step));
    const page = Math.floor(target / pageSize);
    if (page !== this.page) this.turn(page - this.page);
    this.focusRow(this.order[target]);
  }

  private focusRow(place: number | undefined): void {
    if (place !== undefined) this.built.get(place)?.press.focus();
  }

  private stopAt(place: number | undefined): void {
    this.stop = place;
    for (const [other, row] of this.built) row.press.tabIndex = other === place ? 0 : -1;
  }

  private placeOf(target: EventTarget | null): number | undefined {
    const row = target instanceof Element ? target.closest('tr') : null;
    return row ? [...this.built].find(([, { element }]) => element === row)?.[0] : undefined;
  }

  private open(place: number | undefined): void {
    const row = place === undefined ? undefined : this.shown.rows[place];
    if (row && hasModel(row)) this.host.open(row);
    else if (row) this.host.announce('This run has not begun.');
  }
}

/** Places of the rows in the order that the sorting asks for. */
function inOrder({ columns, rows, sorting }: ShownRuns): readonly number[] {
  const places = rows.map((_, place) => place);
  const column = columns.find(({ name }) => name === sorting?.column);
  if (!sorting || !column) return places;
  const values = rows.map(row => column.value(row));
  return places.sort((a, b) => compareCells(values[a] ?? '', values[b] ?? '', sorting.direction));
}
