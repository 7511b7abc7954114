import { describe, expect, test, vi } from 'vitest';
import { ablatedRuns } from '../../../../src/analysis/patching/ablatedRuns';
import { CancelledError } from '../../../../src/common/errors';
import { Random } from '../../../../src/common/random';
import { expectClose } from '../../../support/close';
import { numberContext } from '../../../support/numberModels';

// What is put back, test/unit/analysis/ablation.test.ts holds.

const head = { layer: 0, head: 1 };

/** A model on five examples, with its runs counted; once there are `most` of them nobody waits any more. */
function counted(most = Infinity) {
  const made = numberContext({ name: 'median' });
  const controller = new AbortController();
  const compute = made.model.compute.bind(made.model);
  const runs = vi.spyOn(made.model, 'compute').mockImplementation((...given) => {
    if (runs.mock.calls.length === most) controller.abort();
    return compute(...given);
  });
  const { tokens } = made.task.sample(new Random(0, 'examples'), 5);
  return { runs, tokens, context: { ...made, random: new Random(0, 'others'), signal: controller.signal } };
}

describe('ablated runs with little room', () => {
  test.each(['mean', 'resample', 'mean pattern'] as const)('are those of all examples at once: %s', async method => {
    const [one, other] = [counted(), counted()];
    const [all, parts] = [await ablatedRuns(one.context, one.tokens, method), await ablatedRuns(other.context, other.tokens, method, 1)];
    expect([one.runs.mock.calls.length, other.runs.mock.calls.length]).toEqual([2, 2 * 5]);
    expectClose(parts.whole.data, all.whole.data, { absolute: 1e-5 });
    expectClose((await parts.without([head])).data, (await all.without([head])).data, { absolute: 1e-5 });
  });

  test.each([
    ['learning what takes the places', 2],
    ['running the whole model', 5 + 3],
  ])('stop between examples when nobody waits any more, while %s', async (_, most) => {
    const { runs, context, tokens } = counted(most);
    await expect(ablatedRuns(context, tokens, 'mean', 1)).rejects.toThrow(CancelledError);
    expect(runs).toHaveBeenCalledTimes(most);
  });

  test('stop while components are taken out', async () => {
    const most = 2 * 5 + 1;
    const { runs, context, tokens } = counted(most);
    const { without } = await ablatedRuns(context, tokens, 'mean', 1);
    await expect(without([head])).rejects.toThrow(CancelledError);
    expect(runs).toHaveBeenCalledTimes(most);
  });
});
