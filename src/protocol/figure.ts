/**
 * What an analysis shows. Figures are plain data: they cross from the engine to the panel with their numbers as typed
 * arrays, and to JSON and HTML with the same fields. Every number in a figure is finite; `checkFigure` says so.
 */
export type Figure =
  | HeatmapFigure
  | AttentionFigure
  | LinesFigure
  | BarsFigure
  | Histogram2dFigure
  | TableFigure
  | GraphFigure
  | NetworkFigure;
export type FigureKind = Figure['kind'];

interface Titled {
  readonly title: string;
  /** One sentence under the title: what is shown, and in which unit. */
  readonly caption?: string;
  /** What all of it is about, as the OV circuit of one head is. */
  readonly subject?: Subject;
  /** The scalar that says in a number what the figure shows: what a claim copied from it asserts. */
  readonly scalar?: string;
}

/**
 * The part of a model that a row, a column or a node is about. Selecting it selects the head everywhere, and other analyses
 * open on it: those with parameters of the kinds `head` and `position`.
 */
export interface Subject {
  readonly layer?: number;
  /** Only together with the layer. */
  readonly head?: number;
  readonly position?: number;
}

/** An axis of numbers, or of categories when it has labels. */
export interface Axis {
  readonly title: string;
  readonly labels?: readonly string[];
  /** What each category is about; one for each label. */
  readonly subjects?: readonly Subject[];
  readonly logarithmic?: boolean;
}

export interface HeatmapFigure extends Titled {
  readonly kind: 'heatmap';
  readonly x: Axis;
  readonly y: Axis;
  readonly rows: number;
  readonly columns: number;
  /** `[rows, columns]`, row-major; row 0 is drawn at the top. */
  readonly values: Float32Array;
  /** `[rows, columns]`: the values that float32 rounds, as they are. Colours go by `values`, texts and tables by these. */
  readonly precise?: Float64Array;
  /** `[rows, columns]`, 1 where there is a value and 0 where there is none; absent: all of them. */
  readonly present?: Uint8Array;
  /** What stands where there is no value, by its place among the values; absent: nothing. */
  readonly instead?: readonly { readonly at: number; readonly text: string }[];
  /** Diverging scales are centred at 0. */
  readonly scale: 'sequential' | 'diverging';
  /** Where the colours end, in place of the largest value by size: figures that are read together have one scale. */
  readonly reach?: number;
  readonly unit: string;
}

export interface AttentionFigure extends Titled {
  readonly kind: 'attention';
  /** Labels of the positions, `T` of them, for destinations (queries) and sources (keys) alike. */
  readonly tokens: readonly string[];
  readonly heads: readonly AttentionHead[];
  /** `[T, T]` (destination, source): 1 where attention is allowed, 0 where the mask forbids it. */
  readonly allowed: Uint8Array;
}

export interface AttentionHead {
  readonly layer: number;
  readonly head: number;
  /** `[T, T]` (destination, source); rows sum to 1. */
  readonly pattern: Float32Array;
}

export interface LinesFigure extends Titled {
  readonly kind: 'lines';
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Positions on the x axis worth a mark, such as checkpoints. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
  /** Many lines of one kind, seen as a whole: a line is named where the reader points at it, and there is no legend. */
  readonly crowd?: boolean;
}

export interface Series {
  readonly name: string;
  /** Numbers, or places among the labels of the x axis. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Which of the points is the best, where one is. */
  readonly best?: number;
}

export interface BarsFigure extends Titled {
  readonly kind: 'bars';
  readonly x: Axis & { readonly labels: readonly string[] };
  readonly y: Axis;
  /** One value for each label in each series. */
  readonly series: readonly { readonly name: string; readonly values: Float64Array }[];
}

export interface Histogram2dFigure extends Titled {
  readonly kind: 'histogram2d';
  readonly x: Axis;
  readonly y: Axis;
  /** Edges of the bins, one more than there are bins. */
  readonly xEdges: Float64Array;
  readonly yEdges: Float64Array;
  /** `[y bins, x bins]`, row-major. */
  readonly counts: Float32Array;
}

export interface TableFigure extends Titled {
  readonly kind: 'table';
  readonly columns: readonly { readonly title: string; readonly numeric: boolean }[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** What each row is about. */
  readonly subjects?: readonly Subject[];
}

export interface GraphFigure extends Titled {
  readonly kind: 'graph';
  readonly nodes: readonly { readonly id: string; readonly label: string; readonly column: number; readonly row: number; readonly subject?: Subject }[];
  /** A label tells edges between the same two nodes apart, as those to a head's queries, keys and values. */
  readonly edges: readonly { readonly from: string; readonly to: string; readonly weight: number; readonly label?: string }[];
}

/** A small graph in the plane, of which a path may be marked, with arrows over it that say what is read from where. */
export interface NetworkFigure extends Titled {
  readonly kind: 'network';
  /** Places in the unit square, x to the right and y down. */
  readonly nodes: readonly NetworkNode[];
  /** Undirected lines between nodes, by the nodes' ids; two may join the same nodes and are drawn beside each other. */
  readonly links: readonly NetworkLink[];
  /** From where something is read to where it goes, as attention from a source to a destination. */
  readonly arrows: readonly NetworkArrow[];
}

export interface NetworkNode {
  readonly id: string;
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly mark?: 'start' | 'end' | 'path';
  readonly subject?: Subject;
}

export interface NetworkLink {
  readonly from: string;
  readonly to: string;
  /** Whether it is on the path. */
  readonly marked?: boolean;
  readonly subject?: Subject;
}

export interface NetworkArrow {
  readonly from: NetworkPlace;
  readonly to: NetworkPlace;
  /** In [0, 1]. */
  readonly weight: number;
}

/** A node by its id, or a link by its place in the list (drawn at its middle). */
export type NetworkPlace = { readonly node: string } | { readonly link: number };

/**
 * Throws when a figure holds a number that is not finite, or an array that does not fill its shape, or names
 * a place that it does not have: a mistake in the analysis that made it, named by the figure's title.
 */
export function checkFigure(figure: Figure): void {
  const expectLength = (what: string, array: ArrayLike<unknown>, length: number) => {
    if (array.length !== length) throw new Error(`figure "${figure.title}": ${what} has ${array.length} values, not ${length}`);
  };
  const expectFinite = (what: string, array: ArrayLike<number>) => {
    for (let i = 0; i < array.length; i++) {
      if (!Number.isFinite(array[i])) throw new Error(`figure "${figure.title}": ${what} holds ${array[i]} at ${i}`);
    }
  };
  const expectValues = (what: string, array: ArrayLike<number>, length: number) => {
    expectLength(what, array, length);
    expectFinite(what, array);
  };
  const expectPlace = (what: string, place: number, length: number) => {
    if (!Number.isInteger(place) || place < 0 || place >= length) throw new Error(`figure "${figure.title}": ${what} is ${place}, not one of ${length} places`);
  };
  const expectAxis = (what: string, { labels, subjects }: Axis, length: number) => {
    if (labels) expectLength(what, labels, length);
    if (subjects) expectLength(`what ${what} is about`, subjects, length);
  };
  switch (figure.kind) {
    case 'heatmap':
      expectValues('the heatmap', figure.values, figure.rows * figure.columns);
      if (figure.precise) expectValues('what the values are precisely', figure.precise, figure.rows * figure.columns);
      if (figure.present) expectLength('the mask', figure.present, figure.rows * figure.columns);
      for (const { at } of figure.instead ?? []) expectPlace('what stands instead of a value', at, figure.present?.length ?? 0);
      if (figure.reach !== undefined) expectFinite('the reach', [figure.reach]);
      expectAxis('the x axis', figure.x, figure.columns);
      expectAxis('the y axis', figure.y, figure.rows);
      return;
    case 'attention': {
      const positions = figure.tokens.length;
      expectLength('the mask', figure.allowed, positions ** 2);
      for (const { layer, head, pattern } of figure.heads) expectValues(`head ${layer}.${head}`, pattern, positions ** 2);
      return;
    }
    case 'lines':
      for (const { name, x, y, best } of figure.series) {
        expectFinite(`x of "${name}"`, x);
        expectValues(`"${name}"`, y, x.length);
        if (best !== undefined) expectPlace(`the best of "${name}"`, best, y.length);
        if (figure.x.labels) for (const place of x) expectPlace(`x of "${name}"`, place, figure.x.labels.length);
      }
      expectFinite('the marks', (figure.marks ?? []).map(mark => mark.x));
      return;
    case 'bars':
      expectAxis('the x axis', figure.x, figure.x.labels.length);
      for (const { name, values } of figure.series) expectValues(`"${name}"`, values, figure.x.labels.length);
      return;
    case 'histogram2d':
      expectFinite('the x edges', figure.xEdges);
      expectFinite('the y edges', figure.yEdges);
      expectValues('the counts', figure.counts, (figure.xEdges.length - 1) * (figure.yEdges.length - 1));
      return;
    case 'table':
      if (figure.subjects) expectLength('what the rows are about', figure.subjects, figure.rows.length);
      for (const row of figure.rows) {
        expectLength('a row', row, figure.columns.length);
        expectFinite('a row', row.filter(cell => typeof cell === 'number'));
      }
      return;
    case 'graph':
      expectFinite('the edges', figure.edges.map(edge => edge.weight));
      expectFinite('the nodes', figure.nodes.flatMap(node => [node.column, node.row]));
      return;
    case 'network': {
      const ids = new Set(figure.nodes.map(({ id }) => id));
      const expectNode = (what: string, id: string) => {
        if (!ids.has(id)) throw new Error(`figure "${figure.title}": ${what} is at "${id}", which is no node`);
      };
      const expectWithin = (what: string, numbers: readonly number[]) => {
        expectFinite(what, numbers);
        const outside = numbers.find(number => number < 0 || number > 1);
        if (outside !== undefined) throw new Error(`figure "${figure.title}": ${what} holds ${outside}, outside of [0, 1]`);
      };
      expectLength('the ids of the nodes, each once,', [...ids], figure.nodes.length);
      expectWithin('the nodes', figure.nodes.flatMap(({ x, y }) => [x, y]));
      for (const [at, { from, to }] of figure.links.entries()) {
        for (const end of [from, to]) expectNode(`link ${at}`, end);
        if (from === to) throw new Error(`figure "${figure.title}": link ${at} joins "${from}" to itself`);
      }
      expectWithin('the arrows', figure.arrows.map(({ weight }) => weight));
      for (const [at, { from, to }] of figure.arrows.entries()) {
        for (const place of [from, to]) {
          if ('node' in place) expectNode(`arrow ${at}`, place.node);
          else expectPlace(`the link of arrow ${at}`, place.link, figure.links.length);
        }
      }
      return;
    }
    default:
      figure satisfies never;
  }
}
