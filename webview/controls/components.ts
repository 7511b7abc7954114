import { Emitter } from '../../src/common/event';
import type { ModelSummary } from '../../src/protocol/model';
import { element, setAttributes, setText } from '../elements';
import { labelledGroup } from './labelled';
import { roveOver } from './roving';
import type { Control, Label } from './toolkit';

type ModelParts = Pick<ModelSummary, 'n_layers' | 'n_heads' | 'attn_only'>;

interface Chip {
  /** As the parameter's text has it: `1.0`, or `mlp 0`. */
  readonly name: string;
  readonly layer: number;
  readonly element: HTMLButtonElement;
}

/** More components than this fold away by layer. */
const openLimit = 48;

/** Picks heads and MLPs: a chip for each, layer by layer. */
export function componentsControl(label: Label, { n_layers, n_heads, attn_only }: ModelParts, text: string): Control<string> {
  const changes = new Emitter<string>();
  let current = text;
  const chip = (name: string, title: string, layer: number): Chip => {
    const made = element('button', { type: 'button', class: 'chip chip-toggle' }, title);
    made.addEventListener('click', () => {
      setAttributes(made, { 'aria-pressed': String(made.ariaPressed !== 'true') });
      current = chips.filter(({ element: each }) => each.ariaPressed === 'true').map(each => each.name).join(', ');
      count();
      changes.fire(current);
    });
    return { name, layer, element: made };
  };
  const layers = Array.from({ length: n_layers }, (_, layer) => [
    ...Array.from({ length: n_heads }, (__, head) => chip(`${layer}.${head}`, `L${layer}H${head}`, layer)),
    ...(attn_only ? [] : [chip(`mlp ${layer}`, `MLP ${layer}`, layer)]),
  ]);
  const chips = layers.flat();
  const summaries = layers.map(() => element('summary'));
  const folds = chips.length > openLimit;
  const rows = layers.map((row, layer) => {
    const toolbar = element('div', { class: 'chips', role: 'toolbar', 'aria-label': `Layer ${layer}` }, ...row.map(each => each.element));
    roveOver(toolbar);
    return folds ? element('details', { class: 'chip-fold' }, summaries[layer], toolbar) : toolbar;
  });

  function count(): void {
    layers.forEach((row, layer) => {
      const chosen = row.filter(each => each.element.ariaPressed === 'true').length;
      const summary = summaries[layer];
      if (summary) setText(summary, `Layer ${layer}: ${chosen === 0 ? 'none' : chosen} of ${row.length}`);
    });
  }
  function show(): void {
    const chosen = new Set(current.split(',').map(plainName));
    for (const { name, element: each } of chips) setAttributes(each, { 'aria-pressed': String(chosen.has(name)) });
    count();
    rows.forEach((row, layer) => {
      if (row instanceof HTMLDetailsElement && layers[layer]?.some(each => each.element.ariaPressed === 'true')) row.open = true;
    });
  }
  show();
  return {
    element: labelledGroup(label, element('div', { class: 'chip-rows' }, ...rows)),
    onDidChange: changes.event,
    get value() { return current; },
    set value(next) {
      if (next === current) return;
      current = next;
      show();
    },
  };
}

/** `L1H0` and `1.0`, `MLP 0` and `mlp0` are the same. */
function plainName(part: string): string {
  const [, layer, head] = /^\s*L?(\d+)[.H](\d+)\s*$/i.exec(part) ?? [];
  if (layer !== undefined && head !== undefined) return `${Number(layer)}.${Number(head)}`;
  const [, mlp] = /^\s*mlp ?(\d+)\s*$/i.exec(part) ?? [];
  return mlp === undefined ? part.trim() : `mlp ${Number(mlp)}`;
}
