import { openRuntime } from '../compile/devices';
import { gflopPerStep } from '../training/bench';
import { prepare } from '../training/experiment';
import { runTraining } from '../training/loop';
import { serveTrainer } from './serveTrainer';
import { tensorflowSetUp } from './tensorflow';

/** The process of one run. */
serveTrainer({
  prepare,
  openRuntime: ({ device, threads, background }, prepared) => openRuntime({
    device, threads, spin: !background, ...tensorflowSetUp(),
    ...(device === 'auto' && { gflopPerStep: gflopPerStep(prepared) }),
  }),
  run: runTraining,
});
