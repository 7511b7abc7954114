import { CancelledError, UserError } from '../../common/errors';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { controlSweep, getSweep, getSweepCurves, type CurvesRequest } from '../../protocol/engine';
import type { FromSweepPanel, SavedFormat, SweepExport, SweepPanelControl, SweepPanelState, ToSweepPanel } from '../../protocol/sweepPanel';
import type { Engine } from '../engine';
import { readSweepMessage } from './sweepMessages';
import type { SweepList } from './sweepList';

/** What a sweep's panel has around it. */
export interface SweepSessionHost {
  readonly engine: Pick<Engine, 'request' | 'onStateChange'>;
  readonly sweeps: Pick<SweepList, 'get' | 'onChange'>;
  send(message: ToSweepPanel): void;
  title(title: string): void;
  /** Shows the model of a run. */
  open(model: string): void;
  save(name: string, format: SavedFormat, content: string | Uint8Array): void;
  /** Shows an error of something that was asked for beside what is shown. */
  show(error: unknown): void;
  /** What to tell people of an error that is not theirs; it is logged with all there is to know. */
  explain(error: unknown): string;
  warn(message: string): void;
}

/** One sweep panel's conversation: all of the sweep once, and then what changes. Knows nothing of VS Code. */
export class SweepSession implements Disposable {
  private readonly lifetime = new Lifetime();
  /** Whether the page is there to be talked to. */
  private listening = false;
  /** Whether the page has the whole sweep, and so understands changes. */
  private told = false;
  /** The question whose answer counts. */
  private asked = 0;
  /** Gives up the curves that are being read. */
  private reading: AbortController | undefined;

  /** Settled once the panel has its title, or cannot have it. */
  readonly titled: Promise<void>;

  constructor(private current: SweepPanelState, private readonly host: SweepSessionHost) {
    this.lifetime.add(host.sweeps.onChange(({ summary, rows }) => {
      if (summary.id === this.current.sweep && this.told) this.send({ kind: 'change', change: { summary, rows } });
    }));
    this.lifetime.add(host.engine.onStateChange(({ kind }) => {
      // An engine that has started again has ended what the last one ran.
      if (kind === 'ready' && this.told) void this.show();
    }));
    this.titled = this.giveTitle();
  }

  get state(): SweepPanelState {
    return this.current;
  }

  /** Takes a message from the page, which is checked before it is believed. */
  receive(message: unknown): void {
    const checked = readSweepMessage(message);
    if (checked) this.obey(checked);
    else this.host.warn('A sweep panel sent a message that is not understood.');
  }

  async control(action: SweepPanelControl): Promise<void> {
    await this.host.engine.request(controlSweep, { sweep: this.current.sweep, action });
  }

  export(wanted: SweepExport): void {
    this.send({ kind: 'export', export: wanted });
  }

  /** The page is gone until it says that it is ready again. */
  hide(): void {
    this.reading?.abort();
    this.listening = false;
    this.told = false;
  }

  dispose(): void {
    this.reading?.abort();
    this.lifetime.dispose();
  }

  private obey(message: FromSweepPanel): void {
    switch (message.kind) {
      case 'ready':
        this.listening = true;
        void this.show();
        return;
      case 'state':
        // A panel stays with its sweep.
        if (message.state.sweep === this.current.sweep) this.current = message.state;
        return;
      case 'control':
        this.control(message.action).catch((error: unknown) => { if (!this.lifetime.isEnded) this.host.show(error); });
        return;
      case 'curves':
        void this.tellCurves(message);
        return;
      case 'open':
        this.host.open(message.model);
        return;
      case 'save':
        this.host.save(message.name, message.format, message.content);
        return;
      case 'failed':
        this.host.warn(`The panel of the sweep "${this.current.sweep}" failed: ${message.message}`);
        return;
      default:
        message satisfies never;
    }
  }

  private async giveTitle(): Promise<void> {
    try {
      const { name } = await this.host.sweeps.get(this.current.sweep);
      if (!this.lifetime.isEnded) this.host.title(`Sweep: ${name}`);
    } catch {
      // The page says what is wrong, once it is there.
      if (!this.lifetime.isEnded) this.host.title('Sweep');
    }
  }

  /** Tells the page all of the sweep. What changes before the answer is in the answer. */
  private async show(): Promise<void> {
    const question = ++this.asked;
    this.told = false;
    try {
      const sweep = await this.host.engine.request(getSweep, { sweep: this.current.sweep });
      if (question !== this.asked) return;
      this.send({ kind: 'sweep', state: this.current, sweep });
      this.told = this.listening;
    } catch (error) {
      if (question === this.asked) this.tellProblem(error);
    }
  }

  /** Tells the page curves of runs, in place of those that it asked for before. */
  private async tellCurves({ metric, runs }: Pick<CurvesRequest, 'metric' | 'runs'>): Promise<void> {
    this.reading?.abort();
    const { signal } = this.reading = new AbortController();
    try {
      const curves = await this.host.engine.request(getSweepCurves, { sweep: this.current.sweep, metric, runs }, signal);
      if (!signal.aborted) this.send({ kind: 'curves', metric, curves });
    } catch (error) {
      if (!signal.aborted) this.tellProblem(error);
    }
  }

  private tellProblem(error: unknown): void {
    if (error instanceof CancelledError || this.lifetime.isEnded) return;
    this.send({ kind: 'problem', message: error instanceof UserError ? error.message : this.host.explain(error) });
  }

  private send(message: ToSweepPanel): void {
    if (this.listening && !this.lifetime.isEnded) this.host.send(message);
  }
}
