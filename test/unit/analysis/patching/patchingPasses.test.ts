import { describe, expect, test } from 'vitest';
import { allHeads } from '../../../../src/analysis/heads';
import type { Site } from '../../../../src/analysis/patching/patching';
import { ordinaryRoom, passesOf, rowsAtOnce } from '../../../../src/analysis/patching/patchingPasses';
import { allSweeps, wholeHeadSweep } from '../../../../src/analysis/patching/patchingSweeps';
import { configOf } from '../../../support/models';

const config = configOf({ n_layers: 3, n_heads: 4 });
const T = 8;
const positions = Array.from({ length: T }, (_, position) => String(position));
const byPosition = allSweeps(config, allHeads(config), positions).flatMap(({ sites }) => sites);
const [causal, small] = [{ T, causal: true, firstDifference: 0, room: ordinaryRoom }, 20_000];

/** The sites of some passes, in the order of their places. */
function sitesOf(passes: ReturnType<typeof passesOf>): readonly Site[] {
  return passes.flatMap(({ rows }) => rows).toSorted((a, b) => a.index - b.index).map(({ site }) => site);
}

describe('sites that fit are patched in one pass', () => {
  test('from the first position on, in the order of layers', () => {
    const [pass, ...others] = passesOf(config, byPosition, causal);
    expect([others, pass?.from]).toEqual([[], 0]);
    const layers = pass?.rows.map(({ site }) => site.layer) ?? [];
    expect(layers).toEqual(layers.toSorted((a, b) => a - b));
    pass?.rows.forEach(({ site, index }) => expect(byPosition[index]).toBe(site));
  });

  test('with all of them where a position may see a later one', () => {
    expect(sitesOf(passesOf(config, byPosition, { ...causal, causal: false }))).toEqual(byPosition);
  });

  test('without those that the answer, at the last position, does not depend on', () => {
    const kept = new Set(sitesOf(passesOf(config, byPosition, causal)));
    for (const site of byPosition) {
      const isReadElsewhere = ['resid_pre', 'k', 'v'].includes(site.activation);
      expect(kept.has(site), JSON.stringify(site)).toBe(site.layer < 2 || isReadElsewhere || site.position === T - 1);
    }
    const behind: Site = { activation: 'k', layer: 0, head: 0, position: T };
    expect(sitesOf(passesOf(config, [behind], causal))).toEqual([]);
  });

  test('of nothing, there is one all the same', () => {
    expect(passesOf(config, [], causal)).toEqual([{ from: 0, rows: [] }]);
    expect(passesOf(config, byPosition, { ...causal, firstDifference: T, room: small })).toEqual([{ from: 0, rows: [] }]);
  });
});

describe('sites that do not fit are patched in several passes', () => {
  test('that each fit, and hold every site once', () => {
    const passes = passesOf(config, byPosition, { ...causal, room: small });
    expect(passes.length).toBeGreaterThan(5);
    for (const { from, rows } of passes) expect(rows.length).toBeLessThanOrEqual(rowsAtOnce(config, T - from, T, small));
    expect(sitesOf(passes)).toEqual(sitesOf(passesOf(config, byPosition, causal)));
  });

  test('each from its first position on, before which none of its sites is', () => {
    const passes = passesOf(config, byPosition, { ...causal, room: small });
    for (const { from, rows } of passes) expect(Math.min(...rows.map(({ site }) => site.position ?? 0))).toBe(from);
    expect(new Set(passes.map(({ from }) => from)).size).toBeGreaterThan(4);
  });

  test('without what is the same in both prompts', () => {
    const passes = passesOf(config, byPosition, { ...causal, firstDifference: 5, room: small });
    const expected = sitesOf(passesOf(config, byPosition, causal)).filter(({ position = 0 }) => position >= 5);
    expect(sitesOf(passes)).toEqual(expected);
    expect(Math.min(...passes.map(({ from }) => from))).toBe(5);
  });

  test('at all positions, from the first that differs', () => {
    const { sites } = wholeHeadSweep(allHeads(config));
    const passes = passesOf(config, sites, { ...causal, firstDifference: 3, room: 5000 });
    expect(passes.length).toBeGreaterThan(1);
    expect(new Set(passes.map(({ from }) => from))).toEqual(new Set([3]));
    expect(sitesOf(passes)).toEqual(sites);
  });

  test('whole, where a position may see a later one', () => {
    const passes = passesOf(config, byPosition, { T, causal: false, firstDifference: 5, room: small });
    expect(passes.every(({ from }) => from === 0)).toBe(true);
    expect(sitesOf(passes)).toEqual(byPosition);
  });

  test('of one site at least, however little room there is', () => {
    expect(passesOf(config, byPosition.slice(0, 3), { ...causal, room: 1 }).map(({ rows }) => rows.length)).toEqual([1, 1, 1]);
  });
});
