/**
 * The colours of data. Scales are evenly spaced stops whose lightness only rises or only falls (from the middle on each
 * side, for diverging ones), so that they keep their order in grey and for colour-blind readers; a test measures this.
 */
export interface ColourSet {
  /** From nothing to most. Nothing is close to the page, so that what is there stands out from it. */
  readonly sequential: readonly string[];
  /** From most negative through 0 to most positive; an odd number of stops. */
  readonly diverging: readonly string[];
  /** Lines and bars; told apart by dash or hatch as well. */
  readonly series: readonly string[];
}

const light: ColourSet = {
  sequential: ['#f4f8fc', '#dbe9f5', '#b9d6eb', '#8cbfdf', '#5ba3d0', '#3583bf', '#1c61a3', '#0c4280', '#08264f'],
  // ColorBrewer RdBu (Brewer and Harrower), negative red.
  diverging: ['#67001f', '#b2182b', '#d6604d', '#f4a582', '#fddbc7', '#f7f7f7', '#d1e5f0', '#92c5de', '#4393c3', '#2166ac', '#053061'],
  series: ['#0066b8', '#c44900', '#00735a', '#a3378a', '#7a5f00', '#5b4bb7'],
};

const dark: ColourSet = {
  // After mako (Waskom, seaborn).
  sequential: ['#10131c', '#28274a', '#3b3f7d', '#3a5c95', '#34799f', '#3597a9', '#44b5ad', '#85d3b4', '#def5e5'],
  // After berlin (Crameri), turned so that negative is red.
  diverging: ['#ffb4ae', '#e5837a', '#b5584d', '#7d3529', '#451b12', '#191a1c', '#12303f', '#1c5068', '#327595', '#589fc8', '#9dc4ff'],
  series: ['#4fb0f0', '#f0a030', '#4ecb9c', '#e29bd0', '#dfd05a', '#a79bff'],
};

export function coloursFor({ dark: isDark }: { readonly dark: boolean }): ColourSet {
  return isDark ? dark : light;
}

export const tableSize = 256;

/** `[256 × 3]` red, green, blue of a scale, from its first stop to its last. */
export function colourTable(stops: readonly string[]): Uint8ClampedArray {
  const parsed = stops.map(parseHex);
  const table = new Uint8ClampedArray(tableSize * 3);
  for (let i = 0; i < tableSize; i++) {
    const at = (i / (tableSize - 1)) * (parsed.length - 1);
    const from = parsed[Math.floor(at)] ?? [0, 0, 0];
    const to = parsed[Math.ceil(at)] ?? from;
    const share = at - Math.floor(at);
    for (let channel = 0; channel < 3; channel++) {
      table[i * 3 + channel] = Math.round((from[channel] ?? 0) * (1 - share) + (to[channel] ?? 0) * share);
    }
  }
  return table;
}

/** Index into a colour table of a share between 0 and 1. */
export function tableIndex(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * (tableSize - 1));
}

/** Black or white, whichever reads better on a colour of a table (contrast ratio, WCAG 2). */
export function readableOn(table: Uint8ClampedArray, index: number): '#000000' | '#ffffff' {
  const light = luminance([...table.subarray(index * 3, index * 3 + 3)]) + 0.05;
  return light / 0.05 > 1.05 / light ? '#000000' : '#ffffff';
}

/** Relative luminance of red, green and blue from 0 to 255 (WCAG 2). */
export function luminance(channels: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = channels.map(channel => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The scale in the form that Plotly takes. */
export function plotlyScale(stops: readonly string[]): [number, string][] {
  return stops.map((colour, i) => [i / (stops.length - 1), colour]);
}

/** Red, green and blue of `#rrggbb`. */
export function parseHex(colour: string): readonly number[] {
  return [1, 3, 5].map(start => Number.parseInt(colour.slice(start, start + 2), 16));
}
