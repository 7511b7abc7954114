import { describe, expect, test } from 'vitest';
import { edgeGraph, readerGroups, readerName } from '../../../../src/analysis/edges/edges';
import { configOf } from '../../../support/models';

/** Edges as people write them. */
function written(changes: Parameters<typeof configOf>[0]): string[] {
  const { senders, readers, edges } = edgeGraph(configOf(changes));
  return edges.map(({ sender, reader }) => `${senders[sender]?.name} → ${readerName(readers[reader] ?? expect.fail())}`);
}

describe('the graph of a model', () => {
  test('has every way from a node to a later one, by the queries, keys and values of heads', () => {
    expect(written({ attn_only: true, n_heads: 1 })).toEqual([
      ...['q', 'k', 'v'].map(part => `Embedding → L0H0 ${part}`),
      ...['q', 'k', 'v'].flatMap(part => ['Embedding', 'L0H0'].map(from => `${from} → L1H0 ${part}`)),
      ...['Embedding', 'L0H0', 'L1H0'].map(from => `${from} → Logits`),
    ]);
  });

  test('lets an MLP read the heads of its layer', () => {
    expect(written({ n_layers: 1, n_heads: 2 }).filter(edge => edge.endsWith('MLP 0'))).toEqual(['Embedding → MLP 0', 'L0H0 → MLP 0', 'L0H1 → MLP 0']);
  });

  test('of GPT-2 small has the 32,491 edges of the literature (Hanna et al. 2024)', () => {
    expect(edgeGraph(configOf({ n_layers: 12, n_heads: 12 })).edges).toHaveLength(32_491);
  });

  test('is read at hook points that hold all of its readers once, in order', () => {
    const config = configOf({ n_layers: 2, n_heads: 3 });
    const graph = edgeGraph(config);
    const groups = readerGroups(config, graph);
    expect(groups.flatMap(({ first, count }) => Array.from({ length: count }, (_, at) => first + at))).toEqual([...graph.readers.keys()]);
    for (const { first, count, sees, isOfHeads, hook } of groups) {
      for (const { part, sees: own } of graph.readers.slice(first, first + count)) {
        expect(own).toBe(sees);
        expect(isOfHeads).toBe(part !== undefined);
        if (part) expect(hook).toContain(`hook_${part}_input`);
      }
    }
  });
});
