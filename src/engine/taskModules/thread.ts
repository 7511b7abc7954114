import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { int32 } from '../../common/tensor';
import type { ParameterValues } from '../../protocol/parameter';
import type { DescribeOrder, ModuleSources, TaskSnapshot } from '../../protocol/taskModule';
import type { Task } from '../../tasks/task';
import { trainingData } from '../../training/data';
import { serveBatches } from '../serveBatches';
import { describeModule, openModule, type OpenedModule } from './describe';
import { ModuleProgress } from './limits';
import { FilesKept, FilesOnDisk, type ModuleFiles } from './moduleFiles';
import type { SandboxHost } from './sandbox';

/** What a thread that runs a module is for. `progress` is the memory of its {@link ModuleProgress}. */
export type ModuleThreadStart = { readonly progress: SharedArrayBuffer } & (
  | { readonly kind: 'describe'; readonly order: DescribeOrder }
  | { readonly kind: 'draw'; readonly sources: ModuleSources; readonly parameters: ParameterValues; readonly batch: number; readonly seed: number }
);

/** What a thread tells that describes a module. What goes wrong it throws. */
export type FromModuleThread = { readonly kind: 'made' } | { readonly kind: 'described'; readonly snapshot: TaskSnapshot };

/** Runs in a thread of its own, which whoever made it ends where a module does not come to an end. */
export function runModuleThread(): void {
  const start = workerData as ModuleThreadStart;
  const progress = new ModuleProgress(start.progress);
  const host: SandboxHost = { log: line => process.stdout.write(`${line}\n`), advance: () => progress.advance() };
  host.advance();
  if (start.kind === 'describe') {
    const files = new FilesOnDisk(start.order.file);
    const opened = opening(files, start.order.parameters, host);
    tell({ kind: 'made' });
    const snapshot = describeModule(opened, files);
    // What the module has left to promises comes before, and may fail.
    setImmediate(() => tell({ kind: 'described', snapshot }));
  } else {
    const opened = opening(new FilesKept(start.sources), start.parameters, host);
    serveBatches(trainingData(drawing(opened), start.batch, start.seed));
  }
}

/** Opens a module; what its promises are rejected with, where nobody waits for them, ends the thread as what it throws does. */
function opening(files: ModuleFiles, given: Readonly<Record<string, unknown>>, host: SandboxHost): OpenedModule {
  const opened = openModule(files, given, host);
  process.on('unhandledRejection', reason => {
    throw opened.sandbox.rejection(reason);
  });
  return opened;
}

/** The task as its module draws examples of it. */
export function drawing({ sandbox, checks, task: { positions, answerPositions } }: OpenedModule): Pick<Task, 'sample'> {
  return {
    sample: (random, count) => {
      const drawn = checks.examples(sandbox.draw(random, count), 'example()');
      return {
        tokens: int32([count, positions.length], Int32Array.from(drawn.flatMap(({ prompt }) => prompt))),
        labels: int32([count, answerPositions.length], Int32Array.from(drawn.flatMap(({ answers }) => answers))),
      };
    },
  };
}

function tell(message: FromModuleThread): void {
  parentPort?.postMessage(message);
}
