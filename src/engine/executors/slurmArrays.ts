import * as v from 'valibot';
import { runsLimit } from '../../protocol/sweep';
import { keptLimit } from '../../store/sweepRecords';
import { taskList, taskNumbers } from './taskList';

/** An array of jobs that Slurm has taken: task `k` trains the run `k + offset`. */
export interface SubmittedArray {
  readonly id: string;
  readonly offset: number;
  /** Ascending. */
  readonly runs: readonly number[];
}

/** Arrays that are followed with one call, whose command line has all their ids. */
const arraysLimit = 1000;

const KeptSchema = v.strictObject({
  arrays: v.pipe(v.array(v.strictObject({
    id: v.pipe(v.string(), v.regex(/^\d{1,10}$/)),
    offset: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(runsLimit)),
    tasks: v.string(),
  })), v.maxLength(arraysLimit)),
});

/** What is kept with a sweep to find its arrays again. */
export function formatArrays(arrays: readonly SubmittedArray[]): string {
  return JSON.stringify({ arrays: arrays.map(({ id, offset, runs }) => ({ id, offset, tasks: taskList(runs.map(run => run - offset)) })) });
}

/** None for what is none of {@link formatArrays}. */
export function parseArrays(kept: string | undefined): readonly SubmittedArray[] {
  const result = v.safeParse(v.pipe(v.string(), v.maxLength(keptLimit), v.parseJson(), KeptSchema), kept);
  if (!result.success) return [];
  const arrays = result.output.arrays.map(({ id, offset, tasks }) => ({ id, offset, runs: taskNumbers(tasks)?.map(task => task + offset) ?? [] }));
  return arrays.every(({ runs }) => runs.length > 0) ? arrays : [];
}

/** Whether arrays can be found again, once Slurm has given them ids of at most ten digits. */
export function canBeKept(arrays: readonly Omit<SubmittedArray, 'id'>[]): boolean {
  return parseArrays(formatArrays(arrays.map(array => ({ ...array, id: '9'.repeat(10) })))).length === arrays.length;
}

/** The array that each run was submitted in last. */
export function arraysByRun(arrays: readonly SubmittedArray[]): ReadonlyMap<number, SubmittedArray> {
  return new Map(arrays.flatMap(array => array.runs.map(run => [run, array] as const)));
}
