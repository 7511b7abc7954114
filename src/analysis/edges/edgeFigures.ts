import type { GraphFigure, HeatmapFigure, LinesFigure, TableFigure } from '../../protocol/figure';
import { readerName, type Edge, type EdgeGraph } from './edges';

/** What there is to show of a graph's edges; arrays by the numbers of its edges. */
export interface MeasuredEdges {
  readonly graph: EdgeGraph;
  readonly scores: Float64Array;
  /** What patching each edge brings back, where that was measured. */
  readonly exact: Float64Array | undefined;
  /** The edges from the largest score by size to the smallest. */
  readonly order: readonly number[];
  /** How faithful circuits of so many of the strongest edges are. */
  readonly curve: readonly { readonly count: number; readonly faithfulness: number }[];
}

/** What is said of a circuit beside its drawing. */
export interface CircuitFacts {
  /** The share of the largest score that its edges have at least. */
  readonly threshold: number;
  readonly faithfulness: number;
  /** What its scores are shares of. */
  readonly between: string;
  /** What of the whole difference the gradients account for. */
  readonly accounted: number;
}

const mostDrawn = 200;
const mostRows = 200;
/** How far from 1 what the gradients account for can be before it is said. */
const farFromAll = 0.2;

/** Edges of the circuit, drawn from the embedding on the left to the logits on the right, through nodes that have any. */
export function circuitFigure({ graph, scores, order }: MeasuredEdges, kept: number, facts: CircuitFacts): GraphFigure {
  const drawn = order.slice(0, Math.min(kept, mostDrawn)).flatMap(number => {
    const { sender, reader } = ends(graph, number);
    return [{ sender, reader, edge: { from: sender.name, to: reader.node, weight: scores[number] ?? 0, ...(reader.part && { label: reader.part }) } }];
  });
  const found = new Map(drawn.flatMap(({ sender: { name, depth, subject }, reader }) => [
    [name, { id: name, depth, subject }] as const,
    [reader.node, { id: reader.node, depth: reader.depth, subject: reader.subject }] as const,
  ]));
  const names = [...graph.senders.map(({ name }) => name), 'Logits'];
  const nodes = [...found.values()].sort((a, b) => names.indexOf(a.id) - names.indexOf(b.id));
  const depths = [...new Set(nodes.map(({ depth }) => depth))].sort((a, b) => a - b);
  // Every other column is lower, by half a row where columns have several nodes, so that an edge past it does not run through them.
  const lower = nodes.length > depths.length ? 0.5 : 1;
  return {
    kind: 'graph', title: 'Circuit', caption: circuitCaption(kept, order.length, facts), scalar: 'faithfulness',
    nodes: nodes.map(({ id, depth, subject }) => {
      const column = depths.indexOf(depth);
      const row = nodes.filter(node => node.depth === depth).findIndex(node => node.id === id) + (column % 2) * lower;
      return { id, label: id, column, row, subject };
    }),
    edges: drawn.map(({ edge }) => edge),
  };
}

function circuitCaption(kept: number, all: number, { threshold, faithfulness, accounted, between }: CircuitFacts): string {
  if (kept === 0) return 'No edge has a score between these prompts, so that no circuit is left; try another corruption, or EAP-IG.';
  const share = Number((100 * threshold).toPrecision(3));
  return [
    `${kept} of ${all} edges, with scores of at least ${share}\u202f% of the largest; by themselves they bring back ${faithfulness.toFixed(2)} of ${between}.`,
    ...(kept > mostDrawn ? [`The ${mostDrawn} largest are drawn.`] : []),
    ...(Math.abs(1 - accounted) > farFromAll ? [`The gradients account for ${accounted.toFixed(2)} of it, so that edges may be missing; take EAP-IG, or more steps.`] : []),
  ].join(' ');
}

/** How much of the answer the strongest edges bring back, against how many they are. */
export function faithfulnessFigure(curve: MeasuredEdges['curve'], kept: number, between: string): LinesFigure {
  return {
    kind: 'lines', title: 'Faithfulness', scalar: 'faithfulness',
    caption: `Share of ${between} that the strongest edges bring back while all others carry the corrupted run: 0 as corrupted, 1 as clean.`,
    x: { title: 'Edges kept' }, y: { title: 'Share of the clean answer' },
    series: [{ name: 'faithfulness', x: Float64Array.from(curve, ({ count }) => count), y: Float64Array.from(curve, ({ faithfulness }) => faithfulness) }],
    marks: [{ x: kept, label: 'threshold' }],
  };
}

export function edgesTable({ graph, scores, exact, order }: MeasuredEdges, kept: number, between: string, note: string): TableFigure {
  const shown = order.slice(0, mostRows);
  const of = order.length > shown.length ? `The ${shown.length} largest of ${order.length} scores` : 'All scores';
  return {
    kind: 'table', title: 'Edges', scalar: exact ? 'correlation' : 'largest',
    caption: `${of}, as shares of ${between}. ${note}`.trim(),
    columns: [
      { title: 'From', numeric: false }, { title: 'To', numeric: false }, { title: 'Score', numeric: true },
      ...(exact ? [{ title: 'Patched', numeric: true }] : []), { title: 'In the circuit', numeric: false },
    ],
    rows: shown.map((number, at) => {
      const { sender, reader } = ends(graph, number);
      return [sender.name, readerName(reader), scores[number] ?? 0, ...(exact ? [exact[number] ?? 0] : []), at < kept ? 'yes' : 'no'];
    }),
    subjects: shown.map(number => {
      const { sender, reader } = ends(graph, number);
      return reader.subject.layer === undefined ? sender.subject : reader.subject;
    }),
  };
}

export function scoresFigure({ graph: { senders, readers, edges }, scores }: MeasuredEdges, between: string): HeatmapFigure {
  const [rows, columns] = [senders.length, readers.length];
  const [values, present] = [new Float32Array(rows * columns), new Uint8Array(rows * columns)];
  edges.forEach(({ sender, reader }, number) => {
    values[sender * columns + reader] = scores[number] ?? 0;
    present[sender * columns + reader] = 1;
  });
  return {
    kind: 'heatmap', title: 'Scores of all edges', scalar: 'largest', rows, columns, values, present, scale: 'diverging', unit: '',
    caption: `Share of ${between} that each edge carries, to first order.`,
    y: { title: 'Sender', labels: senders.map(({ name }) => name), subjects: senders.map(({ subject }) => subject) },
    x: { title: 'Reader', labels: readers.map(readerName), subjects: readers.map(({ subject }) => subject) },
  };
}

function ends({ senders, readers, edges }: EdgeGraph, number: number) {
  const edge: Edge | undefined = edges[number];
  const [sender, reader] = [senders[edge?.sender ?? -1], readers[edge?.reader ?? -1]];
  if (!sender || !reader) throw new Error(`there is no edge ${number}`);
  return { sender, reader };
}
