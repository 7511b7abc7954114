// A process of its own that uses a store. It is told what to do by its first argument.
import { dieAt } from './faults';
import { once } from 'node:events';
import process from 'node:process';
import type { RecordChanges } from '../../../src/store/modelRecord';
import { Store } from '../../../src/store/store';
import { operations, other, type OperationName } from './operations';

export type Order =
  /** Does an operation, and dies at the n-th change to a file. */
  | { readonly kind: 'die'; readonly operation: OperationName; readonly at: number }
  /** Changes a record, one update after the other. */
  | { readonly kind: 'update'; readonly id: string; readonly changes: readonly RecordChanges[] }
  /** Adds the model that is not there, and says how that went. */
  | { readonly kind: 'create' }
  /** Takes a model's lock and keeps it, until it is killed or loses the lock. */
  | { readonly kind: 'hold'; readonly id: string };

/** `ready` comes first; the others as the order has it. */
export type Report = 'ready' | 'done' | 'locked' | 'lost' | { readonly problem: string };

const [, , folder = '', order = ''] = process.argv;
const report = (message: Report) => process.send?.(message);
process.on('disconnect', () => process.exit(0));

const store = await Store.open(folder);
report('ready');
await once(process, 'message');
await carryOut(JSON.parse(order) as Order).then(
  () => report('done'),
  (error: unknown) => report({ problem: String(error) }),
);

async function carryOut(what: Order): Promise<void> {
  switch (what.kind) {
    case 'die':
      dieAt(what.at);
      return operations[what.operation](store);
    case 'update':
      for (const changes of what.changes) await store.update(what.id, changes);
      return;
    case 'create':
      return store.create(other);
    case 'hold': {
      const lock = await store.lock(what.id);
      report('locked');
      await new Promise(resolve => lock.lost.addEventListener('abort', resolve));
      report('lost');
      return;
    }
    default:
      what satisfies never;
  }
}
