import type { Theme } from '../theme';

/** Plotly reads a little markup in every text: data has none. */
export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Size of the texts of a chart, in pixels. */
export function chartFontSize({ fontSize }: Theme): number {
  return Math.max(11, fontSize - 1);
}
