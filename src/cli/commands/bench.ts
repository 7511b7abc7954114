import { openRuntime } from '../../compile/devices';
import { experimentOf } from '../../engine/runs';
import { tensorflowSetUp } from '../../engine/tensorflow';
import { allThreads } from '../../engine/threads';
import type { Device } from '../../protocol/engine';
import { benchExperiment, type BenchResult } from '../../training/bench';
import { formatNumber, formatSeconds } from '../numbers';
import { answer } from '../output';
import { experimentText, withEngine, type CommonOptions, type Session } from '../session';
import { textTable } from '../table';

export interface BenchOptions extends CommonOptions {
  readonly device?: Device;
}

/** `circuits bench [NAME…]`: how long a training step takes, beside the time that its matrix products alone would need. */
export async function bench(session: Session, references: readonly string[], options: BenchOptions): Promise<void> {
  const presets: Record<string, BenchResult> = {};
  await withEngine(session, options, async engine => {
    for (const reference of references.length > 0 ? references : await engine.bundled.names()) {
      const source = await experimentText(engine, reference);
      const experiment = experimentOf(source, await engine.runs.origins.lookUp(source));
      session.output.err.write(`${reference}…\n`);
      const runtime = await openRuntime({ device: options.device ?? 'cpu', threads: allThreads(), spin: true, ...tensorflowSetUp() });
      try {
        presets[reference] = await benchExperiment(experiment, runtime, session.interrupted);
      } finally {
        runtime.dispose();
      }
    }
  });
  answer(session.output, { presets }, () => textTable(columns, Object.entries(presets)));
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
