/**
 * Places among values, ascending, that show the line through them with about `most` points: the first, the last, and the
 * lowest and highest of each group of neighbours. Where there is no value, the line breaks, and the place is kept.
 */
export function thinnedPlaces(values: readonly (number | undefined)[], most: number): readonly number[] {
  if (values.length <= most) return [...values.keys()];
  const kept = new Set<number>([0, values.length - 1]);
  const perGroup = Math.ceil(values.length / Math.max(1, Math.floor(most / 2)));
  for (let start = 0; start < values.length; start += perGroup) {
    let [lowest, highest] = [start, start];
    for (let i = start; i < Math.min(start + perGroup, values.length); i++) {
      const value = values[i];
      if (value === undefined) kept.add(i);
      else if (value < (values[lowest] ?? Infinity)) lowest = i;
      else if (value > (values[highest] ?? -Infinity)) highest = i;
    }
    kept.add(lowest).add(highest);
  }
  return [...kept].sort((a, b) => a - b);
}
