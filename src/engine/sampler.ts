import { parentPort, workerData } from 'node:worker_threads';
import { taskOf } from '../tasks/registry';
import { trainingData } from '../training/data';
import type { Examples } from '../tasks/task';
import type { SamplerStart } from './batchesAhead';

/** The thread that draws a run's batches: it is sent steps, and answers each with its batch in turn, until its port closes. */
const { task, batch, seed } = workerData as SamplerStart;
const data = trainingData(taskOf(task), batch, seed);

parentPort?.on('message', (steps: readonly number[]) => {
  for (const step of steps) {
    const { tokens, labels } = data.batch(step);
    parentPort?.postMessage({ tokens, labels } satisfies Examples, [ownBuffer(tokens), ownBuffer(labels)]);
  }
});

/** The memory of a tensor that was made for this batch, to be handed over rather than copied. */
function ownBuffer({ data }: Examples['tokens']): ArrayBuffer {
  if (!(data.buffer instanceof ArrayBuffer)) throw new TypeError('a batch lies in memory of its own');
  return data.buffer;
}
