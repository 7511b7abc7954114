import { describe, expect, test } from 'vitest';
import { analyses } from '../../../src/analysis/registry';
import { edgeAttribution } from '../../../src/analysis/edgeAttribution';
import { circuitFigure, edgesTable, scoresFigure, type MeasuredEdges } from '../../../src/analysis/edges/edgeFigures';
import { edgeGraph, readerName } from '../../../src/analysis/edges/edges';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { checkFigure, type GraphFigure, type HeatmapFigure, type LinesFigure, type TableFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { configOf } from '../../support/models';

const task = { name: 'array-update', length: 2, numbers: 6, modulus: undefined, trainFraction: undefined };
const experiment = prepared({ task, model: { n_layers: 2, n_heads: 2, normalization_type: 'LN', act_fn: 'gelu' }, training: { batch: 8 } });
const asked = { corruption: 'index', pairs: 2 };

async function run(params: Readonly<Record<string, unknown>>, context = contextOf(experiment)) {
  const { figures, scalars } = await runAnalysis(edgeAttribution, context, { ...asked, ...params });
  const [circuit, faithfulness, table, heatmap] = figures as readonly [GraphFigure, LinesFigure, TableFigure, HeatmapFigure];
  return { circuit, faithfulness, table, heatmap, scalars };
}

/** Scores for a graph, without a model. */
function measured(graph: MeasuredEdges['graph'], score: (edge: number) => number): MeasuredEdges {
  const scores = Float64Array.from(graph.edges, (_, edge) => score(edge));
  const order = [...graph.edges.keys()].sort((a, b) => Math.abs(score(b)) - Math.abs(score(a)));
  return { graph, scores, exact: undefined, order, curve: [] };
}

describe('edge attribution', () => {
  test('is one of the analyses', () => {
    expect(analyses).toContain(edgeAttribution);
  });

  test('draws the edges above the threshold, which the table and the heatmap have among all', async () => {
    const { circuit, table, heatmap, scalars } = await run({ threshold: 0.3 });
    const { senders, readers, edges } = edgeGraph(experiment.config);
    expect(table.rows).toHaveLength(edges.length);
    const scores = table.rows.map(row => Number(row[2]));
    expect(scores.map(Math.abs)).toEqual(scores.map(Math.abs).sort((a, b) => b - a));
    expect(scalars['largest']).toBe(Math.abs(scores[0] ?? 0));
    const kept = table.rows.filter(row => Math.abs(Number(row[2])) >= 0.3 * Math.abs(scores[0] ?? 0));
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.length).toBeLessThan(edges.length);
    expect(table.rows.map(row => row[4])).toEqual(table.rows.map((_, at) => (at < kept.length ? 'yes' : 'no')));
    expect(circuit.edges.map(({ from, to, label, weight }) => [from, label === undefined ? to : `${to} ${label}`, weight])).toEqual(kept.map(row => row.slice(0, 3)));
    expect(scalars['edges']).toBe(kept.length);
    for (const [from, to, score] of table.rows) {
      const at = senders.findIndex(({ name }) => name === from) * readers.length + readers.findIndex(reader => readerName(reader) === to);
      expect([heatmap.values[at], heatmap.present?.[at]]).toEqual([Math.fround(Number(score)), 1]);
    }
  });

  test('draws no node without an edge, every node left of those it writes to, and says which head each one is', async () => {
    const { circuit } = await run({ threshold: 0.5 });
    const ends = new Set(circuit.edges.flatMap(({ from, to }) => [from, to]));
    expect(new Set(circuit.nodes.map(({ id }) => id))).toEqual(ends);
    const node = (id: string) => circuit.nodes.find(each => each.id === id) ?? expect.fail(id);
    for (const { from, to } of circuit.edges) expect(node(from).column).toBeLessThan(node(to).column);
    for (const { id, subject } of circuit.nodes) {
      const [, layer, head] = /^L(\d)H(\d)$/.exec(id) ?? [];
      if (layer !== undefined) expect(subject).toEqual({ layer: Number(layer), head: Number(head) });
    }
    expect(new Set(circuit.nodes.map(({ column, row }) => `${column} ${row}`)).size).toBe(circuit.nodes.length);
  });

  test('measures how faithful the strongest edges are, from none of them to all', async () => {
    const { faithfulness: { series: [curve], marks }, scalars, circuit } = await run({ threshold: 0.3 });
    const edges = edgeGraph(experiment.config).edges.length;
    expect([curve?.x[0], curve?.x.at(-1)]).toEqual([0, edges]);
    expectClose([curve?.y[0] ?? Number.NaN, curve?.y.at(-1) ?? Number.NaN], [0, 1], { absolute: 1e-4 });
    expect(marks).toEqual([{ x: scalars['edges'], label: 'threshold' }]);
    expect(circuit.caption).toContain(`bring back ${scalars['faithfulness']?.toFixed(2)} of`);
    const all = await run({ threshold: 0 });
    expectClose([all.scalars['edges'] ?? 0, all.scalars['faithfulness'] ?? 0, all.scalars['completeness'] ?? 0], [edges, 1, 1], { absolute: 1e-4 });
  });

  test('correlates its scores with patching each edge, when that is asked for', async () => {
    const { table, scalars } = await run({ method: 'EAP-IG', steps: 10 });
    expect(table.columns.map(({ title }) => title)).toEqual(['From', 'To', 'Score', 'Patched', 'In the circuit']);
    const [scores, patched] = [2, 3].map(column => table.rows.map(row => Number(row[column])));
    const centred = (values: readonly number[] = []) => values.map(value => value - values.reduce((sum, each) => sum + each, 0) / values.length);
    const [a, b] = [centred(scores), centred(patched)];
    const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, at) => sum + value * (y[at] ?? 0), 0);
    expectClose([scalars['correlation'] ?? Number.NaN], [dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))], { absolute: 1e-9 });
    expectClose([scalars['accounted'] ?? Number.NaN], [1], { absolute: 0.02 });

    const without = await run({ exact: false });
    expect(without.table.columns.map(({ title }) => title)).toEqual(['From', 'To', 'Score', 'In the circuit']);
    expect(without.scalars).not.toHaveProperty('correlation');
  });

  test('runs only the circuits again when the threshold is dragged', async () => {
    const context = contextOf(experiment);
    const keys: string[] = [];
    const compute = context.model.compute.bind(context.model);
    context.model.compute = (key, ...rest) => {
      keys.push(key);
      return compute(key, ...rest);
    };
    const again = () => ({ ...context, random: contextOf(experiment).random });
    const first = await run({ threshold: 0.1 }, again());
    expect(keys.some(key => key.startsWith('edge scores'))).toBe(true);
    const kinds = new Set(keys);
    keys.length = 0;
    const dragged = await run({ threshold: 0.4 }, again());
    expect(keys.length).toBe(asked.pairs);
    expect(keys.every(key => kinds.has(key))).toBe(true);
    expect(dragged.heatmap).toEqual(first.heatmap);
    expect(dragged.scalars['edges']).toBeLessThan(first.scalars['edges'] ?? 0);
    expect(await run({ threshold: 0.4 })).toEqual(dragged);
    keys.length = 0;
    await run({ method: 'EAP' }, again());
    expect(keys.some(key => key.startsWith('edge scores'))).toBe(true);
  });

  test('tells of longer work how far it is, and never less than before', async () => {
    const fractions: number[] = [];
    await run({}, { ...contextOf(experiment), progress: fraction => fractions.push(fraction) });
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeCloseTo(1);
  });
});

describe('figures of edges', () => {
  const small = edgeGraph(configOf({ attn_only: true, n_heads: 1 }));
  const between = 'the clean logit difference';
  const facts = { threshold: 0.1, faithfulness: 1, accounted: 1, between };

  test('without a score are an empty circuit with a sentence', () => {
    const circuit = circuitFigure(measured(small, () => 0), 0, { ...facts, faithfulness: 0 });
    expect(circuit).toMatchObject({ nodes: [], edges: [], caption: 'No edge has a score between these prompts, so that no circuit is left; try another corruption, or EAP-IG.' });
    checkFigure(circuit);
  });

  test('say when the gradients miss part of the answer', () => {
    const of = (accounted: number) => circuitFigure(measured(small, edge => edge), 3, { ...facts, accounted }).caption;
    expect(of(0.03)).toMatch(/The gradients account for 0\.03 of it, so that edges may be missing; take EAP-IG, or more steps\.$/);
    expect(of(1.1)).not.toContain('gradients');
  });

  test('of a large model are cut, and say so', () => {
    const large = measured(edgeGraph(configOf({ n_layers: 4, n_heads: 8 })), edge => 1 + edge);
    const circuit = circuitFigure(large, large.order.length, facts);
    expect(circuit.edges).toHaveLength(200);
    expect(circuit.caption).toContain('The 200 largest are drawn.');
    const table = edgesTable(large, 10, between, '');
    expect(table.rows).toHaveLength(200);
    expect(table.caption).toBe(`The 200 largest of ${large.order.length} scores, as shares of the clean logit difference.`);
    [circuit, table, scoresFigure(large, between)].forEach(checkFigure);
  });
});

describe('edge attribution refuses in one sentence', () => {
  test.each([
    ['prompts of different length', { clean: 'BOS 1 2 ↵ 0 5 ↵ 5 2', corrupted: 'BOS 1 2' }, /^The clean prompt has 9 tokens and the corrupted one 3; /],
    ['equal prompts', { clean: 'BOS 1 2 ↵ 0 5 ↵ 5 2', corrupted: 'BOS 1 2 ↵ 0 5 ↵ 5 2' }, /^The clean and the corrupted prompt are the same, /],
    ['a corruption that is not there', { corruption: 'indx' }, /^There is no corruption "indx"; .*"index"/],
    ['a method that is not there', { method: 'ACDC' }, /^"method" of analysis "edge-attribution": /],
    ['a threshold above 1', { threshold: 2 }, /^"threshold" of analysis "edge-attribution": /],
  ])('%s', async (_, params, message) => {
    await expect(run(params)).rejects.toThrow(UserError);
    await expect(run(params)).rejects.toThrow(message);
  });
});
