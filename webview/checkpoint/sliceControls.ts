import { Emitter } from '../../src/common/event';
import { sliceLimit, type TensorSummary } from '../../src/protocol/checkpointFile';
import type { PageSlice } from '../../src/protocol/checkpointPage';
import { numberControl } from '../controls/number';
import type { Control } from '../controls/toolkit';
import { element } from '../elements';
import { formatInteger } from '../numbers';

/** Rows, and columns, that are shown at once, so that cells can still be told apart; of a single row, as many as a slice may have. */
const windowSize = 256;

/** Where in a tensor the reader looks. */
export interface Place {
  readonly index: readonly number[];
  readonly row: number;
  readonly column: number;
}

/** The controls of a tensor's slice: an index for each leading axis, and where rows and columns begin that are too many. */
export class SliceControls {
  readonly element = element('div', { class: 'controls', role: 'group', 'aria-label': 'Slice' });
  private readonly changes = new Emitter<void>();
  readonly onDidChange = this.changes.event;
  private readonly leading: readonly Control<number>[];
  private readonly row: Control<number> | undefined;
  private readonly column: Control<number> | undefined;
  private readonly counts: { readonly rows: number; readonly columns: number };

  constructor(private readonly tensor: TensorSummary, at: Partial<Place>) {
    const { shape } = tensor;
    const [height, width] = shape.length < 2 ? [1, shape[0] ?? 1] : [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
    this.counts = { rows: Math.min(windowSize, height), columns: Math.min(shape.length < 2 ? sliceLimit : windowSize, width) };
    this.leading = shape.slice(0, -2).map((size, axis) => this.control(`Axis ${axis}`, `From 0 to ${size - 1}`, size - 1, at.index?.[axis]));
    this.row = this.window(shape.length - 2, height, this.counts.rows, at.row);
    this.column = this.window(Math.max(0, shape.length - 1), width, this.counts.columns, at.column);
    this.element.hidden = this.element.childElementCount === 0;
  }

  get place(): Place {
    return { index: this.leading.map(({ value }) => value), row: this.row?.value ?? 0, column: this.column?.value ?? 0 };
  }

  get slice(): PageSlice {
    const { index, row, column } = this.place;
    const { rows, columns } = this.counts;
    return { tensor: this.tensor.name, index, rows: { from: row, count: rows }, columns: { from: column, count: columns } };
  }

  private window(axis: number, size: number, count: number, at: number | undefined): Control<number> | undefined {
    if (size <= count) return undefined;
    return this.control(`Axis ${axis} from`, `${formatInteger(count)} of ${formatInteger(size)} are shown, from this one on`, size - count, at);
  }

  private control(title: string, description: string, maximum: number, at = 0): Control<number> {
    const control = numberControl({ kind: 'integer', title: `${title} (0 to ${formatInteger(maximum)})`, description, default: Math.min(maximum, at), minimum: 0, maximum });
    control.onDidChange(() => this.changes.fire());
    this.element.append(control.element);
    return control;
  }
}
