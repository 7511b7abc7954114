import { runsLimit } from '../../protocol/sweep';

/** Ascending numbers as Slurm lists the tasks of an array: `0-3,7`. */
export function taskList(numbers: readonly number[]): string {
  const stretches: { from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = stretches.at(-1);
    if (last && number === last.to + 1) last.to = number;
    else stretches.push({ from: number, to: number });
  }
  return stretches.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** The numbers of such a list; `undefined` for what is none, and for one of more tasks than a sweep has runs. */
export function taskNumbers(list: string): number[] | undefined {
  const numbers: number[] = [];
  for (const stretch of list.split(',')) {
    const [, from, to = from] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(stretch) ?? [];
    if (from === undefined || Number(to) < Number(from) || Number(to) - Number(from) + numbers.length >= runsLimit) return undefined;
    for (let number = Number(from); number <= Number(to); number++) numbers.push(number);
  }
  return numbers;
}
