import { CancelledError, UserError } from '../../common/errors';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { throttle } from '../../common/throttle';
import type { AnalysisInfo, AnalysisRequest, AnalysisResult, ModelPoint } from '../../protocol/analysis';
import { getCode } from '../../protocol/engine';
import type { ModelSummary } from '../../protocol/model';
import { atCheckpoint, comparedWith, type ExportFormat, type PanelState, type ToPanel } from '../../protocol/panel';
import { resolveParameters } from '../../protocol/parameter';
import { claimOfFigure } from '../claims/claimOfFigure';
import { isOutdated, type ModelListChange } from '../models/modelList';
import type { PanelHost } from './panelHost';
import { fittingParams, panelState, readPanelMessage, type PanelMessage } from './panelMessages';
import { PanelRuns } from './panelRuns';
import { PanelSubject } from './panelSubject';
import type { SharedPlace } from './sharedCheckpoints';

/** Milliseconds between two runs of an analysis that follows a training. */
const followEvery = 333;

/** One panel's conversation: what it shows, and the analysis that is run for it. Knows neither VS Code nor any analysis. */
export class PanelSession implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly subject: PanelSubject;
  private readonly runs: PanelRuns;
  private result: AnalysisResult | undefined;
  private analysis: AnalysisInfo | undefined;
  /** Whether the page is there to be talked to. */
  private listening = false;
  /** Whether the model has changed since the last run began. */
  private outdated = false;
  private readonly follow: () => void;

  /** Settled once the panel has its title. VS Code gives it to the page's frame when that loads; what comes while it loads is lost. */
  readonly titled: Promise<void>;

  constructor(private current: PanelState, private readonly host: PanelHost) {
    this.subject = new PanelSubject(host.engine, current.model);
    const following = this.lifetime.add(throttle(() => void this.followModel(), followEvery));
    this.follow = following.call;
    this.lifetime.add(host.models.onChange(change => this.modelsChanged(change)));
    this.lifetime.add(host.selections.onChange(selection => {
      if (selection.model === this.current.model) this.send({ kind: 'select', selection });
    }));
    this.runs = this.lifetime.add(new PanelRuns({
      engine: host.engine,
      request: () => requestOf(this.current),
      began: () => { this.outdated = false; },
      working: () => this.send({ kind: 'working' }),
      progressed: progress => this.send({ kind: 'working', ...progress }),
      brought: (result, { checkpoint }, partial) => {
        // What the reader has moved on from is shown, and no more.
        if (!partial && checkpoint === this.current.checkpoint) this.result = result;
        this.send(found(result, checkpoint, partial));
      },
      failed: error => this.explain(error),
      rested: () => { if (this.outdated) this.follow(); },
    }));
    // The page takes a moment to load, in which the engine need not wait.
    this.titled = this.begin();
  }

  get state(): PanelState {
    return this.current;
  }

  get figures(): readonly { readonly title: string }[] {
    return this.result?.figures ?? [];
  }

  /** What was found of what it shows; nothing while that is made anew. */
  get found(): AnalysisResult | undefined {
    return this.result;
  }

  /** Takes a message from the page, which is checked before it is believed. */
  receive(message: unknown): void {
    const checked = readPanelMessage(message);
    if (checked) this.obey(checked);
    else this.host.warn('A panel sent a message that is not understood.');
  }

  /** Changes these parameters, and shows the checkpoint; `undefined` for where linked panels are, or the newest weights. */
  showWith(params: PanelState['params'], asked: number | undefined): void {
    const { model, params: old, checkpoint: shown } = this.current;
    const checkpoint = asked ?? (this.analysis?.atCheckpoint ? this.host.checkpoints.of(model)?.checkpoint : undefined);
    if (shown === checkpoint && Object.entries(params).every(([name, value]) => old[name] === value)) return;
    this.change({ ...old, ...params }, checkpoint);
    void this.show();
  }

  /** Compares with another model or checkpoint, or with nothing. */
  compareWith(against: ModelPoint | undefined): void {
    this.runs.stop();
    this.current = comparedWith(this.current, against);
    this.result = undefined;
    void this.show();
  }

  exportFigure(format: ExportFormat, figure: number): void {
    this.send({ kind: 'export', format, figure });
  }

  /** The page is gone until it says that it is ready again. */
  hide(): void {
    this.listening = false;
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private obey(message: PanelMessage): void {
    const { model } = this.current;
    switch (message.kind) {
      case 'ready':
        this.listening = true;
        void this.show();
        return;
      case 'change':
        this.change(message.params, message.checkpoint);
        void this.runs.run('asked');
        return;
      case 'move':
        this.goTo(message.checkpoint);
        this.share();
        return;
      case 'link':
        this.host.checkpoints.link(model, message.linked, this.current.checkpoint);
        return;
      case 'compare':
        this.host.compare();
        return;
      case 'stopComparing':
        this.compareWith(undefined);
        return;
      case 'view':
        this.current = { ...this.current, view: message.view };
        return;
      case 'select':
        this.host.selections.pick({ model, layer: message.layer, head: message.head });
        return;
      case 'open':
        void this.attempt(() => this.open(message.analysis, message.params));
        return;
      case 'claim':
        void this.attempt(() => this.claim(message.figure));
        return;
      case 'code':
        void this.attempt(() => this.code(message.figure));
        return;
      case 'save':
        this.host.save(message.name, message.format, message.content);
        return;
      case 'cancel':
        this.runs.stop();
        this.send({ kind: 'problem', message: 'Cancelled.' });
        return;
      case 'failed':
        this.host.warn(`The panel "${this.current.analysis}" failed: ${message.message}`);
        return;
      default:
        message satisfies never;
    }
  }

  private change(params: PanelState['params'], checkpoint: number | undefined): void {
    this.runs.stop();
    this.current = atCheckpoint({ ...this.current, params }, checkpoint);
    this.result = undefined;
    this.host.remember(this.current);
    this.share();
  }

  /** Takes the panels along that are linked with this one. */
  private share(): void {
    const { model, checkpoint } = this.current;
    if (this.analysis?.atCheckpoint) this.host.checkpoints.move(model, checkpoint);
  }

  /** Goes where the panels are that are linked with this one. */
  private followLinked(place: SharedPlace | undefined): void {
    const { linked = false, checkpoint } = this.current;
    const next = place ? place.checkpoint : checkpoint;
    if (linked === (place !== undefined) && next === checkpoint) return;
    this.current = { ...this.current, linked: place !== undefined };
    this.goTo(next);
    this.send({ kind: 'state', state: this.current });
  }

  private goTo(checkpoint: number | undefined): void {
    if (checkpoint === this.current.checkpoint) return;
    this.current = atCheckpoint(this.current, checkpoint);
    this.result = undefined;
    // Out of sight it catches up when it is shown.
    if (this.listening || this.runs.isRunning) this.runs.runNext();
  }

  private async open(id: string, params: PanelState['params']): Promise<void> {
    const target = await this.subject.describe(id);
    resolveParameters(`analysis "${id}"`, target.params, params);
    this.host.open(panelState(this.current.model, id, params, target.atCheckpoint ? this.current.checkpoint : undefined));
  }

  private claim(figure: number): void {
    if (!this.result || !this.analysis) throw new UserError('The figure is being made anew; copy the claim when it is there.');
    const claim = claimOfFigure(this.analysis, this.current.params, this.result, figure);
    if (!claim) throw new UserError(`"${this.analysis.title}" measured nothing that a claim could assert.`);
    const { checkpoint } = this.current;
    const about = checkpoint === undefined ? '' : `, measured at step ${checkpoint}; it will be checked on the newest weights`;
    this.host.copy('claim', JSON.stringify(claim, undefined, 2), `Copied a claim${about}`);
  }

  private async code(figure: number): Promise<void> {
    if (!this.result) throw new UserError('The figure is being made anew; copy its code when it is there.');
    const { code } = await this.host.engine.request(getCode, { ...requestOf(this.current), figure });
    if (!this.lifetime.isEnded) this.host.copy('code', code, 'Copied TransformerLens code');
  }

  /** Does what was asked for beside the figures, which stay as they are when it fails. */
  private async attempt(work: () => Promise<void> | void): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.lifetime.isEnded) this.host.show(error);
    }
  }

  /** The first run, without the parameters that were kept of a version of the analysis which had others. */
  private async begin(): Promise<void> {
    try {
      const analysis = await this.subject.describe(this.current.analysis);
      if (this.lifetime.isEnded) return;
      this.current = { ...this.current, params: fittingParams(analysis.params, this.current.params) };
      this.host.remember(this.current);
      this.analysis = analysis;
      if (analysis.atCheckpoint) this.lifetime.add(this.host.checkpoints.join(this.current, place => this.followLinked(place)));
      const model = await this.host.models.get(this.current.model);
      // Before the analysis, which keeps the engine busy. Whoever shows them says what is wrong.
      this.subject.about(model).catch(() => undefined);
      this.title(model);
    } catch (error) {
      this.explain(error);
      return;
    }
    void this.runs.run('asked');
  }

  /** Tells the page all there is to know, and runs the analysis unless its result is at hand. */
  private async show(): Promise<void> {
    const { model: id, analysis: analysisId } = this.current;
    try {
      const analysis = await this.subject.describe(analysisId);
      const model = await this.host.models.get(id);
      const [{ checkpoints }, [words, applicable]] = await Promise.all([this.host.models.details(id), this.subject.about(model)]);
      this.analysis = analysis;
      this.title(model);
      const selection = this.host.selections.of(id);
      this.send({ kind: 'show', state: this.current, analysis, model, words, applicable, checkpoints, ...(selection ? { selection } : {}) });
      if (this.result && !this.outdated) this.send(found(this.result, this.current.checkpoint, false));
      else if (this.runs.isRunning) this.send({ kind: 'working' });
      else await this.runs.run('asked');
    } catch (error) {
      this.explain(error);
    }
  }

  private modelsChanged(change: ModelListChange): void {
    const { model: id, against } = this.current;
    const model = this.host.models.find(id);
    // Another model may have come by the name that this one has, or lost it.
    if (model && (change.structure || change.changed.some(other => other.name !== change.before.get(other.id)?.name))) this.title(model);
    if (change.removed.includes(id)) {
      this.runs.stop();
      this.send({ kind: 'problem', message: 'The model was deleted.' });
      return;
    }
    if ([this.current, against].some(point => point && isOutdated(point, change, this.analysis?.live ?? false))) this.outdated = true;
    if (this.outdated || change.changed.some(model => model.id === id)) this.follow();
  }

  private async followModel(): Promise<void> {
    if (!this.listening || !this.analysis) return;
    try {
      const model = await this.host.models.get(this.current.model);
      if (!this.subject.hasTaskOf(model)) {
        // Its words are others, and so is what it was asked.
        this.runs.stop();
        this.result = undefined;
        return await this.show();
      }
      const { checkpoints } = await this.host.models.details(this.current.model);
      this.title(model);
      this.send({ kind: 'model', model, checkpoints });
    } catch (error) {
      this.explain(error);
      return;
    }
    // A run under way is left to end, and the next one begins after it.
    if (this.outdated && !this.runs.isRunning) await this.runs.run('followed');
  }

  private title(model: ModelSummary): void {
    if (this.analysis && !this.lifetime.isEnded) this.host.title(`${this.analysis.title}: ${this.host.models.nameOf(model)}`);
  }

  private explain(error: unknown): void {
    if (error instanceof CancelledError || this.lifetime.isEnded) return;
    this.send({ kind: 'problem', message: error instanceof UserError ? error.message : this.host.explain(error) });
  }

  private send(message: ToPanel): void {
    if (this.listening && !this.lifetime.isEnded) this.host.send(message);
  }
}

function requestOf({ model, analysis, params, checkpoint, against }: PanelState): AnalysisRequest {
  return { model, analysis, params, ...(checkpoint === undefined ? {} : { checkpoint }), ...(against && { against }) };
}

function found(result: AnalysisResult, checkpoint: number | undefined, partial: boolean): ToPanel {
  return { kind: 'result', result, partial, ...(checkpoint === undefined ? {} : { checkpoint }) };
}
