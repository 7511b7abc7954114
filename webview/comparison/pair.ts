import type { Disposable } from '../../src/common/lifetime';
import type { Figure } from '../../src/protocol/figure';
import type { ComparisonView } from '../../src/protocol/panel';
import { element, setText } from '../elements';
import type { FigureFrame, FrameActions } from '../figures/frame';
import { FrameList } from '../figures/frameList';
import type { FigureContext } from '../figures/view';

/** What is known of one figure in a comparison; one of the two figures is there at least. */
export interface Compared {
  readonly names: readonly [string, string];
  readonly figure: Figure | undefined;
  readonly other: Figure | undefined;
  readonly differences: readonly Figure[];
}

/** A figure beside its counterpart, or what there is to draw of their difference; a sentence where there is none. */
export class Pair implements Disposable {
  private readonly note = element('p', { class: 'pair-note', hidden: true });
  private readonly figures: FrameList;
  readonly element: HTMLElement;
  private own: FigureFrame | undefined;
  private asDifference = false;

  constructor(context: FigureContext, actions: FrameActions) {
    this.figures = new FrameList(element('div', { class: 'pair-figures' }), context, actions);
    this.element = element('div', { class: 'pair' }, this.figures.element, this.note);
  }

  /** The frame of the figure itself, while it is shown. */
  get ownFrame(): FigureFrame | undefined {
    return this.own;
  }

  /** What stands first: the figure, or the difference in its place. */
  get firstFrame(): FigureFrame | undefined {
    return this.figures.frames[0];
  }

  update({ names, figure, other, differences }: Compared, view: ComparisonView): void {
    const asDifference = view === 'difference' && differences.length > 0;
    // What a figure's controls are called stays with it, so that a difference has controls of its own.
    if (asDifference !== this.asDifference) this.figures.update([]);
    this.asDifference = asDifference;
    this.element.classList.toggle('pair-alone', !asDifference && !(figure && other));
    this.figures.update(asDifference ? differences.map(each => ({ figure: each })) : [
      ...(figure ? [{ figure, of: names[0] }] : []),
      ...(other ? [{ figure: other, of: names[1], apart: true }] : []),
    ]);
    this.own = asDifference || !figure ? undefined : this.figures.frames[0];
    const note = noteOf(names, figure, other, view, asDifference);
    this.note.hidden = note === undefined;
    setText(this.note, note ?? '');
  }

  dispose(): void {
    this.figures.dispose();
    this.element.remove();
  }
}

function noteOf([one, two]: Compared['names'], figure: Figure | undefined, other: Figure | undefined, view: ComparisonView, asDifference: boolean): string | undefined {
  if (!figure) return `There is no figure like this of ${one}.`;
  if (!other) return `There is no figure like this of ${two}.`;
  return view === 'difference' && !asDifference ? 'There is no difference to draw: the two do not range over the same things.' : undefined;
}
