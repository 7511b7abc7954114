import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ModelFamilies } from '../../../../src/extension/models/modelFamilies';
import { analysisOf, childrenOf, familyOf, groupOfParameter, nodeId, parentOf, type ModelNode } from '../../../../src/extension/models/modelNodes';
import type { ModelDetails } from '../../../../src/protocol/model';
import { modelDetails, modelSummary } from './models';

const root: ModelNode = { kind: 'model', model: 'm' };

function all(node: ModelNode, details: ModelDetails): readonly ModelNode[] {
  return [node, ...childrenOf(node, details).flatMap(child => all(child, details))];
}
const labels = (nodes: readonly ModelNode[]) => nodes.map(node => nodeId(node).replace('m/', ''));

describe('the rows below a model', () => {
  test('are its checkpoints, embedding, layers and unembedding, in the order of the computation', () => {
    const details = modelDetails({ layers: 2, heads: 3, attentionOnly: false, checkpoints: [100, 200] });
    expect(labels(childrenOf(root, details))).toEqual([
      'checkpoints', 'group/embedding/', 'layer/0', 'layer/1', 'group/unembedding/',
    ]);
    expect(labels(childrenOf({ kind: 'layer', model: 'm', layer: 1 }, details))).toEqual([
      'head/1/0', 'head/1/1', 'head/1/2', 'group/attention/1', 'group/mlp/1',
    ]);
    expect(labels(childrenOf({ kind: 'checkpoints', model: 'm' }, details))).toEqual(['checkpoint/200', 'checkpoint/100']);
  });

  test('leave out what the model does not have', () => {
    const details = modelDetails({ layers: 1, heads: 1, attentionOnly: true, checkpoints: [] });
    expect(labels(childrenOf(root, details))).toEqual(['group/embedding/', 'layer/0', 'group/unembedding/']);
    expect(labels(childrenOf({ kind: 'layer', model: 'm', layer: 0 }, details))).toEqual(['head/0/0', 'group/attention/0']);
  });

  test('hold every parameter exactly once, whatever it is called', () => {
    const part = fc.constantFrom('embed', 'pos_embed', 'unembed', 'ln_final', 'blocks.0.attn', 'blocks.1.mlp', 'blocks.1.ln2', 'blocks.0.new', 'x');
    const name = fc.tuple(part, fc.constantFrom('W', 'b', 'W_E')).map(words => words.join('.'));
    fc.assert(fc.property(fc.uniqueArray(name), names => {
      const plain = modelDetails({ layers: 2, heads: 1, attentionOnly: false, checkpoints: [] });
      const details = { ...plain, parameters: names.map(name => ({ name, shape: [1], trainable: true })) };
      const shown = all(root, details).flatMap(node => (node.kind === 'parameter' ? [node.name] : []));
      expect([...shown].sort()).toEqual([...names].sort());
    }));
  });

  test('know their parents, and have ids of their own', () => {
    const details = modelDetails({ layers: 2, heads: 2, attentionOnly: false, checkpoints: [10] });
    const families = new ModelFamilies([{ id: 'm' }, { id: 't', from: { id: 'm', name: 'm' } }]);
    const below = (node: ModelNode) => [...childrenOf(node, details), ...familyOf(node, families)];
    const tuned: readonly ModelNode[] = [{ kind: 'tuned', model: 'm' }, { kind: 'model', model: 't' }];
    for (const node of [...all(root, details), ...tuned]) {
      for (const child of below(node)) expect(parentOf(child, families)).toEqual(node);
    }
    expect(parentOf(root, families)).toBeUndefined();
    const ids = [...all(root, details), ...tuned].map(nodeId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('a click on a model opens its curves, on a head or a checkpoint attention, and elsewhere nothing', () => {
  const imported = { kind: 'file', file: 'a.pt', format: 'torch', layout: 'grokking', inferred: [] } as const;
  expect(analysisOf(root, modelSummary())).toBe('training-curves');
  expect(analysisOf(root, modelSummary({ source: { ...imported, inferred: [] }, metrics: {} }))).toBe('attention');
  expect(analysisOf(root, modelSummary({ source: { ...imported, inferred: [] }, metrics: { testLoss: 1 } }))).toBe('training-curves');
  expect(analysisOf({ kind: 'head', model: 'm', layer: 0, head: 0 }, undefined)).toBe('attention');
  expect(analysisOf({ kind: 'checkpoint', model: 'm', checkpoint: 1 }, undefined)).toBe('attention');
  expect(analysisOf({ kind: 'layer', model: 'm', layer: 0 }, undefined)).toBeUndefined();
});

test('a parameter that belongs to no known part still has a place', () => {
  expect(groupOfParameter('head.weight')).toEqual({ group: 'other' });
  expect(groupOfParameter('blocks.3.ln2.w')).toEqual({ group: 'mlp', layer: 3 });
});
