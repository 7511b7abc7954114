/** Allows a few restarts within a while, so that an engine that cannot live does not keep the machine busy dying. */
export class RestartPolicy {
  private times: number[] = [];

  constructor(
    private readonly now: () => number,
    readonly most = 4,
    /** Milliseconds. */
    readonly within = 3 * 60_000,
  ) {}

  /** Whether one more restart is allowed now; counts it if so. */
  allows(): boolean {
    const now = this.now();
    this.times = this.times.filter(time => now - time < this.within);
    if (this.times.length >= this.most) return false;
    this.times.push(now);
    return true;
  }

  forget(): void {
    this.times = [];
  }
}
