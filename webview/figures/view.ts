import type { Event } from '../../src/common/event';
import type { Disposable } from '../../src/common/lifetime';
import type { Figure, FigureKind, Subject } from '../../src/protocol/figure';
import type { MenuItem } from '../controls/menu';
import type { CellCursor } from '../cursor';
import type { HeadName } from '../subjects';
import type { ThemeWatch } from '../theme';
import type { Table } from './tabulate';

export type FigureOf<K extends FigureKind> = Extract<Figure, { kind: K }>;

/** A picture that stands alone: no style sheet, no fonts of its own. */
export interface Picture {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

/** How one figure is drawn. What every figure has beside its drawing (title, summary, table, export) is the frame's. */
export interface FigureView<F extends Figure = Figure> extends Disposable {
  readonly element: HTMLElement;
  /** Controls of its own, shown in the figure's toolbar. */
  readonly tools: readonly HTMLElement[];
  /** Shows new numbers in place: the reader's hover, zoom, scroll and focus stay. */
  update(figure: F): void;
  /** What there is to see, in a sentence or two. */
  summary(): string;
  /** The same numbers as rows, for "Show as Table". */
  table(): Table;
  picture(): Promise<Picture>;
  /** The summary or the table changed by something that the reader did; absent where nothing can. */
  readonly onDidChange?: Event<void>;
}

/** What figures share. */
export interface FigureContext {
  readonly theme: ThemeWatch;
  readonly heads: HeadPick;
  /** The cursor of everything with these rows and columns. */
  cursor(space: string): CellCursor;
  announce(text: string): void;
  /** What a part of the model can be opened in. */
  openings(subject: Subject): readonly MenuItem[];
}

/** The head that is picked, here or anywhere else. */
export interface HeadPick {
  readonly picked: HeadName | undefined;
  readonly onDidChange: Event<void>;
  pick(head: HeadName): void;
}
