import { openRuntime } from '../compile/devices';
import { gflopPerStep } from '../training/bench';
import { prepare } from '../training/experiment';
import { runTraining } from '../training/loop';
import { serveTrainer } from './serveTrainer';
import { tensorflowFolder } from './tensorflow';

/** The process of one run. */
serveTrainer({
  prepare,
  openRuntime: ({ device, threads, background }, prepared) => {
    const folder = tensorflowFolder();
    return openRuntime({
      device, threads, spin: !background,
      ...(device === 'auto' && { gflopPerStep: gflopPerStep(prepared) }),
      ...(folder !== undefined && { tensorflowFolder: folder }),
    });
  },
  run: runTraining,
});
