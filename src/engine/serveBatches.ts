import { parentPort } from 'node:worker_threads';
import type { Examples } from '../tasks/task';
import type { TrainingData } from '../training/data';

/** Makes this thread one that draws a run's batches: it is sent steps, and answers each with its batch in turn, until its port closes. */
export function serveBatches(data: TrainingData): void {
  parentPort?.on('message', (steps: readonly number[]) => {
    for (const step of steps) {
      const { tokens, labels } = data.batch(step);
      parentPort?.postMessage({ tokens, labels } satisfies Examples, [ownBuffer(tokens), ownBuffer(labels)]);
    }
  });
}

/** The memory of a tensor that was made for this batch, to be handed over rather than copied. */
function ownBuffer({ data }: Examples['tokens']): ArrayBuffer {
  if (!(data.buffer instanceof ArrayBuffer)) throw new TypeError('a batch lies in memory of its own');
  return data.buffer;
}
