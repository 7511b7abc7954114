import type { GraphFigure } from './figure';

/** Where the edges of one label arrive at a node. */
export interface EdgePort {
  /** Empty for edges without one. */
  readonly label: string;
  /** How far below the node's middle, where neighbouring ports are 1 apart. */
  readonly offset: number;
}

/** Node id → the ports of the edges that arrive there, one for each label, in alphabetical order from the top. */
export function edgePorts({ edges }: Pick<GraphFigure, 'edges'>): ReadonlyMap<string, readonly EdgePort[]> {
  const labels = new Map<string, Set<string>>();
  for (const { to, label = '' } of edges) labels.set(to, (labels.get(to) ?? new Set()).add(label));
  return new Map([...labels].map(([to, at]) => [to, [...at].sort().map((label, index) => ({ label, offset: index - (at.size - 1) / 2 }))]));
}

export function portOffset(ports: ReadonlyMap<string, readonly EdgePort[]>, { to, label = '' }: GraphFigure['edges'][number]): number {
  return ports.get(to)?.find(port => port.label === label)?.offset ?? 0;
}
