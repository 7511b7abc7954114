import path from 'node:path';
import process from 'node:process';
import { isMainThread, Worker } from 'node:worker_threads';
import * as v from 'valibot';
import { FieldError, messageOf, UserError } from '../../common/errors';
import type { TaskSnapshot } from '../../protocol/taskModule';
import { ModuleError } from '../../protocol/moduleError';
import { whenParentIsGone } from '../parent';
import { DescribeOrderSchema, type FromDescriber, type ModuleFailure } from './describer';
import { Limits, ModuleProgress, patience, resourceLimits } from './limits';
import { asThrownByModule } from './thrown';
import { runModuleThread, type FromModuleThread, type ModuleThreadStart } from './thread';

/**
 * Where task modules run, and nowhere else: this bundle is a process that describes one module, and the thread that runs a
 * module in such a process, or in that of a training.
 */
if (isMainThread) process.once('message', message => void serve(message));
else runModuleThread();

async function serve(message: unknown): Promise<void> {
  const { parent, ...order } = v.parse(DescribeOrderSchema, message);
  whenParentIsGone(parent, () => process.exit(1));
  const answer = await described(order).then(
    (snapshot): FromDescriber => ({ kind: 'described', snapshot }),
    (error: unknown): FromDescriber => ({ kind: 'wrong', failure: failureOf(error) }),
  );
  process.send?.(answer, undefined, undefined, () => process.exit());
}

function described(order: Extract<ModuleThreadStart, { kind: 'describe' }>['order']): Promise<TaskSnapshot> {
  const entry = path.basename(order.file);
  const progress = new ModuleProgress();
  const thread = new Worker(__filename, { workerData: { kind: 'describe', order, progress: progress.shared } satisfies ModuleThreadStart, resourceLimits });
  return new Promise((resolve, reject) => {
    let hasBegun = false;
    // Its time is counted from when it runs the module, not from when the thread is made.
    const began = () => !hasBegun && ((hasBegun = progress.done > 0), true);
    const limits = new Limits(entry, { seconds: patience.making, for: 'to make its task' }, progress, began, reject);
    thread.on('message', (message: FromModuleThread) => {
      if (message.kind === 'described') resolve(message.snapshot);
      else limits.next({ seconds: patience.examples, for: 'to give its examples' });
    });
    thread.on('error', error => reject(asThrownByModule(entry, error)));
    thread.on('exit', () => reject(new UserError(`${entry} ended before it had made its task.`)));
  });
}

function failureOf(error: unknown): ModuleFailure {
  const place = error instanceof ModuleError ? error.place : undefined;
  return {
    message: messageOf(error), isForPeople: error instanceof UserError,
    ...(error instanceof FieldError && { field: error.field, nearest: error.nearest }), ...(place && { place }),
  };
}
