import { describe, expect, test } from 'vitest';
import { checkFigure } from '../../src/protocol/figure';
import * as samples from './samples';
import { showFigures, themeNames, usePanels } from './support';

const panels = usePanels();

describe.each(themeNames)('%s', theme => {
  test.each([
    ['attention', samples.arrayUpdateAttention],
    ['attention-4x3', samples.modularAttention],
    ['attention-144', samples.manyHeads],
    ['lines', samples.trainingCurves()],
    ['heatmap-113', samples.largeHeatmap],
    ['heatmap', samples.smallHeatmap],
    ['bars', samples.bars],
    ['histogram2d', samples.histogram2d],
    ['table', samples.table],
    ['graph', samples.graph],
    ['network', samples.largeNetwork],
  ] as const)('%s', async (name, figure) => {
    checkFigure(figure);
    const panel = await panels.open({ theme });
    await showFigures(panel, [figure]);
    await panel.picture(`${name}-${theme}`);
    expect(panel.complaints).toEqual([]);
    expect(await panel.violations()).toEqual([]);
  }, 30_000);
});
