import type { Checkpoint } from '../protocol/trainer';

/** Something to wait for until it is opened. */
interface Gate {
  readonly over: Promise<void>;
  open(): void;
}

/** How a run is steered from outside: paused, continued and ended between two steps, and held at its checkpoints. */
export class RunSteering {
  private readonly controller = new AbortController();
  private pause: Gate | undefined;
  /** Open when the checkpoint of the step has been looked at. */
  private look: (Gate & Pick<Checkpoint, 'step'>) | undefined;
  private watched = false;
  /** Whether it pauses at the next checkpoint. */
  private stepping = false;
  private reason: 'stopped' | 'interrupted' = 'stopped';

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get isPaused(): boolean {
    return this.pause !== undefined;
  }

  /** What the run's end counts as, where it was ended: by people, or because whoever had started it is gone. */
  get endedAs(): 'stopped' | 'interrupted' {
    return this.reason;
  }

  setPaused(paused: boolean): void {
    if (this.signal.aborted) return;
    this.stepping = false;
    if (paused) {
      this.pause ??= gate();
    } else {
      this.pause?.open();
      this.pause = undefined;
    }
  }

  /** Lets it go on to the next checkpoint, where it pauses. */
  step(): void {
    this.setPaused(false);
    this.stepping = true;
  }

  /** Whether somebody looks at the checkpoints, and the run holds at each until they have. */
  setWatched(watched: boolean): void {
    this.watched = watched;
    if (!watched) this.look?.open();
  }

  /** The checkpoint of a step has been looked at. */
  goOn(step: number): void {
    if (this.look?.step === step) this.look.open();
  }

  end(as: 'stopped' | 'interrupted'): void {
    if (!this.signal.aborted) this.reason = as;
    this.setPaused(false);
    this.look?.open();
    this.controller.abort();
  }

  /** The run has come to a checkpoint. Resolves when somebody has looked at it; nothing where nobody will. */
  arrive({ step, isNew }: Checkpoint): Promise<void> | undefined {
    if (this.stepping && isNew) this.setPaused(true);
    if (!this.watched || this.signal.aborted) return undefined;
    this.look = { ...gate(), step };
    return this.look.over;
  }

  /** Resolves at once, or when a pause ends. */
  ready(): Promise<void> | undefined {
    return this.pause?.over;
  }
}

function gate(): Gate {
  let open = () => {};
  const over = new Promise<void>(resolve => (open = resolve));
  return { over, open };
}
