import { Emitter } from '../src/common/event';
import { Lifetime, type Disposable } from '../src/common/lifetime';
import { messageOf } from '../src/common/errors';
import type { ModelPoint } from '../src/protocol/analysis';
import { atCheckpoint, type ComparisonView, type ExportFormat, type PanelState, type ToPanel } from '../src/protocol/panel';
import type { Bridge } from './bridge';
import { ComparisonBar } from './comparison/bar';
import { FigureArea } from './comparison/figureArea';
import { CheckpointControl, type CheckpointStep } from './controls/checkpoint';
import { ParameterControls } from './controls/parameters';
import { CellCursor } from './cursor';
import { element } from './elements';
import { fileName } from './export/file';
import type { FigureFrame, FrameActions } from './figures/frame';
import type { FigureContext } from './figures/view';
import { Player } from './player';
import { allDrawn } from './plotly/chart';
import { Announcer } from './shell/announcer';
import { Header } from './shell/header';
import { ProblemBanner } from './shell/problem';
import { ProgressStrip } from './shell/progress';
import { Scalars } from './shell/scalars';
import { change, nothingShown, receive, uncompared, type Shown } from './state';
import { openingsOf, type HeadName } from './subjects';
import { ThemeWatch } from './theme';

/** The one panel: it shows whatever analysis the extension says, and knows none of them. */
export class Panel implements Disposable {
  readonly element: HTMLElement;
  private readonly lifetime = new Lifetime();
  private readonly theme = this.lifetime.add(new ThemeWatch());
  private readonly announcer = new Announcer();
  private readonly header = new Header();
  private readonly progress = new ProgressStrip(() => this.bridge.send({ kind: 'cancel' }));
  private readonly problem = new ProblemBanner(() => this.ask({}));
  private readonly scalars = new Scalars();
  private readonly checkpoint = new CheckpointControl(text => this.announcer.say(text));
  private readonly player = this.lifetime.add(new Player({
    at: () => this.shown.state?.checkpoint,
    next: step => this.checkpoint.next(step),
    isLast: step => this.checkpoint.isLast(step),
    ask: step => this.sendMove(step),
    settle: step => this.standAt(step),
    drawn: allDrawn,
    changed: playing => {
      this.checkpoint.setPlaying(playing);
      this.announcer.say(playing ? 'Playing.' : `Paused at: ${this.checkpoint.text}`);
    },
  }));
  private readonly parameterSlot = element('div', { class: 'parameters' });
  private readonly controls = element('div', { class: 'controls', role: 'group', 'aria-label': 'Parameters' });
  private readonly empty = element('p', { class: 'empty', hidden: true }, 'There is nothing to show.');
  private readonly figures: FigureArea;
  private readonly comparison = new ComparisonBar({
    choose: () => this.bridge.send({ kind: 'compare' }),
    stop: () => this.stopComparing(),
    view: view => this.viewAs(view),
  });
  private parameters: ParameterControls | undefined;
  private readonly cursors = new Map<string, CellCursor>();
  private readonly headChanges = this.lifetime.add(new Emitter<void>());
  private readonly context: FigureContext;
  private readonly actions: FrameActions = {
    save: (frame, format) => void this.save(frame, format),
    canClaim: frame => this.figures.figureOf(frame) >= 0 && Object.keys(this.shown.result?.scalars ?? {}).length > 0,
    claim: frame => this.askAbout('claim', frame),
    canCode: frame => this.figures.figureOf(frame) >= 0,
    code: frame => this.askAbout('code', frame),
  };
  private shown: Shown = nothingShown;

  constructor(private readonly bridge: Bridge) {
    this.controls.append(this.parameterSlot, this.checkpoint.element);
    this.header.element.append(this.comparison.begin);
    const picked = () => this.shown.selection;
    this.context = {
      theme: this.theme,
      heads: {
        get picked() { return picked(); },
        onDidChange: this.headChanges.event,
        pick: head => this.pick(head),
      },
      cursor: space => this.cursor(space),
      announce: text => this.announcer.say(text),
      openings: subject => openingsOf(subject, this.shown).map(({ title, analysis, params }) => ({
        title,
        activate: () => {
          this.player.stop();
          this.bridge.send({ kind: 'open', analysis, params });
        },
      })),
    };
    this.figures = this.lifetime.add(new FigureArea(this.context, this.actions));
    this.element = element('main', { class: 'panel' },
      element('div', { class: 'top' }, this.header.element, this.progress.element), this.controls, this.comparison.element, this.problem.element,
      this.scalars.element, this.empty, this.figures.element, this.announcer.element);
    this.checkpoint.onDidMove(step => {
      this.player.stop();
      this.move(step);
    });
    this.checkpoint.onDidPlay(() => this.player.toggle());
    this.checkpoint.onDidLink(linked => this.bridge.send({ kind: 'link', linked }));
    this.lifetime.add(bridge.listen(message => this.take(message)));
    this.show(this.shown);
    bridge.send({ kind: 'ready' });
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Shows that the page itself failed, and tells the extension. */
  fail(message: string): void {
    this.show({ ...this.shown, problem: message, working: undefined });
    this.bridge.send({ kind: 'failed', message });
  }

  private take(message: ToPanel): void {
    if (message.kind === 'export') {
      const frame = this.figures.frame(message.figure);
      if (frame) void this.save(frame, message.format);
      else this.bridge.send({ kind: 'failed', message: `There is no figure ${message.figure} to export; there are ${this.figures.count}.` });
      return;
    }
    if (message.kind === 'result' && !message.partial) {
      this.player.bring(message.checkpoint, () => this.show(receive(this.shown, message)));
      return;
    }
    if (message.kind === 'problem') this.player.stop();
    if ('state' in message) {
      this.takeState(message);
      return;
    }
    this.show(receive(this.shown, message));
  }

  private takeState(message: Extract<ToPanel, { readonly state: PanelState }>): void {
    const { state } = message;
    // What it is compared with was chosen outside the page.
    if (message.kind === 'show' && !samePoint(message.state.against, this.shown.state?.against)) this.announcer.expect();
    if (this.player.isAskedFor(state.checkpoint)) {
      // It stands there once the figures are shown.
      this.show(receive(this.shown, { ...message, state: atCheckpoint(state, this.shown.state?.checkpoint) }));
      return;
    }
    if (state.checkpoint !== this.shown.state?.checkpoint) this.player.stopAt(state.checkpoint);
    this.show(receive(this.shown, message));
    this.bridge.keep(state);
  }

  /** Asks for the figures of another checkpoint. */
  private move(step: CheckpointStep): void {
    this.standAt(step);
    this.sendMove(step);
  }

  private sendMove(step: CheckpointStep): void {
    this.bridge.send({ kind: 'move', ...(step === undefined ? {} : { checkpoint: step }) });
  }

  /** Shows which checkpoint the figures are of, or will be. */
  private standAt(step: CheckpointStep): void {
    if (!this.shown.state) return;
    const state = atCheckpoint(this.shown.state, step);
    this.show({ ...this.shown, state });
    if (!this.player.isPlaying) this.bridge.keep(state);
  }

  /** Asks for the figures with these parameters changed. */
  private ask(changed: PanelState['params']): void {
    this.player.stop();
    this.announcer.expect();
    const { params: before, checkpoint } = this.shown.state ?? {};
    const params = { ...before, ...changed };
    this.show(change(this.shown, params));
    if (this.shown.state) this.bridge.keep(this.shown.state);
    this.bridge.send({ kind: 'change', params, ...(checkpoint === undefined ? {} : { checkpoint }) });
  }

  private stopComparing(): void {
    this.announcer.expect();
    this.show(uncompared(this.shown));
    if (this.shown.state) this.bridge.keep(this.shown.state);
    this.bridge.send({ kind: 'stopComparing' });
  }

  private viewAs(view: ComparisonView): void {
    if (!this.shown.state) return;
    const state = { ...this.shown.state, view };
    this.show({ ...this.shown, state });
    this.bridge.keep(state);
    this.bridge.send({ kind: 'view', view });
  }

  private pick({ layer, head }: HeadName): void {
    const { state, selection } = this.shown;
    if (!state || (selection?.layer === layer && selection.head === head)) return;
    this.show({ ...this.shown, selection: { model: state.model, layer, head } });
    this.bridge.send({ kind: 'select', layer, head });
  }

  private cursor(space: string): CellCursor {
    const known = this.cursors.get(space) ?? new CellCursor();
    this.cursors.set(space, known);
    return known;
  }

  private show(shown: Shown): void {
    const before = this.shown;
    this.shown = shown;
    this.header.update(shown);
    this.progress.update(shown);
    this.problem.update(shown);
    this.scalars.update(shown);
    this.updateControls(shown, before);
    this.comparison.update(shown);
    if (shown.result !== before.result || shown.state?.view !== before.state?.view) this.figures.update(shown.result, shown.state?.view ?? 'sides');
    this.empty.hidden = shown.result?.figures.length !== 0;
    if (shown.selection?.layer !== before.selection?.layer || shown.selection?.head !== before.selection?.head) this.headChanges.fire();
    this.announcer.update(shown, before);
  }

  private updateControls({ analysis, model, words, state, checkpoints, result }: Shown, before: Shown): void {
    const choices = analysis?.atCheckpoint === true ? checkpoints : [];
    if (model) this.checkpoint.update({ checkpoints: choices, steps: model.status === 'finished' ? model.progress.step : model.progress.steps }, state?.checkpoint, state?.linked ?? false);
    if (analysis && model && words && (!this.parameters || analysis.id !== before.analysis?.id || model.id !== before.model?.id)) {
      this.parameters = new ParameterControls(analysis.params, { model, words });
      this.parameters.onDidChange(changed => this.ask(changed));
      this.parameterSlot.replaceChildren(...this.parameters.elements);
    }
    if (state) this.parameters?.setValues(state.params);
    if (result && result !== before.result) this.parameters?.offer(result.figures);
    this.controls.hidden = this.parameterSlot.childElementCount === 0 && this.checkpoint.element.hidden;
  }

  private askAbout(kind: 'claim' | 'code', frame: FigureFrame): void {
    // The figures that are seen are to be those that are asked about.
    this.player.stop();
    this.bridge.send({ kind, figure: this.figures.figureOf(frame) });
  }

  private async save(frame: FigureFrame, format: ExportFormat): Promise<void> {
    try {
      const content = await frame.content(format);
      this.bridge.send({ kind: 'save', name: fileName(this.shown.model?.name ?? '', frame.name), format, content });
    } catch (error) {
      this.fail(`"${frame.name}" could not be exported as ${format.toUpperCase()}: ${messageOf(error)}`);
    }
  }
}

function samePoint(one: ModelPoint | undefined, other: ModelPoint | undefined): boolean {
  return one?.model === other?.model && one?.checkpoint === other?.checkpoint;
}
