/** The part of Plotly that the panel uses; the package has no types of its own. */
declare module 'plotly.js/lib/core' {
  export type PlotlyValues = Readonly<Record<string, unknown>>;

  export interface PlotlyPoint {
    readonly curveNumber: number;
    readonly pointNumber: number | readonly [row: number, column: number];
  }

  export interface PlotlyHover {
    readonly points: readonly PlotlyPoint[];
    /** Absent when the program made the hover. */
    readonly event?: MouseEvent;
  }

  export interface PlotlyElement extends HTMLElement {
    readonly layout?: Readonly<Record<string, { readonly range?: readonly number[] } | undefined>>;
    on(event: 'plotly_hover' | 'plotly_click', listener: (event: PlotlyHover) => void): void;
    on(event: 'plotly_relayout', listener: (changes: PlotlyValues) => void): void;
    on(event: 'plotly_unhover' | 'plotly_doubleclick', listener: () => void): void;
  }

  interface Plotly {
    register(traces: readonly unknown[]): void;
    react(target: HTMLElement, data: readonly PlotlyValues[], layout: PlotlyValues, config: PlotlyValues): Promise<PlotlyElement>;
    relayout(target: HTMLElement, changes: PlotlyValues): Promise<PlotlyElement>;
    purge(target: HTMLElement): void;
    toImage(
      figure: { readonly data: readonly PlotlyValues[]; readonly layout: PlotlyValues; readonly config: PlotlyValues },
      options: { readonly format: 'svg'; readonly width: number; readonly height: number; readonly imageDataOnly: true },
    ): Promise<string>;
    readonly Fx: {
      hover(target: HTMLElement, points: readonly PlotlyPoint[]): void;
      unhover(target: HTMLElement): void;
    };
  }
  const plotly: Plotly;
  export default plotly;
}

declare module 'plotly.js/lib/bar' {
  const trace: unknown;
  export default trace;
}

declare module 'plotly.js/lib/heatmap' {
  const trace: unknown;
  export default trace;
}
