import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../../../src/common/errors';
import { float32 } from '../../../src/common/tensor';
import { serveTrainer } from '../../../src/engine/serveTrainer';
import { initialParameters } from '../../../src/model/parameters';
import { prepare, type PreparedExperiment } from '../../../src/training/experiment';
import type { RunHost, RunOutcome, TrainingState } from '../../../src/training/run';

// A trainer whose arithmetic only counts: the bias of the unembedding holds the number of steps, a step takes a
// millisecond, and the description of the experiment says how it misbehaves once it has taken `checkpointEvery` steps.

serveTrainer({
  prepare,
  openRuntime: () => Promise.resolve({
    description: 'nothing',
    compile: () => Promise.reject(new Error('nothing is compiled here')),
    dispose: () => console.error('the runtime is disposed'),
  }),
  run,
});
console.error(`trainer ${process.pid}`);

async function run(prepared: PreparedExperiment, _: unknown, host: RunHost, resumeFrom?: TrainingState): Promise<RunOutcome> {
  const { training, description } = prepared.resolved;
  let step = resumeFrom?.parameters.get('unembed.b_U')?.data[0] ?? 0;
  const outcome = (status: RunOutcome['status']) => ({ status, state: stateAt(prepared, step), metrics: { trainLoss: 1 / (step + 1) }, secondsPerStep: 0.001 });
  while (step < training.steps) {
    await host.ready();
    if (host.signal.aborted) {
      await host.checkpoint(stateAt(prepared, step));
      return outcome('stopped');
    }
    host.metrics({ step, seconds: step / 1000, trainLoss: 1 / (step + 1) });
    await wait(1);
    step++;
    host.progress({ step, steps: training.steps, secondsPerStep: 0.001 }, { trainLoss: 1 / (step + 1) });
    if (step % training.checkpointEvery !== 0) continue;
    await host.checkpoint(stateAt(prepared, step));
    misbehave(description);
  }
  await host.checkpoint(stateAt(prepared, step));
  return outcome('finished');
}

function misbehave(how: string | undefined): void {
  switch (how) {
    case 'hangs': for (;;);
    case 'fails': throw new UserError('The loss stopped being a number.');
    case 'is broken': throw new TypeError('cannot read');
    case 'needs too much memory': throw new RangeError('Array buffer allocation failed');
    case 'vanishes': process.exit(7);
  }
}

function stateAt(prepared: PreparedExperiment, step: number): TrainingState {
  const parameters = initialParameters(prepared.config, prepared.resolved.seed);
  const { shape } = parameters.get('unembed.b_U') ?? { shape: [1] };
  return { step, seconds: step / 1000, streak: 0, parameters: new Map([...parameters, ['unembed.b_U', filled(shape, step)]]), moments: new Map() };
}

function filled(shape: readonly number[], value: number) {
  const tensor = float32(shape);
  tensor.data.fill(value);
  return tensor;
}
