/** Lets what is done to one thing happen one after another, while other things go on. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Runs `work` when nobody else does something to `id` that must not be done twice at once. */
  async alone<T>(id: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.last.get(id) ?? Promise.resolve()).catch(() => undefined).then(work);
    this.last.set(id, mine);
    try {
      return await mine;
    } finally {
      if (this.last.get(id) === mine) this.last.delete(id);
    }
  }
}
