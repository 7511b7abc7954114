import { Emitter } from '../../src/common/event';
import { messageOf } from '../../src/common/errors';
import type { ModelSummary } from '../../src/protocol/model';
import {
  axesOf, axisName, formatFactor, formatPath, headMatrices, layerMatrices, misfit, modelMatrices, parsePath, pathProblem, type PathFactor,
} from '../../src/protocol/path';
import { element, icon, setAttributes, setText } from '../elements';
import { labelledGroup } from './labelled';
import { roveOver } from './roving';
import { textField, type Control, type Label } from './toolkit';

type ModelParts = Pick<ModelSummary, 'n_layers' | 'n_heads' | 'attn_only'>;

/** A matrix that can be appended. */
interface Offer {
  readonly factor: PathFactor;
  readonly element: HTMLButtonElement;
}

/** More heads than this fold away by layer. */
const openLimit = 8;

/**
 * Builds a product of weights: its factors as chips that can be turned and removed, what can be appended below them, and the
 * same as text. A product that does not fit together is explained and not sent.
 */
export class PathControl implements Control<string> {
  readonly element: HTMLElement;
  private readonly changes = new Emitter<string>();
  readonly onDidChange = this.changes.event;
  private readonly chips = element('div', { class: 'chips path-product', role: 'toolbar', 'aria-label': 'Factors of the product' });
  private readonly chipsChanged = roveOver(this.chips);
  private readonly shape = element('p', { class: 'path-shape', 'aria-live': 'polite' });
  private readonly text;
  private readonly offers: readonly Offer[];
  private current: string;
  private factors: readonly PathFactor[] = [];

  constructor(label: Label, model: ModelParts, text: string) {
    this.current = text;
    this.text = textField({ title: 'As text', description: 'The same product as text' }, text, { width: 48, placeholder: 'W_E · OV(0.0) · W_U' });
    this.text.onDidChange(typed => this.takeText(typed));
    const { offers, palette } = this.palette(model);
    this.offers = offers;
    this.element = labelledGroup(label, this.chips, this.shape, palette, this.text.element);
    this.setText(text);
  }

  get value(): string {
    return this.current;
  }

  set value(next: string) {
    if (next === this.current) return;
    this.current = next;
    this.setText(next);
  }

  private setText(text: string): void {
    try {
      this.factors = text.trim() === '' ? [] : parsePath(text);
      this.draw();
    } catch (error) {
      this.text.value = text;
      this.text.setProblem(messageOf(error));
    }
  }

  private takeText(typed: string): void {
    try {
      this.take(parsePath(typed));
    } catch (error) {
      this.text.setProblem(messageOf(error));
    }
  }

  /** Shows a product that the reader made, and tells it if it fits together. */
  private take(factors: readonly PathFactor[]): void {
    this.factors = factors;
    this.draw();
    const next = formatPath(factors);
    if (next === this.current || factors.length === 0 || pathProblem(factors) !== undefined) return;
    this.current = next;
    this.changes.fire(next);
  }

  private draw(): void {
    const focused = [...this.chips.querySelectorAll('button')].findIndex(button => button === document.activeElement);
    this.chips.replaceChildren(...this.factors.flatMap((factor, at) => [
      ...(at === 0 ? [] : [element('span', { class: 'path-dot', 'aria-hidden': 'true' }, '·')]), this.chip(factor, at),
    ]));
    this.chips.hidden = this.factors.length === 0;
    this.chipsChanged();
    if (focused >= 0) {
      const buttons = this.chips.querySelectorAll('button');
      (buttons[Math.min(focused, buttons.length - 1)] ?? this.offers[0]?.element)?.focus();
    }
    this.text.value = formatPath(this.factors);
    this.text.setProblem(pathProblem(this.factors));
    this.describeShape();
    this.updateOffers();
  }

  private chip(factor: PathFactor, at: number): HTMLElement {
    const name = formatFactor(factor);
    const turn = element('button', {
      type: 'button', class: 'chip-part', 'aria-pressed': String(factor.transposed), 'aria-label': `Transpose ${formatFactor({ ...factor, transposed: false })}, factor ${at + 1}`,
      title: 'Transpose',
    }, 'ᵀ');
    turn.addEventListener('click', () => this.take(this.factors.map((each, i) => i === at ? { ...each, transposed: !each.transposed } : each)));
    const remove = element('button', { type: 'button', class: 'chip-part', 'aria-label': `Remove ${name}, factor ${at + 1}`, title: 'Remove' }, icon('close'));
    remove.addEventListener('click', () => this.take(this.factors.filter((_, i) => i !== at)));
    const before = this.factors[at - 1];
    return element('span', { class: 'chip path-factor', 'data-misfit': before !== undefined && misfit(before, factor) !== undefined }, name, turn, remove);
  }

  private describeShape(): void {
    const [first, last] = [this.factors[0], this.factors.at(-1)];
    if (!first || !last) setText(this.shape, 'Nothing yet: choose what the path begins with.');
    else if (pathProblem(this.factors) !== undefined) setText(this.shape, 'The factors do not fit together.');
    else setText(this.shape, `A row for ${each(axesOf(first)[0])}, a column for ${each(axesOf(last)[1])}.`);
  }

  /** What fits only when it is turned is offered turned. */
  private updateOffers(): void {
    const last = this.factors.at(-1);
    for (const { factor, element: offer } of this.offers) {
      const fitting = this.fitting(factor);
      const reason = fitting || !last ? undefined : `${formatFactor(factor)} goes between ${axesOf(factor).map(axisName).join(' and ')}; the product ends in ${axisName(axesOf(last)[1])}.`;
      setText(offer, formatFactor(fitting ?? factor));
      setAttributes(offer, { 'aria-disabled': fitting ? undefined : 'true', title: reason });
    }
  }

  private fitting(factor: PathFactor): PathFactor | undefined {
    const last = this.factors.at(-1);
    return last ? [factor, { ...factor, transposed: true }].find(turned => misfit(last, turned) === undefined) : factor;
  }

  private palette({ n_layers, n_heads, attn_only }: ModelParts): { readonly offers: readonly Offer[]; readonly palette: HTMLElement } {
    const offers: Offer[] = [];
    const row = (title: string, factors: readonly PathFactor[]) => {
      const buttons = factors.map(factor => this.offer(factor));
      offers.push(...buttons);
      const toolbar = element('div', { class: 'chips', role: 'toolbar', 'aria-label': `Append of ${title}` }, ...buttons.map(button => button.element));
      roveOver(toolbar);
      return element('div', { class: 'path-row' }, element('span', { class: 'path-row-title', 'aria-hidden': 'true' }, title), toolbar);
    };
    const transposed = false;
    const model = row('model', modelMatrices.map(matrix => ({ matrix, transposed })));
    const layers = Array.from({ length: n_layers }, (_, layer) => [
      ...Array.from({ length: n_heads }, (__, head) => row(`L${layer}H${head}`, headMatrices.map(matrix => ({ matrix, layer, head, transposed })))),
      ...(attn_only ? [] : [row(`MLP ${layer}`, layerMatrices.map(matrix => ({ matrix, layer, transposed })))]),
    ]);
    const folds = n_layers * n_heads > openLimit;
    const others = layers.flatMap((rows, layer): HTMLElement[] =>
      folds ? [element('details', { class: 'chip-fold' }, element('summary', {}, `Layer ${layer}`), ...rows)] : rows);
    return { offers, palette: element('div', { class: 'path-palette' }, model, ...others) };
  }

  private offer(factor: PathFactor): Offer {
    const made = element('button', { type: 'button', class: 'chip' }, formatFactor(factor));
    made.addEventListener('click', () => {
      const fitting = this.fitting(factor);
      if (fitting) this.take([...this.factors, fitting]);
      else setText(this.shape, made.title);
    });
    return { factor, element: made };
  }
}

/** What one row or column of an axis is of. */
function each(axis: ReturnType<typeof axesOf>[0]): string {
  switch (axis) {
    case 'vocabulary': return 'each token';
    case 'positions': return 'each position';
    case 'outputs': return 'each logit';
    case 'residual stream': return 'each direction of the residual stream';
    case 'head': return 'each dimension of the head';
    case 'mlp': return 'each neuron';
    default: return axis satisfies never;
  }
}
