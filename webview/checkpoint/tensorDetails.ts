import { Lifetime, type Disposable } from '../../src/common/lifetime';
import { sizeOf } from '../../src/common/tensor';
import { wholeTypes, type TensorSlice, type TensorStatistics, type TensorSummary } from '../../src/protocol/checkpointFile';
import type { PageSlice } from '../../src/protocol/checkpointPage';
import { element, icon, setText } from '../elements';
import type { FrameActions } from '../figures/frame';
import { FrameList } from '../figures/frameList';
import type { FigureContext } from '../figures/view';
import { formatInteger, formatNumber, formatPrecise, formatShare } from '../numbers';
import { histogramFigure, sliceFigure } from './figures';
import { SliceControls, type Place } from './sliceControls';
import type { Known } from './tensorRow';
import { notFiniteText, tensorSummary } from './words';

export interface TensorDetailsHost {
  readonly context: FigureContext;
  readonly actions: FrameActions;
  ask(slice: PageSlice): void;
  /** The reader looks elsewhere in the tensor. */
  moved(place: Place): void;
}

/** One tensor: what its numbers are like, how they are spread, and a slice of it as a picture. */
export class TensorDetails implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly name = element('h2', { class: 'tensor-name' });
  private readonly summary = element('p', { class: 'tensor-summary' });
  private readonly notFinite = element('p', { class: 'tensor-not-finite', hidden: true });
  private readonly statistics = element('dl', { class: 'tensor-statistics' });
  private readonly problem = element('p', { class: 'tensor-problem', role: 'alert' });
  private readonly controlsSlot = element('div');
  private readonly note = element('p', { class: 'empty' });
  private readonly sliceSlot = element('div', { class: 'figures' });
  private readonly histogramSlot = element('div', { class: 'figures' });
  private readonly slices: FrameList;
  private readonly histograms: FrameList;
  private readonly content = element('div', {}, this.name, this.summary, this.notFinite, this.statistics, this.problem, this.controlsSlot, this.sliceSlot, this.note, this.histogramSlot);
  private readonly hint = element('p', { class: 'empty' }, 'Select a tensor to see its numbers.');
  readonly element = element('section', { class: 'tensor-details', 'aria-label': 'Selected tensor' }, this.hint, this.content);
  private shown: { readonly tensor: TensorSummary; readonly controls: SliceControls } | undefined;

  constructor(private readonly host: TensorDetailsHost) {
    this.slices = this.lifetime.add(new FrameList(this.sliceSlot, host.context, host.actions));
    this.histograms = this.lifetime.add(new FrameList(this.histogramSlot, host.context, host.actions));
    this.clear();
  }

  /** Shows a tensor, or the same one anew, and asks for its slice there. */
  show(tensor: TensorSummary, place: Partial<Place>): void {
    const controls = new SliceControls(tensor, place);
    this.shown = { tensor, controls };
    this.hint.hidden = true;
    this.content.hidden = false;
    setText(this.name, tensor.name);
    setText(this.summary, tensorSummary(tensor));
    this.controlsSlot.replaceChildren(controls.element);
    controls.onDidChange(() => {
      this.host.moved(controls.place);
      this.host.ask(controls.slice);
    });
    // What is there of another tensor is not true of this one.
    this.slices.update([]);
    setText(this.problem, '');
    const isEmpty = sizeOf(tensor.shape) === 0;
    this.controlsSlot.hidden = isEmpty;
    setText(this.note, isEmpty ? 'It is empty: there is nothing to show of it.' : '');
    if (!isEmpty) this.host.ask(controls.slice);
  }

  clear(): void {
    this.shown = undefined;
    this.hint.hidden = false;
    this.content.hidden = true;
    this.slices.update([]);
    this.histograms.update([]);
  }

  know(known: Known): void {
    if (!this.shown) return;
    const { tensor } = this.shown;
    const found = known && 'elements' in known ? known : undefined;
    const warning = found && notFiniteText(found);
    this.notFinite.hidden = warning === undefined;
    this.notFinite.replaceChildren(icon('warning'), `${warning ?? ''}: in no mean and no histogram.`);
    this.statistics.replaceChildren(...known === undefined ? rows([['Statistics', 'being read…']]) : 'problem' in known ? rows([['Statistics', known.problem]]) : rows(measurements(tensor, known)));
    const histogram = found && histogramFigure(tensor, found);
    this.histograms.update(histogram ? [{ figure: histogram }] : []);
  }

  /** Shows a slice if it is what is looked at now. */
  takeSlice(asked: PageSlice, slice: TensorSlice): void {
    if (!this.shown || !this.isAsked(asked)) return;
    setText(this.problem, '');
    this.slices.update([{ figure: sliceFigure(this.shown.tensor, asked, slice) }]);
  }

  takeProblem(asked: PageSlice, problem: string): void {
    if (this.isAsked(asked)) setText(this.problem, problem);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private isAsked(asked: PageSlice): boolean {
    return this.shown !== undefined && JSON.stringify(asked) === JSON.stringify(this.shown.controls.slice);
  }
}

function measurements({ dtype }: TensorSummary, { elements, sampled, zeros, minimum, mean, maximum, standardDeviation, nan, positiveInfinities, negativeInfinities }: TensorStatistics): [string, string][] {
  const number = (title: string, value: number | undefined, format = formatNumber): [string, string][] => value === undefined ? [] : [[title, format(value)]];
  const ofElement = wholeTypes.includes(dtype) ? formatPrecise : formatNumber;
  const counted = (title: string, value: number): [string, string][] => value === 0 ? [] : [[title, formatInteger(value)]];
  return [
    ...number('Minimum', minimum, ofElement), ...number('Mean', mean), ...number('Maximum', maximum, ofElement), ...number('Standard deviation', standardDeviation),
    ...(sampled === 0 ? [] : [['Zeros', zeros === 0 ? '0' : `${formatInteger(zeros)} (${formatShare(zeros / sampled)})`] satisfies [string, string]]),
    ...counted('NaN', nan), ...counted('+∞', positiveInfinities), ...counted('−∞', negativeInfinities),
    ...(sampled < elements ? [['Measured on', `${formatInteger(sampled)} of ${formatInteger(elements)} numbers, evenly spread`] satisfies [string, string]] : []),
  ];
}

function rows(pairs: readonly (readonly [string, string])[]): HTMLElement[] {
  return pairs.map(([title, text]) => element('div', {}, element('dt', {}, title), element('dd', {}, text)));
}
