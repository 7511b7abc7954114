import { UserError } from '../../common/errors';

/** Each may be a training of its own. */
const most = 100;
const largest = 0x7fff_ffff;

/**
 * The seeds that a text names, ascending: `0-4`, or `0, 3, 7`, or both.
 * @throws UserError for a text that names none
 */
export function parseSeeds(text: string): readonly number[] {
  const parts = text.split(',').map(part => /^\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?$/.exec(part));
  const seeds = new Set<number>();
  for (const part of parts) {
    if (!part) throw new UserError('Seeds are written like "0-4" or "0, 3, 7".');
    const first = Number(part[1]);
    const last = Number(part[2] ?? part[1]);
    if (last < first) throw new UserError(`"${part[0].trim()}" runs backwards; write "${last}-${first}".`);
    if (last > largest) throw new UserError(`A seed is at most ${largest}.`);
    for (let seed = first; seed <= last && seeds.size <= most; seed++) seeds.add(seed);
  }
  if (seeds.size > most) throw new UserError(`At most ${most} seeds are run at a time.`);
  return [...seeds].sort((a, b) => a - b);
}
