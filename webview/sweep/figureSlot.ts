import type { Disposable } from '../../src/common/lifetime';
import type { LinesFigure } from '../../src/protocol/figure';
import type { ExportFormat } from '../../src/protocol/panel';
import type { RunCurve, SweepRow } from '../../src/protocol/sweep';
import { element } from '../elements';
import { FigureFrame, type FrameActions } from '../figures/frame';
import type { FigureContext } from '../figures/view';
import { curvesFigure } from './curvesFigure';
import { sweepFigure } from './figure';

/** What to draw; with curves, the runs through their training. */
type Given = Parameters<typeof sweepFigure>[0] & { readonly curves?: readonly RunCurve[] };

/** Milliseconds between two drawings while runs finish: of a large sweep many do in a second. */
const drawEvery = 1000;

/** Where a sweep's figure stands: the same frame for as long as its axes mean the same. */
export class SweepFigureSlot implements Disposable {
  readonly element = element('div', { class: 'figures' });
  private readonly actions: FrameActions;
  private shown: { readonly frame: FigureFrame; readonly axes: string } | undefined;
  private drawn: { readonly given: Given; readonly finished: readonly SweepRow[] } | undefined;
  private timer: number | undefined;
  private next: Given | undefined;

  constructor(private readonly context: FigureContext, save: (frame: FigureFrame, format: ExportFormat) => void) {
    this.actions = { save, canClaim: () => false, claim: () => undefined, canCode: () => false, code: () => undefined };
  }

  get frame(): FigureFrame | undefined {
    return this.shown?.frame;
  }

  update(given: Given): void {
    this.next = given;
    const asked = this.drawn?.given.field !== given.field || this.drawn.given.metric !== given.metric || this.drawn.given.fields !== given.fields;
    if (asked) clearTimeout(this.timer);
    else if (this.timer !== undefined) return;
    this.draw();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.shown?.frame.dispose();
  }

  private draw(): void {
    this.timer = undefined;
    const given = this.next;
    if (!given) return;
    this.next = undefined;
    const { fields, rows, field, metric, curves } = given;
    // While runs train, only those that finish change the figure, and the curves where it has any.
    const finished = rows.filter(({ status }) => status === 'finished');
    const { given: before, finished: those = [] } = this.drawn ?? {};
    const isSame = before?.field === field && before.metric === metric && before.fields === fields
      && before.curves === curves && those.length === finished.length && those.every((row, at) => row === finished[at]);
    if (isSame) return;
    this.drawn = { given, finished };
    this.timer = window.setTimeout(() => this.draw(), drawEvery);
    this.show(curves ? curvesFigure({ rows, metric, curves }) : sweepFigure(given));
  }

  private show(figure: LinesFigure): void {
    const axes = axesOf(figure);
    if (this.shown?.axes === axes) {
      this.shown.frame.update({ figure });
      return;
    }
    this.shown?.frame.dispose();
    this.shown = { frame: new FigureFrame({ figure }, this.context, this.actions), axes };
    this.element.append(this.shown.frame.element);
  }
}

/** What a figure's own controls depend on; another needs them anew. */
function axesOf({ x, y }: LinesFigure): string {
  return JSON.stringify([x, y]);
}
