/** Long enough for what is there; what moved meanwhile is looked for again. */
export const aTry = { timeout: 2000 };

/** Long enough for what an act brings about; without it the act is done again. */
export const anEffect = { timeout: 5000 };

/**
 * Asks again until `ask` gives something else than undefined, and returns that; throws, naming `what` was waited for,
 * when it takes too long. For conditions that the browser gives no event for: a list that is drawn row by row, a frame
 * inside a frame. An error that `ask` throws counts as undefined, since elements come and go while a page settles.
 *
 * An act whose key or click may be lost while a page is drawn anew is part of `ask`, with the wait for what it brings
 * about, if it does no harm to act twice. The limit is for slow machines: a wait that succeeds costs nothing.
 */
export async function eventually<Found>(
  what: string,
  ask: () => Promise<Found | undefined>,
  timeoutMilliseconds = 120_000,
): Promise<Found> {
  const deadline = Date.now() + timeoutMilliseconds;
  let lastError: unknown;
  for (;;) {
    try {
      const found = await ask();
      if (found !== undefined) return found;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`Waited ${timeoutMilliseconds / 1000} s in vain for ${what}.`, { cause: lastError });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
