import { Lifetime, type Disposable } from '../../src/common/lifetime';
import type { Figure } from '../../src/protocol/figure';
import { exportFormats, type ExportFormat } from '../../src/protocol/panel';
import { menuButton } from '../controls/menu';
import { button } from '../controls/toolkit';
import { element, setText, uniqueId } from '../elements';
import { fileContent } from '../export/file';
import { DataTable } from './dataTable';
import { render } from './renderers';
import type { FigureContext, FigureView } from './view';

/** What the reader can do with a figure. */
export interface FrameActions {
  save(figure: FigureFrame, format: ExportFormat): void;
  /** Whether there is a number that a claim could assert. */
  canClaim(figure: FigureFrame): boolean;
  claim(figure: FigureFrame): void;
  /** Whether it is a figure of the model itself, which code could compute. */
  canCode(figure: FigureFrame): boolean;
  code(figure: FigureFrame): void;
}

/** A figure, and what it is of where it stands beside that of another model or checkpoint. */
export interface FramedFigure {
  readonly figure: Figure;
  readonly of?: string;
  /** Whether its controls are called by what it is of too: it is the second of two with one title. */
  readonly apart?: boolean;
}

/** What every figure has around its drawing: title, caption, summary, the numbers as a table, and export. */
export class FigureFrame implements Disposable {
  readonly element: HTMLElement;
  private readonly lifetime = new Lifetime();
  private readonly view: FigureView;
  private readonly of = element('p', { class: 'figure-of', id: uniqueId('of') });
  private readonly title = element('h2', { id: uniqueId('figure') });
  private readonly caption = element('p', { class: 'caption' });
  private readonly summary = element('p', { class: 'summary', id: uniqueId('summary') });
  private readonly tableSlot = element('div', { class: 'figure-table', hidden: true });
  private table: DataTable | undefined;
  private showsTable = false;

  constructor(private framed: FramedFigure, context: FigureContext, private readonly actions: FrameActions) {
    const { figure: shown, of = '', apart = false } = framed;
    this.view = this.lifetime.add(render(shown.kind, shown, context));
    const { kind } = shown;
    const title = apart ? `${shown.title}, ${of}` : shown.title;
    const asTable = button({ title: 'Table', label: `Show as table: ${title}`, appearance: 'quiet' }, () => {
      this.showsTable = !this.showsTable;
      this.tableSlot.hidden = !this.showsTable;
      this.view.element.hidden = this.showsTable;
      asTable.setPressed(this.showsTable);
      this.drawTable();
    });
    asTable.setPressed(false);
    const menu = menuButton('Export', `Export: ${title}`, () => [
      ...exportFormats.map(format => ({ title: format.toUpperCase(), activate: () => this.actions.save(this, format) })),
      ...(this.actions.canClaim(this) ? [{ title: 'Copy as claim', activate: () => this.actions.claim(this) }] : []),
      ...(this.actions.canCode(this) ? [{ title: 'Copy as TransformerLens code', activate: () => this.actions.code(this) }] : []),
    ]);
    this.element = element('section', {
      class: `figure figure-${kind}`, 'aria-labelledby': `${this.title.id} ${this.of.id}`, 'aria-describedby': this.summary.id,
    },
    this.of, element('div', { class: 'figure-heading' },
      this.title, element('div', { class: 'figure-tools' }, ...this.view.tools, kind === 'table' ? undefined : asTable.element, menu)),
    this.caption, this.view.element, this.tableSlot, this.summary);
    if (this.view.onDidChange) this.lifetime.add(this.view.onDidChange(() => this.describe()));
    this.describe();
  }

  get figure(): Figure {
    return this.framed.figure;
  }

  /** What to call it: its title, and what it is of. */
  get name(): string {
    const { figure, of } = this.framed;
    return of === undefined ? figure.title : `${figure.title}, ${of}`;
  }

  /** Shows new numbers in place; only a figure of the same kind fits. */
  update(next: FramedFigure): boolean {
    const { figure, of, apart = false } = this.framed;
    if (next.figure.kind !== figure.kind || apart !== (next.apart ?? false) || (apart && next.of !== of)) return false;
    this.framed = next;
    this.view.update(next.figure);
    this.describe();
    return true;
  }

  content(format: ExportFormat): Promise<string | Uint8Array> {
    return fileContent(this.figure, format, () => this.view.picture());
  }

  dispose(): void {
    this.lifetime.dispose();
    this.element.remove();
  }

  private describe(): void {
    const { figure, of } = this.framed;
    this.element.classList.toggle('figure-wide', isWide(figure));
    this.element.classList.toggle('figure-compact', isCompact(figure));
    setText(this.of, of ?? '');
    this.of.hidden = of === undefined;
    setText(this.title, figure.title);
    setText(this.caption, figure.caption ?? '');
    this.caption.hidden = figure.caption === undefined;
    setText(this.summary, this.view.summary());
    this.drawTable();
  }

  private drawTable(): void {
    if (!this.showsTable) return;
    if (!this.table) {
      this.table = new DataTable();
      this.tableSlot.append(this.table.element);
    }
    this.table.update(this.name, this.view.table());
  }
}

/** Whether it needs all the width of the panel. */
function isWide(figure: Figure): boolean {
  return figure.kind === 'attention' || figure.kind === 'graph' || (figure.kind === 'heatmap' && figure.columns > 60);
}

/** Whether it is seen at a glance, so that nobody needs it summarised but those who hear it. */
function isCompact(figure: Figure): boolean {
  return (figure.kind === 'heatmap' && figure.rows <= 4) || (figure.kind === 'network' && figure.arrows.length === 0);
}
