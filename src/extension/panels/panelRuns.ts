import type { Disposable } from '../../common/lifetime';
import type { AnalysisRequest, AnalysisResult } from '../../protocol/analysis';
import { analysisProgress, analyze } from '../../protocol/engine';
import type { Engine } from '../engine';

/** Milliseconds after which a run that was overtaken is given up: what takes longer is not scrubbed through. */
const patience = 5000;
/** Milliseconds for which a run that follows a slider is not spoken of: most are over by then. */
const silence = 150;

/** Who waits for a run: whoever asked for it, whoever moves through training, or nobody, where it follows a training. */
export type RunKind = 'asked' | 'moved' | 'followed';

export interface RunsHost {
  readonly engine: Pick<Engine, 'requestWithProgress'>;
  /** What to run next, as it is wanted when the run begins. */
  request(): AnalysisRequest;
  began(): void;
  /** Somebody waits for what has begun. */
  working(): void;
  progressed(progress: { readonly fraction: number; readonly message?: string }): void;
  brought(result: AnalysisResult, request: AnalysisRequest, partial: boolean): void;
  failed(error: unknown): void;
  /** Nothing runs any more, and nothing waits to. */
  rested(): void;
}

/** The runs of a panel's analysis, one at a time: what any but the last one brings is dropped. */
export class PanelRuns implements Disposable {
  private running: AbortController | undefined;
  /** Set while another run waits for the one under way; it is over when that has ended, or when the patience has. */
  private waiting: NodeJS.Timeout | undefined;
  private count = 0;
  private ended = false;

  constructor(private readonly host: RunsHost) {}

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Runs in place of what is under way. It tells that it works, and how far it is, where somebody waits. */
  async run(kind: RunKind): Promise<void> {
    this.stop();
    if (this.ended) return;
    const { host } = this;
    const abort = new AbortController();
    this.running = abort;
    const counts = () => this.running === abort;
    host.began();
    let tells = false;
    const tell = () => {
      tells = counts();
      if (tells) host.working();
    };
    if (kind === 'asked') tell();
    const telling = kind === 'moved' ? setTimeout(tell, silence) : undefined;
    const request = host.request();
    const token = `${request.analysis}/${request.model}/${this.count++}`;
    try {
      const result = await host.engine.requestWithProgress(analyze, { ...request, progress: token }, {
        type: analysisProgress,
        token,
        listener: ({ fraction, message, partial }) => {
          if (!counts() || kind === 'followed') return;
          if (tells) host.progressed({ fraction, ...(message === undefined ? {} : { message }) });
          if (partial) host.brought(partial, request, true);
        },
      }, abort.signal);
      if (counts()) host.brought(result, request, false);
    } catch (error) {
      if (counts()) host.failed(error);
    } finally {
      clearTimeout(telling);
    }
    if (!counts()) return;
    this.running = undefined;
    if (this.waiting === undefined) host.rested();
    else await this.run('moved');
  }

  /**
   * Runs once what is under way has ended and its figures were shown, however often it is called meanwhile: who wishes
   * faster than the engine works sees each figure that it makes, and the newest wish last.
   */
  runNext(): void {
    if (!this.running) void this.run('moved');
    else this.waiting ??= setTimeout(() => void this.run('moved'), patience);
  }

  stop(): void {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    this.running?.abort();
    this.running = undefined;
  }

  dispose(): void {
    this.ended = true;
    this.stop();
  }
}
