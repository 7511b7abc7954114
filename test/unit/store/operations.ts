import type { Store } from '../../../src/store/store';
import { modelRecord, experiment, trainingState, weights } from './samples';

/** A model that is there before each operation, with checkpoints at 100 and 200 and metrics up to 200. */
export const before = modelRecord({ status: 'stopped', name: 'before' });
/** The same, trained anew. */
export const again = modelRecord({ name: 'again' });
/** One that is not there. */
export const other = modelRecord({ experiment: experiment({ seed: 1 }), name: 'other' });

const { id: _, ...unnumbered } = modelRecord({ name: 'added', createdAt: before.createdAt - 1 });
/** One that comes with its numbers, which make its id. */
export const added = { ...unnumbered, id: '1c0f129608c61724' };

export async function prepare(store: Store): Promise<void> {
  await store.create(before);
  await store.appendMetrics(before.id, [0, 100, 200].map(step => ({ step, seconds: step / 10, trainLoss: 0.5 })));
  for (const step of [100, 200]) await store.writeCheckpoint(before.id, trainingState(step));
  await store.writeWeights(before.id, weights(200));
}

/** What {@link before} is after a binding: of another task, and measured on it at both of its checkpoints. */
export const bound = {
  experiment: { ...before.experiment, task: { name: 'modular-arithmetic', parameters: { modulus: 5, operation: 'subtract' } } },
  measured: [100, 200].map(step => ({ step, seconds: 0, testLoss: 0.25, testAccuracy: step / 400, testExactMatch: step / 400 })),
};

/** Everything that changes a store. */
export const operations = {
  create: store => store.create(other),
  add: async store => void await store.add(unnumbered, async draft => {
    await draft.writeCheckpoint(10, weights(10));
    await draft.writeWeights(weights(20));
    await draft.writeMetrics([{ step: 10, seconds: 0, testLoss: 0.25 }]);
  }),
  replace: store => store.create(again, { replace: true }),
  update: async store => void await store.update(before.id, { status: 'failed', problem: 'The loss is not finite.' }),
  bind: async store => void await store.update(before.id, bound),
  remove: store => store.remove(before.id),
  writeCheckpoint: store => store.writeCheckpoint(before.id, trainingState(300)),
  rewriteCheckpoint: store => store.writeCheckpoint(before.id, trainingState(200)),
  writeWeights: store => store.writeWeights(before.id, weights(300)),
  appendMetrics: store => store.appendMetrics(before.id, [300, 400].map(step => ({ step, seconds: step / 10 }))),
  rewind: store => store.rewind(before.id, 100),
} satisfies Record<string, (store: Store) => Promise<void>>;
export type OperationName = keyof typeof operations;
export const operationNames = Object.keys(operations) as OperationName[];
