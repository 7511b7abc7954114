import type { RunnableModel } from '../model/runnable';
import type { ModelConfig } from '../protocol/config';
import { measuresOf } from './answerMeasures';
import { pearson } from './patching/correlation';
import { defineAnalysis } from './define';
import { circuitFigure, edgesTable, faithfulnessFigure, scoresFigure, type MeasuredEdges } from './edges/edgeFigures';
import { circuitOf, patchedEdge, runEdges } from './edges/edgeRuns';
import { edgeScores } from './edges/edgeScores';
import { edgeGraph } from './edges/edges';
import { pairParameters, promptPairs, type PromptPair } from './pairs';
import type { Work } from './patching/patching';
import { edgeLines } from './python/edges';

const methods = ['EAP', 'EAP-IG'] as const;

/** Edges that are also patched one by one, at most. */
const mostExact = 2000;
/** Circuits of the faithfulness figure, beside the one of all edges. */
const circuits = 12;

/**
 * Edge attribution patching (Syed, Rager and Conmy 2023; with integrated gradients: Hanna, Pezzelle and Belinkov 2024): a score
 * for every edge from a node that writes to the residual stream to a later one that reads it, and the circuit of the edges
 * above a threshold.
 *
 * The circuit's faithfulness is the metric of the clean prompt in a run in which each reader's input is the sum of what its
 * kept edges carry, their senders' outputs as they come out in that run, and of what all other edges carry, their senders'
 * outputs in the corrupted run; normalised so that it is 0 for the corrupted and 1 for the clean run. Without edges it is 0
 * and with all of them 1. Completeness is 1 less the faithfulness of all the other edges.
 */
export const edgeAttribution = defineAnalysis({
  id: 'edge-attribution',
  title: 'Edge attribution',
  description: 'Scores every connection between embedding, heads, MLPs and logits by how much of the clean answer it carries, and draws the circuit above a threshold.',
  group: 'Attribution',
  params: {
    ...pairParameters,
    threshold: { kind: 'number', title: 'Threshold', description: 'Edges are kept whose score is at least this share of the largest.', default: 0.1, minimum: 0, maximum: 1, slider: true },
    method: { kind: 'choice', title: 'Method', description: 'Gradients in the corrupted run (EAP), or averaged on the way from the corrupted to the clean embedding (EAP-IG).', options: methods, default: 'EAP-IG' },
    steps: { kind: 'integer', title: 'Steps', description: 'Points on that way, for EAP-IG.', default: 5, minimum: 1, maximum: 100 },
    exact: { kind: 'boolean', title: 'Patch each edge', description: `Measure each edge by patching it too, in models with up to ${mostExact} edges.`, default: true },
  },
  scalars: {
    edges: 'edges in the circuit',
    faithfulness: 'share of the clean answer that the circuit brings back by itself',
    completeness: 'share of it that is lost when the edges of the circuit alone carry the corrupted run',
    largest: 'largest score of an edge, by size',
    accounted: 'sum of the scores of the edges from the embedding: 1 where the gradients account for all of the difference',
    correlation: 'correlation of the scores with what patching each edge brings back (Pearson; 0 where either is the same everywhere)',
  },
  // The sum is taken apart at its readers: behind a norm of the stream itself it is none.
  needs: 'norms before what reads the residual stream, or none',
  needsAnswers: true,
  appliesTo: ({ config }) => config.normalization_position !== 'after',
  python(context, { threshold, method, steps, exact: _, ...wanted }) {
    const pairs = promptPairs(context, wanted);
    return edgeLines({ config: context.details.config, pairs, steps: method === 'EAP' ? 0 : steps, threshold }, context.figure);
  },
  async run(context, { threshold, method, steps, exact, ...wanted }) {
    const { model, signal, task } = context;
    const { between } = measuresOf(task);
    const pairs = promptPairs(context, wanted);
    const measured = await measure(model, pairs, { steps: method === 'EAP' ? 0 : steps, exact }, { signal, progress: fraction => context.progress(0.9 * fraction) });
    const { graph, scores, order, curve } = measured;
    const largest = Math.abs(scores[order[0] ?? 0] ?? 0);
    const kept = order.filter(edge => isKept(scores[edge] ?? 0, threshold, largest)).length;
    const { strongest, others } = circuitsBy(order);
    const [faithfulness = 0, ofOthers = 0] = await runEdges(model, pairs, [strongest(kept), others(kept)], { signal, progress: fraction => context.progress(0.9 + 0.1 * fraction) });

    const accounted = graph.edges.reduce((sum, { sender }, edge) => sum + (sender === 0 ? scores[edge] ?? 0 : 0), 0);
    const correlation = measured.exact && (pearson(scores, measured.exact) ?? 0);
    return {
      figures: [
        circuitFigure(measured, kept, { threshold, faithfulness, accounted, between }),
        faithfulnessFigure(curve, kept, between),
        edgesTable(measured, kept, between, exactNote(model.config, exact, measured.exact !== undefined)),
        scoresFigure(measured, between),
      ],
      scalars: { edges: kept, faithfulness, completeness: 1 - ofOthers, largest, accounted, ...(correlation !== undefined && { correlation }) },
    };
  },
});

/** A threshold of 0 keeps every edge; above it, one without a score is in no circuit. */
function isKept(score: number, threshold: number, largest: number): boolean {
  return threshold === 0 || (score !== 0 && Math.abs(score) >= threshold * largest);
}

/** Nothing but the circuit depends on the threshold, so that it can be dragged: the rest of the last question is kept with each model. */
const known = new WeakMap<RunnableModel, { readonly question: string; readonly measured: MeasuredEdges }>();

interface Wanted {
  /** 0 for the gradients of the corrupted run alone. */
  readonly steps: number;
  readonly exact: boolean;
}

async function measure(model: RunnableModel, pairs: readonly PromptPair[], wanted: Wanted, { signal, progress }: Work): Promise<MeasuredEdges> {
  const question = JSON.stringify([pairs, wanted]);
  const last = known.get(model);
  if (last?.question === question) return last.measured;
  const graph = edgeGraph(model.config);
  const inAll = await edgeScores(model, pairs, wanted.steps, { signal, progress: fraction => progress(0.4 * fraction) });
  const scores = Float64Array.from(graph.edges, ({ sender, reader }) => inAll[sender * graph.readers.length + reader] ?? 0);
  const order = graph.edges.map((_, edge) => edge).sort((a, b) => Math.abs(scores[b] ?? 0) - Math.abs(scores[a] ?? 0));

  const counts = countsUpTo(order.length);
  const patches = wanted.exact && graph.edges.length <= mostExact ? graph.edges.map((_, edge) => patchedEdge(edge)) : [];
  const runs = [...counts.map(circuitsBy(order).strongest), ...patches];
  const recovered = await runEdges(model, pairs, runs, { signal, progress: fraction => progress(0.4 + 0.6 * fraction) });
  const curve = counts.map((count, at) => ({ count, faithfulness: recovered[at] ?? 0 }));
  const measured: MeasuredEdges = { graph, scores, order, curve, exact: patches.length > 0 ? recovered.slice(counts.length) : undefined };
  known.set(model, { question, measured });
  return measured;
}

/** Circuits of so many of the strongest edges, and of all others. */
function circuitsBy(order: readonly number[]) {
  const rank = new Map(order.map((edge, at) => [edge, at]));
  return {
    strongest: (count: number) => circuitOf(edge => (rank.get(edge) ?? 0) < count),
    others: (count: number) => circuitOf(edge => (rank.get(edge) ?? 0) >= count),
  };
}

/** From no edge to all of them, each one where they are few and closer together where few are kept otherwise. */
function countsUpTo(edges: number): readonly number[] {
  if (edges <= circuits) return Array.from({ length: edges + 1 }, (_, count) => count);
  const steps = Array.from({ length: circuits }, (_, step) => Math.max(step + 1, Math.round(edges ** (step / (circuits - 1)))));
  return [0, ...new Set(steps)];
}

function exactNote({ n_layers, n_heads }: ModelConfig, wanted: boolean, isMeasured: boolean): string {
  if (isMeasured) return 'Patched: what carrying that edge alone from the clean run brings back.';
  if (!wanted) return '';
  return `With ${n_layers} layers of ${n_heads} heads there are more than ${mostExact} edges, so that they were not patched each.`;
}
