import { expect, test } from 'vitest';
import { rowsAtOnce } from '../../../src/analysis/patching/patchingPasses';
import { everyPattern, patternsOf } from '../../../src/analysis/patterns';
import { CancelledError } from '../../../src/common/errors';
import { listCopyContext } from '../../support/listCopy';

const context = listCopyContext({ digits: 5 }, { n_heads: 2, d_head: 4 });
const { tokens } = context.task.sample(context.random, 7);
/** Room for so many examples of five positions at once. */
const roomFor = (examples: number) => ((examples + 0.5) * 1e9) / rowsAtOnce(context.details.config, 5, 5, 1e9);

test.each([1, 3, 7])('every pattern is shown, %i examples at a time', async atOnce => {
  const patterns = await patternsOf(context.model, tokens);
  const [seen, fractions]: [string[], number[]] = [[], []];
  await everyPattern({ ...context, progress: fraction => fractions.push(fraction) }, tokens, (pattern, layer, head, example) => {
    const from = (example * 2 + head) * 25;
    expect([...pattern]).toEqual([...patterns[layer]?.data.subarray(from, from + 25) ?? []]);
    seen.push(`${layer}.${head} of ${example}`);
  }, roomFor(atOnce));
  expect(new Set(seen).size).toBe(3 * 2 * 7);
  expect(seen).toHaveLength(3 * 2 * 7);
  expect(seen.filter(each => each.startsWith('1.1')).map(each => Number(each.at(-1)))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(fractions).toHaveLength(Math.ceil(7 / atOnce));
  expect(fractions.at(-1)).toBe(1);
});

test('no more patterns are computed once nobody waits for them', async () => {
  const controller = new AbortController();
  let seen = 0;
  const work = everyPattern({ ...context, signal: controller.signal, progress: () => controller.abort() }, tokens, () => (seen += 1), roomFor(1));
  await expect(work).rejects.toThrow(CancelledError);
  expect(seen).toBe(3 * 2);
});
