import { describe, expect, test } from 'vitest';
import { circuit, largeHeatmap, manySweeps, tokenCircuit } from './samples';
import { showFigures, usePanels, type OpenPanel } from './support';

const panels = usePanels();

async function heights({ page }: OpenPanel): Promise<number[]> {
  return page.locator('section.figure').evaluateAll(figures => figures.map(figure => Math.round(figure.getBoundingClientRect().height)));
}

/** Pairs of labels of an axis that lie over each other. */
async function overlaps({ page }: OpenPanel, axis: 'xtick' | 'ytick'): Promise<string[]> {
  return page.locator('.chart').evaluateAll((charts, axis) => charts.flatMap(chart => {
    const labels = [...chart.querySelectorAll(`.${axis} text`)];
    return labels.flatMap((label, i) => labels.slice(i + 1).flatMap(other => {
      const [a, b] = [label.getBoundingClientRect(), other.getBoundingClientRect()];
      // Turned labels have boxes that overlap at their corners: half a line counts.
      const apart = a.right <= b.left + 4 || b.right <= a.left + 4 || a.bottom <= b.top + 4 || b.bottom <= a.top + 4;
      return apart ? [] : [`${label.textContent ?? ''} / ${other.textContent ?? ''}`];
    }));
  }), axis);
}

describe.each(['lightModern', 'darkModern'] as const)('in %s, 600 pixels wide', theme => {
  test('the sweeps of a small model are low, with their numbers in their cells', async () => {
    const panel = await panels.open({ theme, width: 600, height: 900 });
    await showFigures(panel, manySweeps);
    await panel.picture(`sweeps-${theme}`);
    for (const height of await heights(panel)) expect(height).toBeLessThan(250);
    await expect.poll(() => panel.page.locator('.chart').first().locator('.textpoint').count()).toBe(22);
    expect(await overlaps(panel, 'xtick')).toEqual([]);
    expect(await panel.violations()).toEqual([]);
  });

  test('large grids keep their cells square and their labels apart', async () => {
    const panel = await panels.open({ theme, width: 600, height: 900 });
    await showFigures(panel, [tokenCircuit, largeHeatmap]);
    await panel.picture(`grids-${theme}`);
    const box = await panel.page.locator('.nsewdrag').first().boundingBox();
    expect((box?.width ?? 0) / 52 / ((box?.height ?? 1) / 50)).toBeCloseTo(1, 1);
    for (const axis of ['xtick', 'ytick'] as const) expect(await overlaps(panel, axis)).toEqual([]);
    expect(await panel.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(600);
  });

  test('a circuit of many edges', async () => {
    const panel = await panels.open({ theme, width: 600, height: 900 });
    await showFigures(panel, [circuit]);
    await panel.picture(`circuit-${theme}`);
    const boxes = await panel.page.locator('.graph-node rect').evaluateAll(nodes => nodes.map(node => node.getBoundingClientRect()).map(({ left, right, top, bottom }) => ({ left, right, top, bottom })));
    expect(boxes).toHaveLength(circuit.nodes.length);
    for (const [i, a] of boxes.entries()) {
      for (const b of boxes.slice(i + 1)) expect(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top).toBe(true);
    }
    expect(panel.complaints).toEqual([]);
  });
});

test('two figures lie abreast in a wide panel, and one that needs the width has it', async () => {
  const panel = await panels.open({ width: 1100, height: 900 });
  await showFigures(panel, [...manySweeps.slice(0, 2), largeHeatmap]);
  const [first, second, third] = await panel.page.locator('section.figure').evaluateAll(figures => figures.map(figure => figure.getBoundingClientRect()).map(({ top, width }) => ({ top, width })));
  expect(second?.top).toBe(first?.top);
  expect(third?.width).toBeGreaterThan(2 * (first?.width ?? 0));
  await panel.picture('abreast');
});
