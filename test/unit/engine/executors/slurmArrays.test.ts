import { expect, test } from 'vitest';
import { canBeKept, formatArrays, parseArrays } from '../../../../src/engine/executors/slurmArrays';
import { experimentFileLimit } from '../../../../src/protocol/experiment';
import { runsLimit } from '../../../../src/protocol/sweep';
import { sweepIdOf, SweepRecords } from '../../../../src/store/sweepRecords';
import { temporaryFolder } from '../../store/folders';

const usualLimit = 1001;

/** These runs of the largest sweep in arrays of so many tasks. */
function arraysOf(runs: readonly number[], limit: number) {
  const arrays: { readonly id: string; readonly offset: number; readonly runs: number[] }[] = [];
  for (const run of runs) {
    const offset = run - (run % limit);
    if (arrays.at(-1)?.offset !== offset) arrays.push({ id: '4000000000', offset, runs: [] });
    arrays.at(-1)?.runs.push(run);
  }
  return arrays;
}

const every = Array.from({ length: runsLimit }, (_, run) => run);
const second = every.filter(run => run % 2 === 0);

test('arrays are found again as they were submitted', () => {
  const arrays = [{ id: '7', offset: 0, runs: [0, 1, 2, 5] }, { id: '8', offset: 1000, runs: [1003] }];
  expect(parseArrays(formatArrays(arrays))).toEqual(arrays);
});

test.each([['in usual arrays', every, usualLimit], ['every second run', second, usualLimit], ['every second run in one array', second, runsLimit]] as const)(
  'the largest sweep can be kept, beside the longest text: %s',
  async (_, runs, limit) => {
    const arrays = arraysOf(runs, limit);
    expect(canBeKept(arrays)).toBe(true);
    const records = new SweepRecords(await temporaryFolder(), () => undefined);
    const id = sweepIdOf([]);
    // A character takes three bytes at most, as two surrogates take four.
    const text = '語'.repeat(experimentFileLimit);
    await records.write({ format: 1, id, name: 'large', text, options: { executor: 'slurm', parallel: 0 }, createdAt: 0, kept: formatArrays(arrays) });
    expect(parseArrays((await records.read(id)).kept)).toEqual(arrays);
  },
);

test('more arrays than can be followed cannot be kept', () => {
  expect(canBeKept(arraysOf(every, 2))).toBe(false);
});
