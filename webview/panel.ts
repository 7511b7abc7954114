import { Emitter } from '../src/common/event';
import { Lifetime, type Disposable } from '../src/common/lifetime';
import { messageOf } from '../src/common/errors';
import type { ExportFormat, PanelState, ToPanel } from '../src/protocol/panel';
import type { Bridge } from './bridge';
import { CheckpointControl } from './controls/checkpoint';
import { ParameterControls } from './controls/parameters';
import { CellCursor } from './cursor';
import { element } from './elements';
import { fileName } from './export/file';
import { FigureFrame, type FrameActions } from './figures/frame';
import type { FigureContext } from './figures/view';
import { Announcer } from './shell/announcer';
import { Header } from './shell/header';
import { ProblemBanner } from './shell/problem';
import { ProgressStrip } from './shell/progress';
import { Scalars } from './shell/scalars';
import { change, nothingShown, receive, type Shown } from './state';
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
  private readonly problem = new ProblemBanner(() => this.ask(this.shown.state?.params ?? {}, this.shown.state?.checkpoint));
  private readonly scalars = new Scalars();
  private readonly checkpoint = new CheckpointControl();
  private readonly parameterSlot = element('div', { class: 'parameters' });
  private readonly controls = element('div', { class: 'controls', role: 'group', 'aria-label': 'Parameters' });
  private readonly empty = element('p', { class: 'empty', hidden: true }, 'There is nothing to show.');
  private readonly figures = element('div', { class: 'figures' });
  private parameters: ParameterControls | undefined;
  private frames: readonly FigureFrame[] = [];
  private readonly cursors = new Map<string, CellCursor>();
  private readonly headChanges = this.lifetime.add(new Emitter<void>());
  private readonly context: FigureContext;
  private readonly actions: FrameActions = {
    save: (frame, format) => void this.save(frame, format),
    canClaim: () => Object.keys(this.shown.result?.scalars ?? {}).length > 0,
    claim: frame => this.bridge.send({ kind: 'claim', figure: this.frames.indexOf(frame) }),
  };
  private shown: Shown = nothingShown;

  constructor(private readonly bridge: Bridge) {
    this.controls.append(this.parameterSlot, this.checkpoint.element);
    this.element = element('main', { class: 'panel' },
      element('div', { class: 'top' }, this.header.element, this.progress.element), this.controls, this.problem.element,
      this.scalars.element, this.empty, this.figures, this.announcer.element);
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
        activate: () => this.bridge.send({ kind: 'open', analysis, params }),
      })),
    };
    this.checkpoint.onDidChange(step => this.ask(this.shown.state?.params ?? {}, step));
    this.lifetime.add(bridge.listen(message => this.take(message)));
    this.show(this.shown);
    bridge.send({ kind: 'ready' });
  }

  dispose(): void {
    for (const frame of this.frames) frame.dispose();
    this.lifetime.dispose();
  }

  /** Shows that the page itself failed, and tells the extension. */
  fail(message: string): void {
    this.show({ ...this.shown, problem: message, working: undefined });
    this.bridge.send({ kind: 'failed', message });
  }

  private take(message: ToPanel): void {
    if (message.kind === 'export') {
      const frame = this.frames[message.figure];
      if (frame) void this.save(frame, message.format);
      else this.bridge.send({ kind: 'failed', message: `There is no figure ${message.figure} to export; there are ${this.frames.length}.` });
      return;
    }
    this.show(receive(this.shown, message));
    if (message.kind === 'show') this.bridge.keep(message.state);
  }

  /** Asks for other figures: the reader changed something. */
  private ask(params: PanelState['params'], checkpoint: number | undefined): void {
    this.announcer.expect();
    this.show(change(this.shown, params, checkpoint));
    if (this.shown.state) this.bridge.keep(this.shown.state);
    this.bridge.send({ kind: 'change', params, ...(checkpoint === undefined ? {} : { checkpoint }) });
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
    if (shown.result !== before.result) this.updateFigures(shown);
    this.empty.hidden = shown.result?.figures.length !== 0;
    if (shown.selection?.layer !== before.selection?.layer || shown.selection?.head !== before.selection?.head) this.headChanges.fire();
    this.announcer.update(shown, before);
  }

  private updateControls({ analysis, model, words, state, checkpoints }: Shown, before: Shown): void {
    const choices = analysis?.atCheckpoint === true ? checkpoints : [];
    this.checkpoint.update(choices, state?.checkpoint);
    if (analysis && model && words && (!this.parameters || analysis.id !== before.analysis?.id || model.id !== before.model?.id)) {
      this.parameters = new ParameterControls(analysis.params, { model, words });
      this.parameters.onDidChange(({ name, value }) => this.ask({ ...this.shown.state?.params, [name]: value }, this.shown.state?.checkpoint));
      this.parameterSlot.replaceChildren(...this.parameters.elements);
    }
    if (state) this.parameters?.setValues(state.params);
    this.controls.hidden = this.parameterSlot.childElementCount === 0 && choices.length === 0;
  }

  /** Figures keep their place and their kind from one result to the next; those that do are updated in place. */
  private updateFigures({ result }: Shown): void {
    const figures = result?.figures ?? [];
    const frames = figures.map((figure, i) => {
      const frame = this.frames[i];
      if (frame?.update(figure)) return frame;
      const made = new FigureFrame(figure, this.context, this.actions);
      if (frame) frame.element.replaceWith(made.element);
      else this.figures.append(made.element);
      return made;
    });
    for (const frame of this.frames) if (!frames.includes(frame)) frame.dispose();
    this.frames = frames;
  }

  private async save(frame: FigureFrame, format: ExportFormat): Promise<void> {
    try {
      const content = await frame.content(format);
      this.bridge.send({ kind: 'save', name: fileName(this.shown.model?.name ?? '', frame.figure.title), format, content });
    } catch (error) {
      this.fail(`"${frame.figure.title}" could not be exported as ${format.toUpperCase()}: ${messageOf(error)}`);
    }
  }
}
