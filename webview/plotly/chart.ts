import type { PlotlyElement, PlotlyHover, PlotlyPoint, PlotlyValues } from 'plotly.js/lib/core';
import { Emitter } from '../../src/common/event';
import { Lifetime, type Disposable } from '../../src/common/lifetime';
import { button } from '../controls/toolkit';
import { element } from '../elements';
import { titledPicture } from '../export/picture';
import type { Picture } from '../figures/view';
import { watchSight, watchWidth } from '../resize';
import type { ThemeWatch } from '../theme';

/** Most of the page's script: it runs when the first chart is drawn, after the page itself has shown, and never where there is none. */
const loadPlotly = async () => (await import('./library')).Plotly;
type Plotly = Awaited<ReturnType<typeof loadPlotly>>;

/** Without Plotly's own buttons and notices: the frame has buttons that the keyboard reaches. */
const config: PlotlyValues = { displayModeBar: false, displaylogo: false, showTips: false, responsive: false, doubleClick: 'reset' };

/** What to draw at a width in CSS pixels. */
export interface ChartDrawing {
  readonly data: readonly PlotlyValues[];
  readonly layout: PlotlyValues & {
    readonly width: number;
    readonly height: number;
    readonly legend?: PlotlyValues;
  };
}

let turns = Promise.resolve();

/** Charts are first drawn one a task, so that the page shows the first before it works on the next. */
function turn(): Promise<void> {
  turns = turns.then(() => new Promise(resolve => setTimeout(resolve)));
  return turns;
}

const drawings = new Set<Promise<void>>();

/** Resolves once no chart of the page has anything left to draw. */
export async function allDrawn(): Promise<void> {
  while (drawings.size > 0) await Promise.allSettled(drawings);
}

/**
 * A Plotly chart that redraws itself when its width, the theme or its numbers change. Drawings follow one another, and
 * those that were overtaken are left out, so that fast updates cannot pile up; what is out of sight waits until it is not.
 */
export class Chart implements Disposable {
  readonly element: HTMLElement;
  private readonly plot = element('div', { class: 'chart-plot' });
  private readonly lifetime = new Lifetime();
  private readonly hovers = this.lifetime.add(new Emitter<PlotlyHover>());
  private readonly unhovers = this.lifetime.add(new Emitter<void>());
  private readonly clicks = this.lifetime.add(new Emitter<PlotlyHover>());
  readonly onDidHover = this.hovers.event;
  readonly onDidUnhover = this.unhovers.event;
  readonly onDidClick = this.clicks.event;
  /** Shows all again; there only once the reader has zoomed in. */
  readonly resetTool: HTMLElement;
  private readonly reset = button({ title: 'Reset Zoom', appearance: 'quiet' }, () => {
    this.showAll();
    this.element.focus();
  });
  private zoomRevision = 0;
  private drawn: { readonly plotly: Plotly; readonly element: PlotlyElement } | undefined;
  private drawing = false;
  private overtaken = false;
  private width = 0;
  private inSight = true;
  /** Whether what is drawn is no longer what there is to draw. */
  private outdated = false;

  /** `describe` is asked for each drawing anew; it may read {@link visibleRange}. */
  constructor(private readonly theme: ThemeWatch, private readonly describe: (width: number) => ChartDrawing) {
    this.element = element('div', { class: 'chart', tabindex: 0, role: 'application', 'aria-roledescription': 'chart', 'aria-busy': 'true' }, this.plot);
    this.reset.element.hidden = true;
    this.resetTool = this.reset.element;
    this.lifetime.add(watchWidth(this.element, width => {
      this.width = width;
      this.draw();
    }));
    this.lifetime.add(watchSight(this.element, inSight => {
      this.inSight = inSight;
      if (inSight && this.outdated) this.draw();
    }));
    this.lifetime.add(theme.onDidChange(() => this.draw()));
  }

  draw(): void {
    // The first drawing gives it its height, without which everything under it would jump.
    this.outdated = this.drawn !== undefined && !this.inSight;
    if (this.outdated) return;
    if (this.drawing) this.overtaken = true;
    else if (this.width > 0 && !this.lifetime.isEnded) this.begin();
  }

  /** The part of an axis that the reader has zoomed to; undefined while it shows all. */
  visibleRange(axis: 'xaxis' | 'yaxis'): readonly number[] | undefined {
    return this.reset.element.hidden ? undefined : this.drawn?.element.layout?.[axis]?.range;
  }

  /** Forgets the reader's zoom. */
  showAll(): void {
    this.zoomRevision += 1;
    this.setZoomed(false);
  }

  /** Changes parts of the layout that are cheap to draw again. */
  adjust(changes: PlotlyValues): void {
    if (this.drawn && !this.lifetime.isEnded) void this.drawn.plotly.relayout(this.drawn.element, changes);
  }

  /** Shows the labels of points as if the pointer were there; none hides them. */
  showPoints(points: readonly PlotlyPoint[]): void {
    if (!this.drawn) return;
    const { plotly, element } = this.drawn;
    if (points.length > 0) plotly.Fx.hover(element, points);
    else plotly.Fx.unhover(element);
  }

  async picture(title: string): Promise<Picture> {
    const { data, layout } = this.describe(this.width || 800);
    const { width, height } = layout;
    const svg = await (await loadPlotly()).toImage({ data, layout, config }, { format: 'svg', width, height, imageDataOnly: true });
    return titledPicture(title, svg, layout, this.theme.current);
  }

  dispose(): void {
    this.lifetime.dispose();
    this.drawn?.plotly.purge(this.drawn.element);
  }

  private begin(): void {
    const drawing = this.drawNow();
    drawings.add(drawing);
    // What goes wrong is for whoever watches over the page.
    void drawing.finally(() => drawings.delete(drawing));
  }

  private async drawNow(): Promise<void> {
    this.drawing = true;
    try {
      do {
        this.overtaken = false;
        // Drawn anew in one task, all charts cost the page one painting: so frames follow faster in playing.
        if (!this.drawn) await turn();
        const plotly = await loadPlotly();
        if (this.lifetime.isEnded) return;
        const { data, layout } = this.describe(this.width);
        // While these stay the same, so do the reader's zoom and the hidden series.
        const kept = { uirevision: `zoom ${this.zoomRevision}`, legend: { ...layout.legend, uirevision: 'kept' } };
        const element = await plotly.react(this.plot, data, { ...layout, ...kept }, config);
        if (!this.drawn) this.listen(element);
        this.drawn = { plotly, element };
        this.element.removeAttribute('aria-busy');
      } while (this.overtaken && !this.lifetime.isEnded);
    } finally {
      this.drawing = false;
    }
  }

  private listen(drawn: PlotlyElement): void {
    drawn.on('plotly_hover', event => { if (event.event) this.hovers.fire(event); });
    drawn.on('plotly_unhover', () => this.unhovers.fire());
    drawn.on('plotly_click', event => this.clicks.fire(event));
    drawn.on('plotly_relayout', changes => {
      if (Object.keys(changes).some(name => /^[xy]axis\./.test(name))) this.setZoomed(true);
    });
    drawn.on('plotly_doubleclick', () => this.setZoomed(false));
  }

  private setZoomed(zoomed: boolean): void {
    this.reset.element.hidden = !zoomed;
    this.draw();
  }
}
