import type { Disposable } from '../../src/common/lifetime';
import { FigureFrame, type FrameActions, type FramedFigure } from './frame';
import type { FigureContext } from './view';

/** Figures in an order. They keep their place and their kind from one result to the next; those that do are updated in place. */
export class FrameList implements Disposable {
  private shown: readonly FigureFrame[] = [];

  constructor(readonly element: HTMLElement, private readonly context: FigureContext, private readonly actions: FrameActions) {}

  get frames(): readonly FigureFrame[] {
    return this.shown;
  }

  update(figures: readonly FramedFigure[]): void {
    const frames = figures.map((figure, i) => {
      const frame = this.shown[i];
      if (frame?.update(figure)) return frame;
      const made = new FigureFrame(figure, this.context, this.actions);
      if (frame) frame.element.replaceWith(made.element);
      else this.element.append(made.element);
      return made;
    });
    for (const frame of this.shown) if (!frames.includes(frame)) frame.dispose();
    this.shown = frames;
  }

  dispose(): void {
    for (const frame of this.shown) frame.dispose();
    this.shown = [];
  }
}
