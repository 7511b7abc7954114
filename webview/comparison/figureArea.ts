import type { Disposable } from '../../src/common/lifetime';
import type { AnalysisResult } from '../../src/protocol/analysis';
import type { ComparisonView } from '../../src/protocol/panel';
import { element } from '../elements';
import type { FigureFrame, FrameActions } from '../figures/frame';
import { FrameList } from '../figures/frameList';
import type { FigureContext } from '../figures/view';
import { Pair, type Compared } from './pair';

/** The figures of a panel: by themselves, or each beside what it is compared with. */
export class FigureArea implements Disposable {
  readonly element = element('div', { class: 'figures' });
  private readonly alone: FrameList;
  private pairs: readonly Pair[] = [];

  constructor(private readonly context: FigureContext, private readonly actions: FrameActions) {
    this.alone = new FrameList(this.element, context, actions);
  }

  get count(): number {
    return this.pairs.length > 0 ? this.pairs.length : this.alone.frames.length;
  }

  /** What is shown of a figure of the result: its difference where that stands in its place. */
  frame(figure: number): FigureFrame | undefined {
    return this.pairs.length > 0 ? this.pairs[figure]?.firstFrame : this.alone.frames[figure];
  }

  /** Which figure of the result a frame shows; −1 for one of what it is compared with, or a difference. */
  figureOf(frame: FigureFrame): number {
    return this.pairs.length > 0 ? this.pairs.findIndex(pair => pair.ownFrame === frame) : this.alone.frames.indexOf(frame);
  }

  update(result: AnalysisResult | undefined, view: ComparisonView): void {
    const compared = result ? comparedOf(result) : [];
    if (compared.length > 0) this.alone.update([]);
    this.pairs.slice(compared.length).forEach(pair => pair.dispose());
    this.pairs = compared.map((each, at) => {
      const pair = this.pairs[at] ?? new Pair(this.context, this.actions);
      if (!pair.element.isConnected) this.element.append(pair.element);
      pair.update(each, view);
      return pair;
    });
    if (compared.length === 0) this.alone.update((result?.figures ?? []).map(figure => ({ figure })));
  }

  dispose(): void {
    this.alone.dispose();
    for (const pair of this.pairs) pair.dispose();
  }
}

/** Each figure with its counterpart, then those that only the other has. */
function comparedOf({ figures, comparison }: AnalysisResult): readonly Compared[] {
  if (!comparison || 'problem' in comparison) return [];
  const { names, differences, others } = comparison;
  return [
    ...figures.map((figure, at) => ({ names, figure, other: comparison.figures[at] ?? undefined, differences: differences[at] ?? [] })),
    ...others.map(other => ({ names, figure: undefined, other, differences: [] })),
  ];
}
