import { formatNumber, formatSeconds } from '../../common/numbers';
import { textTable } from '../../common/textTable';
import { openRuntime } from '../../compile/devices';
import { checkDuration, TooLongError } from '../../engine/duration';
import type { Engine } from '../../engine/engine';
import { experimentOf, type TrainOrder } from '../../engine/runs';
import { tensorflowSetUp } from '../../engine/tensorflow';
import { allThreads } from '../../engine/threads';
import type { Device } from '../../protocol/engine';
import { benchExperiment, type BenchResult } from '../../training/bench';
import { answer } from '../output';
import { experimentText, withEngine, type CommonOptions, type Session } from '../session';

export interface BenchOptions extends CommonOptions {
  readonly device?: Device;
}

/** `circuits bench [NAME…]`: how long a training step takes, beside the time that its matrix products alone would need. */
export async function bench(session: Session, references: readonly string[], options: BenchOptions): Promise<void> {
  const presets: Record<string, BenchResult> = {};
  const place = { device: options.device ?? 'cpu', threads: allThreads() };
  await withEngine(session, options, async engine => {
    for (const reference of references.length > 0 ? references : await usualNames(session, engine, place)) {
      const source = await experimentText(engine, reference);
      const experiment = experimentOf(source, await engine.runs.origins.lookUp(source));
      session.output.err.write(`${reference}…\n`);
      const runtime = await openRuntime({ ...place, spin: true, ...tensorflowSetUp() });
      try {
        presets[reference] = await benchExperiment(experiment, runtime, session.interrupted);
      } finally {
        runtime.dispose();
      }
    }
  });
  answer(session.output, { presets }, () => textTable(columns, Object.entries(presets)));
}

type Place = Parameters<typeof checkDuration>[1];

/** The bundled experiments without those that nobody trains here, which may need more memory than there is. */
async function usualNames(session: Session, engine: Engine, place: Place): Promise<readonly string[]> {
  const usual: string[] = [];
  for (const name of await engine.bundled.names()) {
    try {
      await checkWhole(engine, await engine.bundled.source(name), place);
      usual.push(name);
    } catch (error) {
      if (!(error instanceof TooLongError)) throw error;
      session.output.err.write(`${name} is left out, for its training would take too long here; name it to time it all the same.\n`);
    }
  }
  return usual;
}

/** @throws TooLongError when an experiment, or one that it starts from, would take too long to train. */
async function checkWhole(engine: Engine, order: TrainOrder, place: Place): Promise<void> {
  const experiment = experimentOf(order, await engine.runs.origins.lookUp(order));
  await checkDuration(experiment, place);
  const source = experiment.origin?.source;
  if (source) await checkWhole(engine, source, place);
}

type Row = readonly [name: string, result: BenchResult];
const columns = [
  { title: 'experiment', value: ([name]: Row) => name },
  { title: 'a step', numeric: true, value: ([, { secondsPerStep }]: Row) => formatSeconds(secondsPerStep) },
  { title: 'GFLOP', numeric: true, value: ([, { gflopPerStep }]: Row) => formatNumber(gflopPerStep) },
  { title: 'GFLOP/s of a product', numeric: true, value: ([, { matmulGflops }]: Row) => formatNumber(matmulGflops) },
  { title: 'floor', numeric: true, value: ([, { floorSeconds }]: Row) => formatSeconds(floorSeconds) },
  { title: 'step ÷ floor', numeric: true, value: ([, { secondsPerStep, floorSeconds }]: Row) => formatNumber(secondsPerStep / floorSeconds, 3) },
];
