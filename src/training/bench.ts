import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { throwIfCancelled } from '../common/errors';
import { median } from '../common/median';
import { float32 } from '../common/tensor';
import type { Runtime } from '../compile/runtime';
import { trace } from '../compile/tracing';
import { flopOf, productsOf, type Product } from '../compile/work';
import { initialParameters } from '../model/parameters';
import { trainingData } from './data';
import type { PreparedExperiment } from './experiment';
import { stepScalars } from './optimizer';
import { initialVectors, pack } from './state';
import { layoutOf, trainingStep, trainingStepInputs } from './step';

export interface BenchResult {
  /** Median of the timed steps. */
  readonly secondsPerStep: number;
  /** Work of the step's matrix products, after pruning, in 10⁹ floating-point operations. */
  readonly gflopPerStep: number;
  /** What the runtime's own matrix product reaches on the step's largest product, in 10⁹ operations a second. */
  readonly matmulGflops: number;
  /** `gflopPerStep / matmulGflops`: the time of a step that did nothing but its products, each as fast as that. */
  readonly floorSeconds: number;
}

/** The work of one step in GFLOP, without running it; `auto` chooses a device by it. */
export function gflopPerStep(prepared: PreparedExperiment): number {
  return gflopOf(stepProducts(prepared));
}

/** The products of a step after pruning, and without the zeros that packed sequences are padded with. */
function stepProducts({ config, resolved: { training, seed }, task }: PreparedExperiment): readonly Product[] {
  const { size } = trainingData(task, training.batch, seed);
  return productsOf(trace(trainingStep(config, training, task, false), trainingStepInputs(config, task, size)));
}

/**
 * Times training steps and, turn about with them, the largest of their matrix products on its own, so that both meet the
 * same moods of a shared machine.
 */
export async function benchExperiment(prepared: PreparedExperiment, runtime: Runtime, signal?: AbortSignal): Promise<BenchResult> {
  const { config, resolved: { training, seed }, task } = prepared;
  const data = trainingData(task, training.batch, seed);
  const fn = trainingStep(config, training, task);
  const specs = trainingStepInputs(config, task, data.size);
  const products = stepProducts(prepared);
  const largest = largestOf(products);
  const product = await productRun(runtime, largest);
  const executable = await runtime.compile('training step', fn, specs);

  const layout = layoutOf(config);
  const values = initialParameters(config, seed);
  const frozen = float32([layout.frozenSize], pack(layout.frozen, name => values.get(name)));
  let [current, spare] = [initialVectors(layout, values), initialVectors(layout, values)];
  const [scalars, loss] = [float32([3]), float32([])];
  let step = 0;
  const oneStep = async () => {
    const { tokens, labels } = data.batch(++step);
    scalars.data.set(stepScalars(training, step));
    const inputs = [current.parameters, current.first, current.second, frozen, scalars, tokens, labels];
    return timed(async () => {
      await executable.run(inputs, [spare.parameters, spare.first, spare.second, loss]);
      [current, spare] = [spare, current];
    });
  };

  // The second step has found its memory.
  const warm = Math.min(await oneStep(), await oneStep());
  const turns = Math.min(mostTurns, Math.max(leastTurns, Math.round(turnSeconds / warm)));
  const rounds = Math.min(20, Math.max(5, Math.round(3 / Math.max(warm, 1e-4) / turns)));
  const [steps, productSeconds]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    throwIfCancelled(signal);
    await rest();
    for (let turn = 0; turn < turns; turn++) steps.push(await oneStep());
    await rest();
    for (let turn = 0; turn < turns; turn++) productSeconds.push(await product());
  }
  const gflop = gflopOf(products);
  const matmulGflops = flopOf(largest) / 1e9 / median(productSeconds);
  return { secondsPerStep: median(steps), gflopPerStep: gflop, matmulGflops, floorSeconds: gflop / matmulGflops };
}

/** Runs of one kind before those of the other: of the tiniest steps so many that they meet the warm caches that training has. */
const [leastTurns, mostTurns, turnSeconds] = [10, 300, 0.1];

/** Each compiled graph has threads of its own, which spin for a while after a run and would take the other's core. */
function rest(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 200));
}

/** Runs of a product by which its rate is told: enough that one of them has the machine to itself. */
const rateRuns = 5;

/** The rate that the runtime's own matrix product reaches on the largest of a step's products, in 10⁹ operations a second: that of its fastest run. */
export async function productGflops(prepared: PreparedExperiment, runtime: Runtime): Promise<number> {
  const largest = largestOf(stepProducts(prepared));
  const product = await productRun(runtime, largest);
  let least = Infinity;
  for (let run = 0; run < rateRuns; run++) least = Math.min(least, await product());
  return flopOf(largest) / 1e9 / least;
}

function largestOf(products: readonly Product[]): Product {
  return products.reduce((most, product) => (flopOf(product) > flopOf(most) ? product : most));
}

async function productRun(runtime: Runtime, { batch, rows, inner, columns }: Product): Promise<() => Promise<number>> {
  const [left, right] = [[batch * rows, inner], [inner, columns]];
  // One number of the result: handing all of it over to JavaScript would take longer than computing it.
  const fn = (a?: Tensor, b?: Tensor) => [tf.slice(tf.matMul(a as Tensor, b as Tensor), [0, 0], [1, 1])];
  const executable = await runtime.compile('matrix product', fn, [{ dtype: 'float32', shape: left }, { dtype: 'float32', shape: right }]);
  const [a, b, out] = [float32(left), float32(right), float32([1, 1])];
  a.data.forEach((_, i) => (a.data[i] = Math.sin(i)));
  b.data.forEach((_, i) => (b.data[i] = Math.cos(i)));
  return () => timed(async () => {
    await executable.run([a, b], [out]);
  });
}

function gflopOf(products: readonly Product[]): number {
  return products.reduce((sum, product) => sum + flopOf(product), 0) / 1e9;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
