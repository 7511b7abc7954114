import type { PlotlyValues } from 'plotly.js/lib/core';
import { textWidth } from '../figures/text';
import { formatNumber } from '../numbers';
import type { Theme } from '../theme';
import { chartFontSize, escapeText } from './text';

/** Space that a line of text needs below the next, in pixels. */
const lineSpacing = 18;
/** The same between labels that stand upright, where lines may be closer. */
const uprightSpacing = 15;
/** Labels no wider than this are level even where only some of them fit. */
const widestLevelLabel = 32;
const longestLabel = 24;
/** Powers of ten that an axis names at most. */
const mostPowers = 8;

/** Length of an axis, and what one label of it needs; a line of text without. */
export interface LabelSpace {
  readonly pixels: number;
  readonly spacing?: number;
}

/**
 * Ticks for labels at 0 … n-1: all of those in view, or every second, fifth, tenth … where there is no room for more.
 * Labels need not differ, and never become markup. Those that are marked are always there, in bold behind an arrow.
 */
export function labelTicks(
  labels: readonly string[],
  { pixels, spacing = lineSpacing }: LabelSpace,
  visible: readonly number[] | undefined,
  isMarked: (index: number) => boolean = () => false,
): PlotlyValues {
  const [a, b] = [visible?.[0] ?? 0, visible?.[1] ?? labels.length - 1];
  const [first, last] = [Math.max(0, Math.ceil(Math.min(a, b))), Math.min(labels.length - 1, Math.floor(Math.max(a, b)))];
  const step = labelStep(last - first + 1, pixels, spacing);
  const marked = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i).filter(isMarked);
  const values = [...marked];
  for (let i = Math.ceil(first / step) * step; i <= last; i += step) if (marked.every(other => Math.abs(other - i) >= step)) values.push(i);
  const text = (index: number) => escapeText(shorten(labels[index] ?? ''));
  return { tickmode: 'array', tickvals: values, ticktext: values.map(i => isMarked(i) ? `<b>▸ ${text(i)}</b>` : text(i)) };
}

/**
 * Ticks of a logarithmic axis over two positive values: powers of ten, or 1, 2 and 5 times those where the axis spans few.
 * Between neighbouring numbers Plotly's own are better. (Plotly writes digits between the powers in tiny type.)
 */
export function logarithmicTicks([low, high]: readonly [number, number]): PlotlyValues {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  if (powers.length >= 3) {
    const step = niceStep(powers.length / mostPowers);
    const shown = powers.filter(power => power % step === 0);
    const plain = first >= -3 && last <= 5;
    return ticks(shown.map(power => 10 ** power), shown.map(power => plain || power === 0 ? formatNumber(10 ** power) : powerOfTen(power)));
  }
  const values = [first - 1, ...powers].flatMap(power => [1, 2, 5].map(digit => digit * 10 ** power)).filter(value => value >= low && value <= high);
  return values.length < 2 ? {} : ticks(values, values.map(formatNumber));
}

/** Every how many labels there is room for one. */
export function labelStep(labels: number, pixels: number, spacing = lineSpacing): number {
  return niceStep(labels / Math.max(1, Math.floor(pixels / spacing)));
}

/** How labels beside each other stand, and the space they need. */
export interface LabelRow {
  /** In degrees: level, or upright. */
  readonly tickangle: 0 | -90;
  /** Along the axis, for each of them. */
  readonly spacing: number;
  /** Away from the axis. */
  readonly depth: number;
}

/**
 * Labels `pixels` apart are level where they fit. Otherwise names stand upright, because each of them matters; numbers, and
 * what is as short, stay level and some are left out.
 */
export function labelRow(labels: readonly string[], pixels: number, theme: Theme): LabelRow {
  const widths = labelWidths(labels, theme);
  const neighbours = widths.reduce((most, width, i) => Math.max(most, (width + (widths[i + 1] ?? 0)) / 2), 0) + 6;
  if (neighbours <= pixels) return { tickangle: 0, spacing: neighbours, depth: lineSpacing };
  const widest = widths.reduce((most, width) => Math.max(most, width), 0);
  const isNumbers = labels.every(label => /^[-−]?\d+$/.test(label));
  return widest <= widestLevelLabel && (isNumbers || pixels < uprightSpacing)
    ? { tickangle: 0, spacing: widest + 6, depth: lineSpacing }
    : { tickangle: -90, spacing: uprightSpacing, depth: widest + 4 };
}

export function widestLabel(labels: readonly string[], theme: Theme): number {
  return labelWidths(labels, theme).reduce((most, width) => Math.max(most, width), 0);
}

function labelWidths(labels: readonly string[], theme: Theme): readonly number[] {
  const font = `${chartFontSize(theme)}px ${theme.font}`;
  return labels.map(label => textWidth(shorten(label), font));
}

/** The smallest of 1, 2, 5, 10, 20, … that is not below `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, least))));
  return [1, 2, 5].map(digit => digit * power).find(step => step >= least) ?? 10 * power;
}

/** A label that fits beside an axis. */
export function shorten(label: string): string {
  const characters = [...label];
  return characters.length <= longestLabel ? label : `${characters.slice(0, longestLabel - 1).join('')}…`;
}

function ticks(values: readonly number[], texts: readonly string[]): PlotlyValues {
  return { tickmode: 'array', tickvals: values, ticktext: texts };
}

function powerOfTen(power: number): string {
  return `10<sup>${power < 0 ? '−' : ''}${Math.abs(power)}</sup>`;
}
