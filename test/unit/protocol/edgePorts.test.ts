import { describe, expect, test } from 'vitest';
import { edgePorts, portOffset } from '../../../src/protocol/edgePorts';

describe('edges arrive at a node', () => {
  test('in its middle without labels', () => {
    const edges = ['a', 'b'].map(from => ({ from, to: 'c', weight: 1 }));
    expect(edgePorts({ edges })).toEqual(new Map([['c', [{ label: '', offset: 0 }]]]));
  });

  test('at a port for each label, which edges of one label share', () => {
    const edges = [
      { from: 'a', to: 'c', weight: 1, label: 'v' },
      { from: 'a', to: 'c', weight: 2, label: 'k' },
      { from: 'b', to: 'c', weight: 3, label: 'v' },
      { from: 'b', to: 'd', weight: 4, label: 'v' },
    ];
    const ports = edgePorts({ edges });
    expect(ports.get('c')?.map(({ label }) => label)).toEqual(['k', 'v']);
    expect(edges.map(edge => portOffset(ports, edge))).toEqual([0.5, -0.5, 0.5, 0]);
  });
});
