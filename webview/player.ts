import type { Disposable } from '../src/common/lifetime';
import type { CheckpointStep } from './controls/checkpoint';

/** Frames a second, at most; with less motion no more than do not count as flashing. */
const [fastest, fastestCalm] = [15, 3];

export interface PlayerHost {
  /** Whether there is nothing further to play. */
  atEnd(): boolean;
  /** Moves to the next checkpoint, and says which. */
  advance(): CheckpointStep;
  /** Resolves once everything that is to be drawn has been. */
  drawn(): Promise<void>;
  changed(playing: boolean): void;
}

/** Plays through checkpoints: as fast as their figures come, and never on to the next before those of the last are drawn. */
export class Player implements Disposable {
  private frame: { readonly step: CheckpointStep; readonly began: number } | undefined;
  private readonly calm = window.matchMedia('(prefers-reduced-motion: reduce)');

  constructor(private readonly host: PlayerHost) {}

  get isPlaying(): boolean {
    return this.frame !== undefined;
  }

  toggle(): void {
    if (this.frame) this.stop();
    else this.next();
  }

  stop(): void {
    if (!this.frame) return;
    this.frame = undefined;
    this.host.changed(false);
  }

  /** The figures of a checkpoint are there, and are being drawn. */
  async brought(step: CheckpointStep): Promise<void> {
    const { frame } = this;
    if (!frame || frame.step !== step) return;
    await this.host.drawn();
    const shortest = 1000 / (this.calm.matches ? fastestCalm : fastest);
    await new Promise(resolve => setTimeout(resolve, frame.began + shortest - performance.now()));
    // Paused meanwhile, and perhaps played on.
    if (this.frame !== frame) return;
    if (this.host.atEnd()) this.stop();
    else this.next();
  }

  dispose(): void {
    this.frame = undefined;
  }

  private next(): void {
    const starts = this.frame === undefined;
    this.frame = { step: this.host.advance(), began: performance.now() };
    if (starts) this.host.changed(true);
  }
}
