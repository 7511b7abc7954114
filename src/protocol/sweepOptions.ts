import * as v from 'valibot';
import { executors, type SweepOptions } from './sweep';

/** What a cluster is told goes into a script's lines: one line, and no more of it than any cluster needs. */
const clusterText = v.pipe(
  v.string(), v.minLength(1, 'it is empty'), v.maxLength(200), v.regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'it must be one line of plain text'),
);

export const SweepOptionsSchema = v.strictObject({
  executor: v.picklist(executors),
  parallel: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)),
  slurm: v.exactOptional(v.strictObject({
    partition: v.exactOptional(clusterText),
    time: v.exactOptional(clusterText),
    memory: v.exactOptional(clusterText),
    gres: v.exactOptional(clusterText),
  })),
  force: v.exactOptional(v.boolean()),
}) satisfies v.GenericSchema<unknown, SweepOptions>;
