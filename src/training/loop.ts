import { UserError } from '../common/errors';
import { float32, type HostTensor } from '../common/tensor';
import type { Executable, Runtime } from '../compile/runtime';
import type { ParameterValuesByName } from '../model/parameters';
import type { Metrics, MetricsRow } from '../protocol/model';
import type { Examples } from '../tasks/task';
import { median } from '../common/median';
import { trainingData, type Batches } from './data';
import { Evaluator } from './evaluate';
import type { PreparedExperiment } from './experiment';
import { stepScalars } from './optimizer';
import { startingParameters } from './start';
import { initialVectors, pack, stateOf, type Vectors } from './state';
import type { RunHost, RunOutcome, TrainingState } from './run';
import { layoutOf, trainingStep, trainingStepInputs } from './step';
import { StopRule } from './stopRule';

/** Training losses between evaluations are thinned to about this many a run. */
const rowsPerRun = 1000;

/**
 * Trains a model, or goes on from a state; the weights of the model that it starts from, where it starts from one, are
 * `origin`. The same experiment gives the same numbers on the same machine, and a run that
 * is stopped and resumed gives bit for bit those of one that was not: each batch has its own random stream, named by its step,
 * wherever it is drawn.
 * @throws UserError when the loss stops being a number.
 */
export async function runTraining(
  prepared: PreparedExperiment, runtime: Runtime, host: RunHost, resumeFrom?: TrainingState, origin?: ParameterValuesByName,
  batches: Batches = trainingData(prepared.task, prepared.resolved.training.batch, prepared.resolved.seed),
): Promise<RunOutcome> {
  const { config, resolved, task } = prepared;
  const { training } = resolved;
  const layout = layoutOf(config);
  const values = resumeFrom?.parameters ?? startingParameters(prepared, origin);
  const frozen = float32([layout.frozenSize], pack(layout.frozen, name => values.get(name)));
  const compileStep = () => runtime.compile('training step', trainingStep(config, training, task), trainingStepInputs(config, task, batches.size));
  const evaluator = await Evaluator.create(prepared, runtime, frozen);
  const rule = new StopRule(training.stopWhen, resumeFrom?.streak ?? 0);
  const clock = new StepClock(resumeFrom?.seconds ?? 0);

  let step: Executable | undefined;
  let current = initialVectors(layout, values, resumeFrom?.moments);
  let spare = initialVectors(layout, values);
  const scalars = float32([3]);
  const lossOut = float32([]);
  let metrics: Metrics = {};
  let done = resumeFrom?.step ?? 0;
  const state = () => stateOf(layout, current, frozen, { step: done, seconds: clock.seconds, streak: rule.streak });
  const stopped = async (): Promise<RunOutcome> => {
    await host.checkpoint(state());
    return { status: 'stopped', state: state(), metrics, secondsPerStep: clock.median() };
  };
  const rowEvery = Math.max(1, Math.round(training.steps / rowsPerRun));

  while (done < training.steps) {
    await host.ready();
    if (host.signal.aborted) return stopped();
    const evaluated = done % training.evaluateEvery === 0 ? await evaluator.evaluate(current.parameters) : undefined;

    const compiled = step ??= await compileStep();
    const batch = await unlessAborted(host.signal, batches.batch(done + 1));
    if (!batch) return stopped();
    scalars.data.set(stepScalars(training, done + 1));
    await clock.time(() => runStep(compiled, current, spare, frozen, scalars, batch, lossOut));
    const trainLoss = lossOut.data[0] ?? Number.NaN;
    if (!Number.isFinite(trainLoss)) throw new UserError(`The loss stopped being a number at step ${done}; a lower learning rate usually mends it.`);
    metrics = { ...metrics, ...evaluated, trainLoss };
    if (evaluated || done % rowEvery === 0) {
      const row: MetricsRow = { step: done, seconds: clock.seconds, trainLoss, ...evaluated };
      host.metrics(row);
    }
    [current, spare] = [spare, current];
    done++;
    host.progress({ step: done, steps: training.steps, secondsPerStep: clock.median() }, metrics);
    if (evaluated && rule.holds(metrics)) break;
    if (training.checkpointEvery > 0 && done % training.checkpointEvery === 0 && done < training.steps) await host.checkpoint(state());
  }

  const trainLoss = await evaluator.trainLoss(current.parameters, await batches.batch(done + 1));
  metrics = { ...(await evaluator.evaluate(current.parameters)), trainLoss };
  host.metrics({ step: done, seconds: clock.seconds, ...metrics });
  host.progress({ step: done, steps: training.steps, secondsPerStep: clock.median() }, metrics);
  await host.checkpoint(state());
  return { status: 'finished', state: state(), metrics, secondsPerStep: clock.median() };
}

async function runStep(
  step: Executable, from: Vectors, to: Vectors, frozen: HostTensor, scalars: HostTensor, batch: Examples, loss: HostTensor,
): Promise<void> {
  const inputs = [from.parameters, from.first, from.second, frozen, scalars, batch.tokens, batch.labels];
  await step.run(inputs, [to.parameters, to.first, to.second, loss]);
}

/** A value, at once where it is there; of one that is not yet, undefined when the signal is aborted before it is. */
function unlessAborted<T extends object>(signal: AbortSignal, value: T | Promise<T>): T | Promise<T | undefined> {
  if (!(value instanceof Promise)) return value;
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined);
    // Not a race against one promise of the whole run, which would keep every batch.
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    value.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Times the steps: seconds in all, and the median of the last hundred. */
class StepClock {
  private readonly recent: number[] = [];
  private latest = 0;
  private count = 0;

  constructor(public seconds: number) {}

  async time(work: () => Promise<void>): Promise<void> {
    const start = performance.now();
    await work();
    const elapsed = (performance.now() - start) / 1000;
    this.seconds += elapsed;
    this.recent.push(elapsed);
    if (this.recent.length > 100) this.recent.shift();
    if (this.recent.length < 10 || ++this.count % 20 === 0) this.latest = median(this.recent);
  }

  median(): number {
    return this.latest;
  }
}
