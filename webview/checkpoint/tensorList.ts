import { Emitter } from '../../src/common/event';
import { Lifetime, type Disposable } from '../../src/common/lifetime';
import type { TensorSummary } from '../../src/protocol/checkpointFile';
import { textField } from '../controls/toolkit';
import { element, setAttributes, setText } from '../elements';
import { formatInteger } from '../numbers';
import { columnTitles, TensorRow, type Known } from './tensorRow';

/** Pixels of a row, which the style sheet has too. */
const rowHeight = 30;
/** Rows that are built above and below those in sight. */
const ahead = 8;
/** Rows that Page Up and Page Down pass. */
const leap = 10;

export interface TensorListHost {
  known(tensor: string): Known;
  select(tensor: string): void;
  filtered(text: string): void;
  announce(text: string): void;
}

/** The tensors of a file, of which only those in sight are built: a file can hold a hundred thousand. */
export class TensorList implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly sights = this.lifetime.add(new Emitter<readonly string[]>());
  /** Told of the tensors that have come into sight. */
  readonly onDidSee = this.sights.event;
  private readonly filter = textField({ title: 'Filter', description: 'Parts of names, separated by spaces' }, '', { width: 30, placeholder: 'Parts of a name' });
  private readonly count = element('span', { class: 'tensor-count', role: 'status' });
  private readonly above = element('tr', { 'aria-hidden': 'true', class: 'tensor-space' }, element('td', { colspan: columnTitles.length }));
  private readonly below = element('tr', { 'aria-hidden': 'true', class: 'tensor-space' }, element('td', { colspan: columnTitles.length }));
  private readonly body = element('tbody');
  private readonly table = element('table', {},
    element('caption', { class: 'visually-hidden' }, 'Tensors. Arrow keys walk along them, Enter shows one.'),
    element('thead', {}, element('tr', { 'aria-rowindex': 1 }, ...columnTitles.map(title => element('th', { scope: 'col', class: `tensor-${title.toLowerCase()}` }, title)))),
    this.body);
  private readonly scroller = element('div', { class: 'table-scroll', tabindex: -1, role: 'group', 'aria-label': 'Tensors' }, this.table);
  readonly element = element('section', { class: 'tensor-list', 'aria-label': 'Tensors of the file' },
    element('div', { class: 'tensor-filter' }, this.filter.element, this.count),
    element('div', { class: 'data-table' }, this.scroller));
  private tensors: readonly TensorSummary[] = [];
  /** Those that the filter lets through. */
  private listed: readonly TensorSummary[] = [];
  private selected: string | undefined;
  private readonly rows = new Map<number, TensorRow>();
  /** Absent of tensors that nobody was told of. */
  private seen: readonly string[] | undefined;
  /** The place that the Tab key reaches. */
  private stop = 0;

  constructor(private readonly host: TensorListHost) {
    this.filter.onDidInput(() => {
      this.applyFilter();
      host.filtered(this.filter.value);
    });
    this.scroller.addEventListener('scroll', () => this.draw());
    this.scroller.addEventListener('keydown', event => this.walk(event));
    this.body.addEventListener('focusin', event => {
      const place = placeOf(event.target);
      if (place !== undefined) this.stopAt(place);
    });
    this.body.addEventListener('click', event => {
      const place = placeOf(event.target);
      const tensor = place === undefined ? undefined : this.listed[place];
      if (place === undefined || !tensor) return;
      this.rows.get(place)?.press.focus({ preventScroll: true });
      host.select(tensor.name);
    });
    const resizes = new ResizeObserver(() => this.draw());
    resizes.observe(this.scroller);
    this.lifetime.add({ dispose: () => resizes.disconnect() });
  }

  /** Shows other tensors, or the same whose numbers have changed, under this filter. */
  update(tensors: readonly TensorSummary[], filter: string): void {
    this.tensors = tensors;
    this.filter.value = filter;
    this.seen = undefined;
    this.applyFilter();
  }

  /** Marks a tensor as the one that is shown beside the list, and brings it into sight where it is listed. */
  select(tensor: string | undefined): void {
    this.selected = tensor;
    const place = this.listed.findIndex(({ name }) => name === tensor);
    if (place >= 0) {
      this.stop = place;
      this.bringIntoSight(place);
    }
    this.draw();
  }

  /** Something has become known of a tensor. */
  refresh(tensor: string): void {
    for (const [place, row] of this.rows) if (this.listed[place]?.name === tensor) row.update(this.host.known(tensor), tensor === this.selected);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private applyFilter(): void {
    const parts = this.filter.value.toLowerCase().split(/\s+/).filter(part => part !== '');
    const stopped = this.listed[this.stop]?.name;
    this.listed = parts.length === 0 ? this.tensors : this.tensors.filter(({ name }) => parts.every(part => name.toLowerCase().includes(part)));
    this.stop = Math.max(0, this.listed.findIndex(({ name }) => name === stopped));
    this.rows.clear();
    this.body.replaceChildren(this.above, this.below);
    setAttributes(this.table, { 'aria-rowcount': this.listed.length + 1 });
    const all = formatInteger(this.tensors.length);
    setText(this.count, parts.length === 0 ? `${all} ${this.tensors.length === 1 ? 'tensor' : 'tensors'}` : `${formatInteger(this.listed.length)} of ${all}`);
    // The list is as high as it will be before it is found out what is in sight.
    setHeight(this.above, 0);
    setHeight(this.below, this.listed.length * rowHeight);
    this.draw();
  }

  /** Builds the rows in sight and takes down the others, which keep their room. */
  private draw(): void {
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.min(this.listed.length, Math.floor(scrollTop / rowHeight) - ahead));
    const end = Math.min(this.listed.length, Math.ceil((scrollTop + clientHeight) / rowHeight) + ahead);
    const focused = placeOf(document.activeElement);
    for (const [place, row] of this.rows) {
      if (place >= first && place < end) continue;
      // Keys go on from here though the row itself has gone out of sight.
      if (place === focused) this.scroller.focus({ preventScroll: true });
      row.element.remove();
      this.rows.delete(place);
    }
    let before: Element = this.above;
    for (let place = first; place < end; place++) {
      const tensor = this.listed[place];
      if (!tensor) continue;
      const row = this.rows.get(place) ?? new TensorRow(tensor, place);
      this.rows.set(place, row);
      row.update(this.host.known(tensor.name), tensor.name === this.selected);
      if (before.nextElementSibling !== row.element) before.after(row.element);
      before = row.element;
    }
    setHeight(this.above, first * rowHeight);
    setHeight(this.below, (this.listed.length - end) * rowHeight);
    this.stopAt(this.stop);
    const inSight = this.listed.slice(Math.floor(scrollTop / rowHeight), Math.ceil((scrollTop + clientHeight) / rowHeight)).map(({ name }) => name);
    const { seen } = this;
    if (inSight.length === seen?.length && inSight.every((name, at) => name === seen[at])) return;
    this.seen = inSight;
    this.sights.fire(inSight);
  }

  private walk(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1, PageUp: -leap, PageDown: leap, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey || this.listed.length === 0) return;
    event.preventDefault();
    const place = Math.min(this.listed.length - 1, Math.max(0, this.stop + step));
    this.stopAt(place);
    this.bringIntoSight(place);
    this.draw();
    this.rows.get(place)?.press.focus({ preventScroll: true });
  }

  private bringIntoSight(place: number): void {
    const heading = this.table.tHead?.offsetHeight ?? 0;
    const room = this.scroller.clientHeight - heading;
    const [top, bottom] = [place * rowHeight, (place + 1) * rowHeight];
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    else if (bottom > this.scroller.scrollTop + room) this.scroller.scrollTop = bottom - room;
  }

  private stopAt(place: number): void {
    this.stop = place;
    // Where its row is out of sight, the first that is in sight brings the Tab key in.
    const reached = this.rows.has(place) ? place : Math.min(...this.rows.keys());
    for (const [other, { press }] of this.rows) press.tabIndex = other === reached ? 0 : -1;
  }
}

function placeOf(target: EventTarget | null): number | undefined {
  const row = target instanceof Element ? target.closest<HTMLElement>('.tensor-list tbody tr[data-place]') : null;
  return row ? Number(row.dataset['place']) : undefined;
}

function setHeight(space: HTMLTableRowElement, height: number): void {
  space.hidden = height === 0;
  if (space.firstElementChild instanceof HTMLElement) space.firstElementChild.style.height = `${height}px`;
}
