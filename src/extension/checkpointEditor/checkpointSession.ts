import { CancelledError, UserError } from '../../common/errors';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { readCheckpointMessage, type FromCheckpointPage, type PageSlice, type ToCheckpointPage } from '../../protocol/checkpointPage';
import { getTensorSlice, getTensorStatistics, openCheckpointFile } from '../../protocol/engine';
import type { ExportFormat } from '../../protocol/panel';
import type { Engine } from '../engine';

/** What the editor of a file of weights has around it. */
export interface CheckpointSessionHost {
  readonly engine: Pick<Engine, 'request' | 'onStateChange' | 'state' | 'restart'>;
  /** Absolute path of the file; absent where it lies nowhere that the engine reaches. */
  readonly file: string | undefined;
  send(message: ToCheckpointPage): void;
  /** Makes a model of the file. */
  importFile(): void;
  save(name: string, format: ExportFormat, content: string | Uint8Array): void;
  /** What to tell people of an error that is not theirs; it is logged with all there is to know. */
  explain(error: unknown): string;
  warn(message: string): void;
}

/** One editor's conversation: what the file holds, and of its tensors what is in sight. Knows nothing of VS Code. */
export class CheckpointSession implements Disposable {
  private readonly lifetime = new Lifetime();
  /** Whether the page is there to be talked to. */
  private listening = false;
  /** Ends what is asked for in this version of the file. */
  private opening = new AbortController();
  private reading = new AbortController();
  private slicing = new AbortController();
  /** Tensors whose statistics are still wanted, in order, and the one that is being read. */
  private wanted: readonly string[] = [];
  private current: string | undefined;
  /** Whether an engine that ended has left the page without what it asked for. */
  private lost = false;

  constructor(private readonly host: CheckpointSessionHost) {
    this.lifetime.add(host.engine.onStateChange(({ kind }) => {
      // What the last engine was asked for is lost.
      if (kind === 'ready' && this.lost) void this.open(false);
    }));
  }

  /** Takes a message from the page, which is checked before it is believed. */
  receive(message: unknown): void {
    const checked = readCheckpointMessage(message);
    if (checked) this.obey(checked);
    else this.host.warn('The editor of a file of weights sent a message that is not understood.');
  }

  /** The file is not as it was. */
  changed(): void {
    if (this.listening) void this.open(true);
  }

  /** The page is gone until it says that it is ready again. */
  hide(): void {
    this.listening = false;
    this.abandon();
  }

  dispose(): void {
    this.abandon();
    this.lifetime.dispose();
  }

  private obey(message: FromCheckpointPage): void {
    switch (message.kind) {
      case 'ready':
        this.listening = true;
        void this.open(false);
        return;
      case 'again':
        void this.tryAgain();
        return;
      case 'statistics':
        this.want(message.tensors);
        return;
      case 'slice':
        void this.tellSlice(message.slice);
        return;
      case 'import':
        if (this.host.file !== undefined) this.host.importFile();
        return;
      case 'save':
        this.host.save(message.name, message.format, message.content);
        return;
      case 'failed':
        this.host.warn(`The editor of ${this.host.file ?? 'a file of weights'} failed: ${message.message}`);
        return;
      default:
        message satisfies never;
    }
  }

  private async tryAgain(): Promise<void> {
    try {
      if (this.host.engine.state.kind === 'failed') await this.host.engine.restart();
    } catch (error) {
      this.tellProblem(error);
      return;
    }
    await this.open(false);
  }

  /** Tells the page what the file holds now. */
  private async open(changed: boolean): Promise<void> {
    this.abandon();
    const { signal } = this.opening = new AbortController();
    if (this.host.file === undefined) {
      this.send({ kind: 'problem', message: 'Weights are shown of files on the machine that the extension runs on: save a copy of this one there, and open that.', final: true });
      return;
    }
    try {
      const file = await this.host.engine.request(openCheckpointFile, { file: this.host.file }, signal);
      if (!signal.aborted) this.send({ kind: 'file', file, changed });
    } catch (error) {
      if (!signal.aborted) this.tellProblem(error);
    }
  }

  /** Reads the statistics of these tensors one after the other, and no longer those that were wanted before. */
  private want(tensors: readonly string[]): void {
    this.wanted = tensors;
    if (this.current !== undefined && tensors.includes(this.current)) {
      this.wanted = tensors.filter(tensor => tensor !== this.current);
      return;
    }
    this.reading.abort();
    this.reading = new AbortController();
    void this.readOn(this.reading.signal);
  }

  private async readOn(signal: AbortSignal): Promise<void> {
    const { file } = this.host;
    while (!signal.aborted && file !== undefined) {
      const [tensor, ...others] = this.wanted;
      this.current = tensor;
      if (tensor === undefined) return;
      this.wanted = others;
      try {
        const statistics = await this.host.engine.request(getTensorStatistics, { file, tensor }, signal);
        if (!signal.aborted) this.send({ kind: 'statistics', tensor, statistics });
      } catch (error) {
        if (!signal.aborted) this.send({ kind: 'noStatistics', tensor, message: this.sentence(error) });
      }
    }
  }

  private async tellSlice(asked: PageSlice): Promise<void> {
    this.slicing.abort();
    const { signal } = this.slicing = new AbortController();
    const { file } = this.host;
    if (file === undefined) return;
    try {
      const slice = await this.host.engine.request(getTensorSlice, { file, ...asked }, signal);
      if (!signal.aborted) this.send({ kind: 'slice', asked, slice });
    } catch (error) {
      if (!signal.aborted) this.send({ kind: 'noSlice', asked, message: this.sentence(error) });
    }
  }

  private abandon(): void {
    for (const controller of [this.opening, this.reading, this.slicing]) controller.abort();
    this.wanted = [];
    this.current = undefined;
    this.lost = false;
  }

  private tellProblem(error: unknown): void {
    if (error instanceof CancelledError) return;
    this.send({ kind: 'problem', message: this.sentence(error), final: false });
  }

  private sentence(error: unknown): string {
    // The engine may have ended before it could answer.
    if (this.host.engine.state.kind !== 'ready') this.lost = true;
    return error instanceof UserError ? error.message : this.host.explain(error);
  }

  private send(message: ToCheckpointPage): void {
    if (this.listening && !this.lifetime.isEnded) this.host.send(message);
  }
}
