import type { HostTensor } from '../common/tensor';
import { verticesOf } from '../model/breadthFirst';
import type { HeadBadge } from '../protocol/analysis';
import { everyPattern } from './patterns';
import { allHeads, type Head } from './heads';
import type { AnalysisContext } from './define';

// B graphs · n vertices · T = n + 1 positions: the answer, then the vertices. Sets of vertices are bits, vertex v bit v − 1.

/** A head of the search with how often it does what it is there for. */
export interface SearchHead extends Head {
  /** Of the vertices (or for head 0, the answers) of all graphs, the share from which more than half of its weight is where it should be. */
  readonly share: number;
}

/** From this share on a head does what it is named after. */
export const rightShare = 0.99;

/** What a head of the search does in its layer, in a few words. */
export function deedOf({ head }: Pick<Head, 'head'>): string {
  return head === 0 ? 'notices 1 → 2' : `extends reach through ${head}`;
}

/** The heads by what they do, or by what one that does not do it was meant for. */
export function searchBadges(heads: readonly SearchHead[]): readonly HeadBadge[] {
  return heads.map(({ layer, head, share }) => ({ layer, head, text: share >= rightShare ? deedOf({ head }) : `no longer ${deedOf({ head })}` }));
}

/** What every head of a breadth-first search does with graphs `tokens [B, T]`, against a search of the same graphs in plain sets. */
export async function searchHeads(context: Pick<AnalysisContext, 'model' | 'signal' | 'progress'>, tokens: HostTensor<'int32'>): Promise<readonly SearchHead[]> {
  const { config } = context.model;
  const n = verticesOf(config);
  const [B = 0, T = 0] = tokens.shape;
  const heads = allHeads(config);
  const neighbours = Array.from({ length: B }, (_, graph) => tokens.data.subarray(graph * T + 1, (graph + 1) * T));
  const reaches = neighbours.map(sets => reachesOf(sets, config.n_layers));
  const right = new Float64Array(heads.length);
  await everyPattern(context, tokens, (pattern, layer, head, graph) => {
    const reach = (vertex: number) => reaches[graph]?.[layer]?.[vertex - 1] ?? 0;
    const weightOn = (destination: number, set: number) => sumOf(pattern.subarray(destination * T, (destination + 1) * T), set);
    const at = layer * config.n_heads + head;
    const seen = (isRight: boolean, of: number) => (right[at] = (right[at] ?? 0) + Number(isRight) / of);
    if (head === 0) {
      seen((has(reach(1), 2) ? weightOn(0, vertexSet(1)) : pattern[0] ?? 0) > 0.5, B);
      return;
    }
    for (let vertex = 1; vertex <= n; vertex++) {
      const weight = has(reach(vertex), head) ? weightOn(vertex, neighbours[graph]?.[head - 1] ?? 0) : pattern[vertex * T] ?? 0;
      seen(weight > 0.5, B * n);
    }
  });
  return heads.map((head, at) => ({ ...head, share: right[at] ?? 0 }));
}

/** Layer → vertex − 1 → what it has reached before that layer: at first its neighbours, then what can be reached from them by a step more each. */
function reachesOf(neighbours: Int32Array, layers: number): readonly Int32Array[] {
  const reaches = [neighbours];
  for (let layer = 1; layer < layers; layer++) {
    const before = reaches[layer - 1] ?? neighbours;
    reaches.push(before.map(reach => neighbours.reduce((sum, set, index) => (has(reach, index + 1) ? sum | set : sum), reach)));
  }
  return reaches;
}

/** The weights `[T]` of the vertices of a set, added up. */
function sumOf(weights: Float32Array, set: number): number {
  return weights.reduce((sum, weight, position) => (position > 0 && has(set, position) ? sum + weight : sum), 0);
}

function vertexSet(vertex: number): number {
  return 1 << (vertex - 1);
}

function has(set: number, vertex: number): boolean {
  return (set & vertexSet(vertex)) !== 0;
}
