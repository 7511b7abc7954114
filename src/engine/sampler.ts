import { workerData } from 'node:worker_threads';
import { taskOf } from '../tasks/registry';
import { trainingData } from '../training/data';
import type { SamplerStart } from './batchesAhead';
import { serveBatches } from './serveBatches';

/** The thread that draws the batches of a run on a built-in task. */
const { task, batch, seed } = workerData as SamplerStart;
serveBatches(trainingData(taskOf(task), batch, seed));
