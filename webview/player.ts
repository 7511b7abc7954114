import type { Disposable } from '../src/common/lifetime';
import type { CheckpointStep } from './controls/checkpoint';

/** Frames a second, at most; with less motion no more than do not count as flashing. */
const [fastest, fastestCalm] = [15, 3];

/** Frames that have been asked for and are not drawn yet, at most. */
const mostAhead = 2;

export interface PlayerHost {
  /** Where it stands. */
  at(): CheckpointStep;
  /** What is played after a checkpoint; the first one after the last. */
  next(after: CheckpointStep): CheckpointStep;
  isLast(step: CheckpointStep): boolean;
  /** Asks for the figures of a checkpoint. */
  ask(step: CheckpointStep): void;
  /** Stands at a checkpoint whose figures have been asked for. */
  settle(step: CheckpointStep): void;
  /** Resolves once everything that is to be drawn has been. */
  drawn(): Promise<void>;
  changed(playing: boolean): void;
}

interface PlayedFrame {
  readonly step: CheckpointStep;
  /** Shows its figures, once they have come. */
  show?: () => void;
}

/** Plays through checkpoints as fast as their figures come and are drawn: while some are drawn, the next are made. */
export class Player implements Disposable {
  /** What has been asked for and is not shown yet, in order; only the last can still be on its way. */
  private frames: PlayedFrame[] = [];
  private playing = false;
  private shownAt = -Infinity;
  private readonly calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  constructor(private readonly host: PlayerHost) {}

  get isPlaying(): boolean {
    return this.playing;
  }

  /** Whether it plays, and asked for this checkpoint last. */
  isAskedFor(step: CheckpointStep): boolean {
    return this.playing && this.frames.at(-1)?.step === step;
  }

  toggle(): void {
    if (this.playing) this.stop();
    else this.start();
  }

  /** Pauses, and stands at the checkpoint that was asked for last. */
  stop(): void {
    if (!this.playing) return;
    const last = this.frames.at(-1);
    this.frames.findLast(({ show }) => show)?.show?.();
    this.end(last ? last.step : this.host.at());
  }

  /** Pauses where something else has moved to: what was asked for is not waited for. */
  stopAt(step: CheckpointStep): void {
    if (this.playing) this.end(step);
  }

  /** The figures of a checkpoint have come. Those that are played to are shown once the ones before are drawn, others at once. */
  bring(step: CheckpointStep, show: () => void): void {
    const frame = this.frames.find(each => each.step === step);
    if (!frame) {
      show();
      return;
    }
    const isNew = !frame.show;
    frame.show = show;
    if (!isNew) return;
    this.askAhead(step);
    if (this.frames[0] === frame) void this.showAll();
  }

  dispose(): void {
    this.playing = false;
    this.frames = [];
  }

  private end(step: CheckpointStep): void {
    this.playing = false;
    this.frames = [];
    this.host.settle(step);
    this.host.changed(false);
  }

  private start(): void {
    this.playing = true;
    this.ask(this.host.next(this.host.at()));
    this.host.changed(true);
  }

  /** Asks for what comes after a checkpoint, unless there is enough to draw. */
  private askAhead(step: CheckpointStep): void {
    if (this.frames.length < mostAhead && !this.host.isLast(step)) this.ask(this.host.next(step));
  }

  private ask(step: CheckpointStep): void {
    this.frames.push({ step });
    this.host.ask(step);
  }

  /** Shows the frames that have come, each once the one before is drawn and has been there for long enough. */
  private async showAll(): Promise<void> {
    for (let [frame] = this.frames; frame?.show; [frame] = this.frames) {
      await this.host.drawn();
      const shortest = 1000 / (this.calm.matches ? fastestCalm : fastest);
      await new Promise(resolve => setTimeout(resolve, this.shownAt + shortest - performance.now()));
      // Paused meanwhile, and perhaps played on with others.
      if (this.frames[0] !== frame) return;
      this.frames.shift();
      this.shownAt = performance.now();
      this.host.settle(frame.step);
      frame.show();
      const last = this.frames.at(-1) ?? frame;
      if (last.show) this.askAhead(last.step);
      if (this.frames.length === 0) this.stop();
    }
  }
}
