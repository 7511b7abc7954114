import { svgElement } from '../elements';

const [width, height] = [72, 20];

/** A small histogram: a step for each bin, as high as the fullest one is. The numbers beside it say what it is of. */
export function sparkline(histogram: readonly number[]): SVGSVGElement {
  const most = Math.max(1, ...histogram);
  const step = width / Math.max(1, histogram.length);
  // What is there at all can be seen.
  const heights = histogram.map(count => count === 0 ? 0 : Math.max(1, (count / most) * height));
  const tops = heights.map((high, bin) => `V${round(height - high)}H${round((bin + 1) * step)}`).join('');
  return svgElement('svg', { class: 'sparkline', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    svgElement('path', { d: `M0 ${height}${tops}V${height}Z` }));
}

function round(pixels: number): string {
  return pixels.toFixed(2);
}
