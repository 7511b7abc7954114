import type { PlotlyValues } from 'plotly.js/lib/core';
import type { Theme } from '../theme';
import { textWidth } from '../figures/text';
import { escapeText } from './chart';

/** Space that a line of text needs below the next, in pixels. */
const lineSpacing = 18;
/** Labels wider than this are turned, and then need the space of a line only. */
const widestLevelLabel = 32;
const longestLabel = 24;

/** Colours, fonts and margins of every chart. */
export function baseLayout(theme: Theme, width: number, height: number) {
  return {
    width,
    height,
    autosize: false,
    paper_bgcolor: theme.background,
    plot_bgcolor: theme.background,
    font: baseFont(theme),
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

function baseFont(theme: Theme) {
  return { family: theme.font, size: Math.max(11, theme.fontSize - 1), color: theme.foreground };
}

export function axisLayout(theme: Theme, title: string, logarithmic = false): PlotlyValues {
  const { size } = baseFont(theme);
  return {
    type: logarithmic ? 'log' : 'linear',
    // Plotly enlarges powers of ten by this much, for their exponents.
    tickfont: { size: logarithmic ? size / 1.25 : size },
    title: { text: escapeText(title), standoff: 8 },
    automargin: true,
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
    hoverformat: ',.6~g',
    separatethousands: true,
  };
}

/** Length of an axis, and what one label of it needs; a line of text without. */
export interface LabelSpace {
  readonly pixels: number;
  readonly spacing?: number;
}

/**
 * Ticks for labels at 0 … n-1: all of those in view, or every second, fifth, tenth … where there is no room for more.
 * Labels need not differ, and never become markup.
 */
export function labelTicks(
  labels: readonly string[],
  { pixels, spacing = lineSpacing }: LabelSpace,
  visible: readonly number[] | undefined,
): PlotlyValues {
  const [a, b] = [visible?.[0] ?? 0, visible?.[1] ?? labels.length - 1];
  const [first, last] = [Math.max(0, Math.ceil(Math.min(a, b))), Math.min(labels.length - 1, Math.floor(Math.max(a, b)))];
  const room = Math.max(1, Math.floor(pixels / spacing));
  const step = niceStep((last - first + 1) / room);
  const values: number[] = [];
  for (let i = Math.ceil(first / step) * step; i <= last; i += step) values.push(i);
  return { tickmode: 'array', tickvals: values, ticktext: values.map(i => escapeText(shorten(labels[i] ?? ''))) };
}

/** Space that labels beside each other need. */
export function labelWidth(labels: readonly string[], theme: Theme): number {
  const font = `${theme.fontSize}px ${theme.font}`;
  const widest = labels.reduce((most, label) => Math.max(most, textWidth(shorten(label), font)), 0);
  return widest <= widestLevelLabel ? widest + 8 : lineSpacing;
}

/** The smallest of 1, 2, 5, 10, 20, … that is not below `least`. */
export function niceStep(least: number): number {
  for (let power = 1; ; power *= 10) {
    for (const step of [power, 2 * power, 5 * power]) if (step >= least) return step;
  }
}

/** A label that fits beside an axis. */
export function shorten(label: string): string {
  const characters = [...label];
  return characters.length <= longestLabel ? label : `${characters.slice(0, longestLabel - 1).join('')}…`;
}
