import { markup, type Content, type Markup } from './markup';
import { short, textWidth } from './matrix';
import { scaleFor, type Scale } from './scale';

/** The plot area of a chart with its axes; what is drawn in it lies above the grid and below nothing. */
export interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const chartWidth = 1020;
const plotHeight = 280;
const top = 14;

export interface FrameOptions {
  readonly yValues: Iterable<number>;
  readonly yLogarithmic: boolean;
  /** Makes the x scale once the pixels that it may use are known. */
  readonly x: (range: readonly [number, number]) => Scale;
}

export function frameFor({ yValues, yLogarithmic, x }: FrameOptions): Frame {
  const y = scaleFor(yValues, { logarithmic: yLogarithmic, range: [top + plotHeight, top], ticks: yLogarithmic ? 9 : 6, nice: true });
  const widestTick = Math.max(...y.ticks.map(tick => textWidth(tick.label)), 0);
  const left = 34 + Math.ceil(widestTick);
  return { x: x([left, chartWidth - 14]), y, left, top, width: chartWidth - 14 - left, height: plotHeight };
}

export interface ChartTexts {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
}

/** The whole chart: grid, ticks and titles around `content`; `below` is drawn from the bottom of the plot area on. */
export function drawChart(frame: Frame, texts: ChartTexts, content: Content, below?: { readonly content: Content; readonly height: number }): Markup {
  const bottom = frame.top + frame.height;
  const right = frame.left + frame.width;
  const height = bottom + (below?.height ?? 22) + 24;
  return markup`<svg class="chart" viewBox="0 0 ${chartWidth} ${height}" style="max-width:${chartWidth}px" role="img" aria-label="${texts.title}">
    ${frame.y.ticks.map(({ value, label }) => {
      const y = short(frame.y.at(value) ?? 0);
      return markup`<line class="grid" x1="${frame.left}" x2="${right}" y1="${y}" y2="${y}"/><text class="tick end" x="${frame.left - 8}" y="${y}" dy=".35em">${label}</text>`;
    })}
    ${below === undefined ? drawTicksBelow(frame) : markup`<g transform="translate(${frame.left} ${bottom})">${below.content}</g>`}
    <line class="baseline" x1="${frame.left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>
    ${content}
    <text class="axis middle" x="${short(frame.left + frame.width / 2)}" y="${height - 6}">${texts.xTitle}</text>
    <text class="axis middle" transform="translate(14 ${short(frame.top + frame.height / 2)}) rotate(-90)">${texts.yTitle}</text>
  </svg>`;
}

function drawTicksBelow(frame: Frame): Markup {
  const bottom = frame.top + frame.height;
  return markup`${frame.x.ticks.map(({ value, label }) => {
    const x = short(frame.x.at(value) ?? 0);
    return markup`<line class="baseline" x1="${x}" x2="${x}" y1="${bottom}" y2="${bottom + 4}"/>${drawTickLabel(x, bottom + 18, label)}`;
  })}`;
}

/** Under its tick, or as far to the right as the chart goes. */
function drawTickLabel(x: number, y: number, label: string): Markup {
  return x + textWidth(label) / 2 > chartWidth
    ? markup`<text class="tick end" x="${chartWidth}" y="${y}">${label}</text>`
    : markup`<text class="tick middle" x="${x}" y="${y}">${label}</text>`;
}

/** Colours, and as many dashes, in the style of the page. */
export const seriesCount = 6;

/** Colour and dash by the order of the series: once they are used up, the colours come back with other dashes. */
export function seriesClass(index: number): string {
  return `s${index % seriesCount} d${(index + Math.floor(index / seriesCount)) % seriesCount}`;
}
