import type { PlotlyValues } from 'plotly.js/lib/core';
import type { Theme } from '../theme';
import { chartFontSize, escapeText } from './text';
import { logarithmicTicks } from './ticks';

/** Colours, fonts and margins of every chart. */
export function baseLayout(theme: Theme, width: number, height: number) {
  return {
    width,
    height,
    autosize: false,
    paper_bgcolor: theme.background,
    plot_bgcolor: theme.background,
    font: { family: theme.font, size: chartFontSize(theme), color: theme.foreground },
    // Axes widen these where their labels need it.
    margin: { t: 8, r: 12, b: 8, l: 8, pad: 0 },
    hoverlabel: {
      bgcolor: theme.tooltipBackground,
      bordercolor: theme.tooltipBorder,
      font: { family: theme.font, size: theme.fontSize, color: theme.tooltipForeground },
      align: 'left',
      namelength: -1,
    },
    showlegend: false,
  };
}

/** An axis; logarithmic when it is given the smallest and largest positive value that it shows. */
export function axisLayout(theme: Theme, title: string, logarithmic?: readonly [low: number, high: number]): PlotlyValues {
  return {
    type: logarithmic ? 'log' : 'linear',
    title: { text: escapeText(title), standoff: 8 },
    automargin: true,
    // Margins leave room for the labels; looking for those that stick out took a third of a drawing.
    ticklabeloverflow: 'allow',
    color: theme.foreground,
    gridcolor: theme.faint,
    linecolor: theme.muted,
    tickcolor: theme.muted,
    zeroline: false,
    showline: true,
    ticks: 'outside',
    ticklen: 4,
    exponentformat: 'power',
    minexponent: 6,
    separatethousands: true,
    hoverformat: ',.6~g',
    ...(logarithmic ? logarithmicTicks(logarithmic) : {}),
  };
}

/**
 * What a logarithmic axis shows: the part that the reader zoomed to (in powers of ten), or all positive values. Undefined
 * where there are none: then there is no logarithmic axis.
 */
export function logarithmicExtent(values: Iterable<number>, visible: readonly number[] | undefined): readonly [number, number] | undefined {
  const [from, to] = visible ?? [];
  if (from !== undefined && to !== undefined) return [10 ** Math.min(from, to), 10 ** Math.max(from, to)];
  let [low, high] = [Infinity, 0];
  for (const value of values) {
    if (value <= 0) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  // Plotly leaves about a twentieth free at both ends, where a tick may stand; ticks beyond that it does not draw.
  const padding = (high / low) ** 0.06;
  return high > 0 ? [low / padding, high * padding] : undefined;
}
