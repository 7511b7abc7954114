import { messageOf } from '../../src/common/errors';
import { Lifetime, type Disposable } from '../../src/common/lifetime';
import type { ExportFormat } from '../../src/protocol/panel';
import { bestRow, fieldTitle, runLabel, subjectField, sweepMetrics, type SweepDetails, type SweepRow } from '../../src/protocol/sweep';
import { throughTraining, type SweepMetric, type SweepPanelState, type TableFormat, type ToSweepPanel } from '../../src/protocol/sweepPanel';
import type { SweepBridge } from '../bridge';
import { menuButton } from '../controls/menu';
import { button, dropdown } from '../controls/toolkit';
import { element, setText } from '../elements';
import { csv } from '../export/csv';
import { fileName } from '../export/file';
import { markdown } from '../export/markdown';
import type { FigureFrame } from '../figures/frame';
import { contextWithoutModel } from '../figures/withoutModel';
import { Announcer } from '../shell/announcer';
import { ProblemBanner } from '../shell/problem';
import { columnsOf, metricText, metricTitles, runNumber, shareDone, sweepTable, type SweepColumn } from './columns';
import { CurveReader } from './curveReader';
import { SweepFigureSlot } from './figureSlot';
import { SweepOverview } from './overview';
import { SweepTable } from './table';

/** A sweep's panel: how it stands, its runs while they go on, and what they arrived at. */
export class SweepPage implements Disposable {
  readonly element: HTMLElement;
  private readonly lifetime = new Lifetime();
  private readonly announcer = new Announcer();
  private readonly overview = new SweepOverview(action => this.bridge.send({ kind: 'control', action }));
  /** What keeps the page from showing its sweep, and what keeps the sweep from going on. */
  private readonly pageProblem = new ProblemBanner(() => this.bridge.send({ kind: 'ready' }));
  private readonly sweepProblem = new ProblemBanner();
  private readonly metric = dropdown<SweepMetric>({ title: 'Compare by', description: 'What the best run and the figure are measured by' }, metricChoices, 'testLoss');
  private readonly field = dropdown<string>({ title: 'Along', description: 'What is along the x axis of the figure: a swept field, or the steps of the training' }, [], '');
  private readonly best = element('span', { class: 'finding' });
  private readonly openBest = button({ title: 'Open', label: 'Open the best run', appearance: 'quiet' }, () => this.open(this.bestRun));
  private readonly bestLine = element('p', { class: 'sweep-best', hidden: true }, this.best, this.openBest.element);
  private readonly table = new SweepTable({
    open: row => this.open(row),
    sorted: sorting => {
      const { sorting: _, ...state } = this.state;
      this.look(sorting ? { ...state, sorting } : state);
    },
    announce: text => this.announcer.say(text),
  });
  private readonly figure: SweepFigureSlot;
  private readonly curves = this.lifetime.add(new CurveReader({
    ask: question => this.bridge.send({ kind: 'curves', ...question }),
    changed: () => { if (this.sweep) this.show(this.sweep); },
  }));
  private readonly content: HTMLElement;
  private state: SweepPanelState = { sweep: '' };
  private sweep: SweepDetails | undefined;
  private columns: readonly SweepColumn[] = [];
  /** What the runs are compared along until the reader says otherwise. */
  private subject: string = throughTraining;
  private rows: readonly SweepRow[] = [];

  constructor(private readonly bridge: SweepBridge) {
    this.figure = this.lifetime.add(new SweepFigureSlot(contextWithoutModel(this.lifetime, text => this.announcer.say(text)), (frame, format) => void this.saveFigure(frame, format)));
    const exporting = menuButton('Export', 'Export: Runs', () => [
      { title: 'CSV', activate: () => this.saveTable('csv') }, { title: 'Markdown', activate: () => this.saveTable('md') },
    ]);
    this.content = element('div', { class: 'sweep-content', hidden: true },
      element('div', { class: 'controls' }, this.metric.element, this.field.element), this.bestLine,
      element('section', { class: 'figure', 'aria-label': 'Runs' },
        element('div', { class: 'figure-heading' }, element('h2', {}, 'Runs'), element('div', { class: 'figure-tools' }, exporting)),
        this.table.element),
      this.figure.element);
    this.element = element('main', { class: 'panel sweep' },
      this.overview.element, this.pageProblem.element, this.sweepProblem.element, this.content, this.announcer.element);
    this.metric.onDidChange(metric => this.look({ ...this.state, metric }));
    this.field.onDidChange(field => this.look({ ...this.state, field }));
    this.lifetime.add(bridge.listen(message => this.take(message)));
    bridge.send({ kind: 'ready' });
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Shows that the page itself failed, and tells the extension. */
  fail(message: string): void {
    this.pageProblem.update({ problem: message });
    this.bridge.send({ kind: 'failed', message });
  }

  private take(message: ToSweepPanel): void {
    switch (message.kind) {
      case 'sweep':
        this.pageProblem.update({ problem: undefined });
        this.state = message.state;
        this.bridge.keep(message.state);
        this.begin(message.sweep);
        return;
      case 'change':
        if (this.sweep && message.change.summary.id === this.sweep.id) this.change({ ...message.change.summary, rows: message.change.rows });
        return;
      case 'curves':
        this.curves.take(message);
        return;
      case 'problem':
        this.pageProblem.update({ problem: message.message });
        return;
      case 'export':
        if (message.export.what === 'table') this.saveTable(message.export.format);
        else if (this.figure.frame) void this.saveFigure(this.figure.frame, message.export.format);
        return;
      default:
        message satisfies never;
    }
  }

  private begin(sweep: SweepDetails): void {
    this.rows = sweep.rows;
    this.sweep = sweep;
    this.columns = columnsOf(sweep.fields, sweep.rows);
    // Seeds have no order: what there is to see of them is how their runs went.
    this.subject = subjectField(sweep) ?? sweep.fields.find(field => field !== 'seed') ?? throughTraining;
    this.curves.forget();
    this.content.hidden = false;
    this.field.setChoices([
      ...sweep.fields.map(field => ({ value: field, title: fieldTitle(field, sweep.fields) })), { value: throughTraining, title: throughTraining },
    ]);
    this.show(sweep);
  }

  private change({ rows: changed, ...summary }: SweepDetails): void {
    const before = this.sweep?.status;
    const rows = [...this.rows];
    const places = new Map(rows.map((row, place) => [row.index, place]));
    for (const row of changed) rows[places.get(row.index) ?? rows.length] = row;
    this.rows = rows;
    // The same list of fields, by which the figure knows that it is the same.
    this.sweep = { ...summary, fields: this.sweep?.fields ?? summary.fields, rows };
    this.show(this.sweep);
    if (before === 'running' && summary.status !== 'running') this.announcer.say(summary.status === 'finished' ? 'The sweep has finished.' : 'The sweep has stopped.');
  }

  /** Looks at the sweep in another way. */
  private look(state: SweepPanelState): void {
    this.state = state;
    this.bridge.keep(state);
    this.bridge.send({ kind: 'state', state });
    if (this.sweep) this.show(this.sweep);
  }

  private show(sweep: SweepDetails): void {
    const { rows, columns } = this;
    const { sorting } = this.state;
    const metric = this.state.metric ?? sweepMetrics.find(name => rows.some(({ metrics }) => metrics[name] !== undefined)) ?? sweepMetrics[0];
    const field = [...sweep.fields, throughTraining].find(name => name === this.state.field) ?? this.subject;
    this.overview.update(sweep, rows.reduce((sum, row) => sum + shareDone(row), 0) / Math.max(1, rows.length));
    this.sweepProblem.update({ problem: sweep.problem });
    this.metric.value = metric;
    const best = bestRow(rows, metric);
    this.table.update({ columns, rows, best, sorting });
    this.showBest(best, metric, sweep.status === 'running');
    this.field.value = field;
    const given = { fields: sweep.fields, rows, field, metric };
    if (field !== throughTraining) {
      this.figure.update(given);
      return;
    }
    const curves = this.curves.read(rows, metric);
    if (curves) this.figure.update({ ...given, curves });
  }

  private showBest(best: SweepRow | undefined, metric: SweepMetric, running: boolean): void {
    this.bestLine.hidden = best === undefined;
    const value = best?.metrics[metric];
    if (!best || value === undefined) return;
    const what = `${running ? 'Best so far' : 'Best'} by ${metricTitles[metric].toLowerCase()}`;
    setText(this.best, `${what}: ${metricText(metric, value)} with ${runLabel(best.values)} (run ${runNumber(best)})`);
  }

  private get bestRun(): SweepRow | undefined {
    return bestRow(this.rows, this.metric.value);
  }

  private open(row: SweepRow | undefined): void {
    if (row) this.bridge.send({ kind: 'open', model: row.model });
  }

  private saveTable(format: TableFormat): void {
    if (!this.sweep) return;
    const table = sweepTable(this.sweep.fields, this.rows);
    this.bridge.send({ kind: 'save', name: fileName(this.sweep.name, 'runs'), format, content: format === 'csv' ? csv(table) : markdown(table) });
  }

  private async saveFigure(frame: FigureFrame, format: ExportFormat): Promise<void> {
    try {
      this.bridge.send({ kind: 'save', name: fileName(this.sweep?.name ?? '', frame.name), format, content: await frame.content(format) });
    } catch (error) {
      this.fail(`"${frame.name}" could not be exported as ${format.toUpperCase()}: ${messageOf(error)}`);
    }
  }
}

const metricChoices = sweepMetrics.map(value => ({ value, title: metricTitles[value] }));
