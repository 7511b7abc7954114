/** How a run is steered from outside: paused, continued and ended between two steps. */
export class RunSteering {
  private readonly controller = new AbortController();
  private pause: { readonly over: Promise<void>; end(): void } | undefined;
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
    if (paused === this.isPaused || this.signal.aborted) return;
    if (paused) {
      let end = () => {};
      const over = new Promise<void>(resolve => (end = resolve));
      this.pause = { over, end };
    } else {
      this.pause?.end();
      this.pause = undefined;
    }
  }

  end(as: 'stopped' | 'interrupted'): void {
    if (!this.signal.aborted) this.reason = as;
    this.setPaused(false);
    this.controller.abort();
  }

  /** Resolves at once, or when a pause ends. */
  ready(): Promise<void> | undefined {
    return this.pause?.over;
  }
}
