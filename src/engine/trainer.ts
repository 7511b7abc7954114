import path from 'node:path';
import { openRuntime } from '../compile/devices';
import { gflopPerStep } from '../training/bench';
import { prepare } from '../training/experiment';
import { runTraining } from '../training/loop';
import { BatchesAhead } from './batchesAhead';
import { serveTrainer } from './serveTrainer';
import { tensorflowSetUp } from './tensorflow';

/** The process of one run. */
serveTrainer({
  prepare,
  openRuntime: ({ device, threads, background }, prepared) => openRuntime({
    device, threads, spin: !background, ...tensorflowSetUp(),
    ...(device === 'auto' && { gflopPerStep: gflopPerStep(prepared) }),
  }),
  run: async (prepared, runtime, host, resumeFrom, origin) => {
    // The examples of a fixed training set are there already.
    const batches = prepared.task.split ? undefined : new BatchesAhead(prepared, { sampler: path.join(__dirname, 'sampler.js'), taskModule: path.join(__dirname, 'taskModule.js') });
    try {
      return await runTraining(prepared, runtime, host, resumeFrom, origin, batches);
    } finally {
      batches?.dispose();
    }
  },
});
