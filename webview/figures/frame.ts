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
  canClaim(): boolean;
  claim(figure: FigureFrame): void;
}

/** What every figure has around its drawing: title, caption, summary, the numbers as a table, and export. */
export class FigureFrame implements Disposable {
  readonly element: HTMLElement;
  private readonly lifetime = new Lifetime();
  private readonly view: FigureView;
  private readonly title = element('h2', { id: uniqueId('figure') });
  private readonly caption = element('p', { class: 'caption' });
  private readonly summary = element('p', { class: 'summary', id: uniqueId('summary') });
  private readonly tableSlot = element('div', { class: 'figure-table', hidden: true });
  private table: DataTable | undefined;
  private showsTable = false;

  constructor(private shown: Figure, context: FigureContext, private readonly actions: FrameActions) {
    this.view = this.lifetime.add(render(shown.kind, shown, context));
    const { kind, title } = shown;
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
      ...(this.actions.canClaim() ? [{ title: 'Copy as claim', activate: () => this.actions.claim(this) }] : []),
    ]);
    this.element = element('section', {
      class: `figure figure-${kind}`, 'aria-labelledby': this.title.id, 'aria-describedby': this.summary.id,
    },
    element('div', { class: 'figure-heading' },
      this.title, element('div', { class: 'figure-tools' }, ...this.view.tools, kind === 'table' ? undefined : asTable.element, menu)),
    this.caption, this.view.element, this.tableSlot, this.summary);
    if (this.view.onDidChange) this.lifetime.add(this.view.onDidChange(() => this.describe()));
    this.describe();
  }

  get figure(): Figure {
    return this.shown;
  }

  /** Shows new numbers in place; only a figure of the same kind fits. */
  update(figure: Figure): boolean {
    if (figure.kind !== this.shown.kind) return false;
    this.shown = figure;
    this.view.update(figure);
    this.describe();
    return true;
  }

  content(format: ExportFormat): Promise<string | Uint8Array> {
    return fileContent(this.shown, format, () => this.view.picture());
  }

  dispose(): void {
    this.lifetime.dispose();
    this.element.remove();
  }

  private describe(): void {
    this.element.classList.toggle('figure-wide', isWide(this.shown));
    this.element.classList.toggle('figure-compact', isCompact(this.shown));
    setText(this.title, this.shown.title);
    setText(this.caption, this.shown.caption ?? '');
    this.caption.hidden = this.shown.caption === undefined;
    setText(this.summary, this.view.summary());
    this.drawTable();
  }

  private drawTable(): void {
    if (!this.showsTable) return;
    if (!this.table) {
      this.table = new DataTable();
      this.tableSlot.append(this.table.element);
    }
    this.table.update(this.shown.title, this.view.table());
  }
}

/** Whether it needs all the width of the panel. */
function isWide(figure: Figure): boolean {
  return figure.kind === 'attention' || figure.kind === 'graph' || (figure.kind === 'heatmap' && figure.columns > 60);
}

/** Whether it is seen at a glance, so that nobody needs it summarised but those who hear it. */
function isCompact(figure: Figure): boolean {
  return figure.kind === 'heatmap' && figure.rows <= 4;
}
