/**
 * The numbers below `count` in an order that shows the whole early and then sharpens it: the last and the first, the middle,
 * the quarters, and so on, each gap halved before any is halved again.
 */
export function coarseToFine(count: number): readonly number[] {
  const order = new Set<number>();
  if (count > 0) order.add(count - 1);
  for (let gap = 2 ** Math.ceil(Math.log2(Math.max(1, count))); gap >= 1; gap /= 2) {
    for (let index = 0; index < count; index += gap) order.add(index);
  }
  return [...order];
}
