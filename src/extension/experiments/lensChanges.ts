import { Emitter } from '../../common/event';
import { toDisposable, type Disposable } from '../../common/lifetime';

/** Milliseconds between two drawings of lenses: a training tells of its steps more often than anybody reads. */
const drawEvery = 1000;

/**
 * Tells VS Code that lenses have changed, and then no more until it has asked for them: it puts drawing them off for as long
 * as it is told of more, and for the longer the slower they were the first time.
 */
export class LensChanges implements Disposable {
  private readonly changes = new Emitter<void>();
  private state: 'quiet' | 'told' | 'asked' = 'quiet';
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly end = toDisposable(() => {
    clearTimeout(this.timer);
    this.changes.dispose();
  });
  readonly event = this.changes.event;

  tell(): void {
    this.again = this.state !== 'quiet';
    if (this.again) return;
    this.state = 'told';
    this.changes.fire();
  }

  /** VS Code has asked for the lenses, of one document or another. */
  asked(): void {
    if (this.state !== 'told') return;
    this.state = 'asked';
    this.timer = setTimeout(() => {
      this.state = 'quiet';
      if (this.again) this.tell();
    }, drawEvery);
  }

  dispose(): void {
    this.end.dispose();
  }
}
