import { UserError } from '../common/errors';
import { deviceFor, openRuntime } from '../compile/devices';
import type { Device } from '../protocol/engine';
import { gflopPerStep, productGflops } from '../training/bench';
import type { PreparedExperiment } from '../training/experiment';
import { tensorflowSetUp } from './tensorflow';

/** A training that would take longer than anybody waits for without having meant to. */
export class TooLongError extends UserError {
  constructor(name: string, readonly seconds: number) {
    super(`Training "${name}" would take about ${longTime(seconds)} on this CPU; train it on a GPU, or force it with --force.`);
  }
}

/** Where a training is to run. */
interface Place {
  readonly device: Device;
  readonly threads: number;
}

/** What a machine computes with, and how fast. */
export interface Machine {
  /** The device that would be opened for steps of so much work. */
  deviceFor(place: Place, gflopPerStep: number): Promise<Exclude<Device, 'auto'>>;
  /** GFLOP/s of the processor at the largest product of an experiment's steps. */
  rate(prepared: PreparedExperiment, threads: number): Promise<number>;
}

/** Seconds of a run that starts without being asked whether it was meant. */
const mostSeconds = 8 * 3600;
/** GFLOP/s that any core of the last ten years reaches. What is short even so is not measured. */
const slowestCore = 5;
/** What a step takes beside its matrix products, as a factor: steps of large models take 1.4 to 2 times as long as those. */
const overProducts = 1.7;

/**
 * Refuses what would take more than 8 hours on the CPU. No step is run for that: the work of a step's products is
 * counted, and how fast this machine multiplies is measured in a moment on the largest of them, since processors differ by
 * more than ten times in it. Where something else keeps the machine busy, the estimate is too long rather than too short.
 * @throws TooLongError
 */
export async function checkDuration(prepared: PreparedExperiment, place: Place, machine: Machine = thisMachine): Promise<void> {
  const { device, threads } = place;
  const { name, training: { steps } } = prepared.resolved;
  if (steps === 0 || device === 'webgpu' || device === 'tensorflow') return;
  const gflop = gflopPerStep(prepared);
  const secondsAt = (rate: number) => overProducts * steps * gflop / rate;
  if (secondsAt(slowestCore * Math.max(1, threads)) <= mostSeconds) return;
  if ((await machine.deviceFor(place, gflop)) !== 'cpu') return;
  const seconds = secondsAt(await machine.rate(prepared, threads));
  if (seconds > mostSeconds) throw new TooLongError(name, seconds);
}

const thisMachine: Machine = {
  deviceFor: ({ device, threads }, gflopPerStep) => deviceFor({ device, threads, spin: false, gflopPerStep, ...tensorflowSetUp() }),
  async rate(prepared, threads) {
    const runtime = await openRuntime({ device: 'cpu', threads, spin: false });
    try {
      return await productGflops(prepared, runtime);
    } finally {
      runtime.dispose();
    }
  },
};

/** `35 hours`, `12 days`, in whole units of which there are several. */
function longTime(seconds: number): string {
  const hours = seconds / 3600;
  return hours < 72 ? `${Math.round(hours)} hours` : `${Math.round(hours / 24).toLocaleString('en')} days`;
}
