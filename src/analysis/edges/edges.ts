import { headName } from '../../model/names';
import type { ModelConfig } from '../../protocol/config';
import type { Subject } from '../../protocol/figure';
import { componentName } from '../heads';

/** A node that writes to the residual stream: the embedding (with the positions where they enter the stream), a head or an MLP. */
export interface Sender {
  /** As in `Embedding`, `L0H1` or `MLP 0`. */
  readonly name: string;
  readonly subject: Subject;
  /** How deep it is: 0 for the embedding, then two for each layer, its heads before its MLP. */
  readonly depth: number;
}

/** An input that reads the residual stream: the queries, keys or values of a head, an MLP, or the logits. */
export interface Reader {
  /** The node whose input it is: one of the senders, or `Logits`. */
  readonly node: string;
  /** Which of a head's three inputs it is. */
  readonly part?: HeadInput;
  readonly subject: Subject;
  readonly depth: number;
  /** The first so many senders are before it. */
  readonly sees: number;
}

export const headInputs = ['q', 'k', 'v'] as const;
export type HeadInput = (typeof headInputs)[number];

/** From a sender to a later reader, by their numbers. */
export interface Edge {
  readonly sender: number;
  readonly reader: number;
}

/** A model as the graph of its senders and readers (Elhage et al. 2021; Conmy et al. 2023). */
export interface EdgeGraph {
  /** In the order of the forward pass: the embedding, then layer by layer the heads and the MLP. */
  readonly senders: readonly Sender[];
  /** Layer by layer the queries, keys and values of all heads and the input of the MLP; at last the logits. */
  readonly readers: readonly Reader[];
  /** Reader by reader. */
  readonly edges: readonly Edge[];
}

export function edgeGraph({ n_layers, n_heads, attn_only }: ModelConfig): EdgeGraph {
  const layers = Array.from({ length: n_layers }, (_, layer) => layer);
  const heads = Array.from({ length: n_heads }, (_, head) => head);
  const inLayer = n_heads + (attn_only ? 0 : 1);
  const senders: readonly Sender[] = [{ name: 'Embedding', subject: {}, depth: 0 }, ...layers.flatMap(layer => [
    ...heads.map(head => ({ name: headName(layer, head), subject: { layer, head }, depth: 2 * layer + 1 })),
    ...(attn_only ? [] : [{ name: mlpName(layer), subject: { layer }, depth: 2 * layer + 2 }]),
  ])];
  const readers: readonly Reader[] = [...layers.flatMap(layer => [
    ...headInputs.flatMap(part => heads.map(head => ({
      node: headName(layer, head), part, subject: { layer, head }, depth: 2 * layer + 1, sees: 1 + layer * inLayer,
    }))),
    ...(attn_only ? [] : [{ node: mlpName(layer), subject: { layer }, depth: 2 * layer + 2, sees: 1 + layer * inLayer + n_heads }]),
  ]), { node: 'Logits', subject: {}, depth: 2 * n_layers + 1, sees: senders.length }];
  const edges = readers.flatMap(({ sees }, reader) => Array.from({ length: sees }, (_, sender) => ({ sender, reader })));
  return { senders, readers, edges };
}

/** Readers that the forward pass lets read at one hook point: all heads' queries, say, or one MLP. */
export interface ReaderGroup {
  readonly hook: string;
  /** The number of the first of them, and how many there are. */
  readonly first: number;
  readonly count: number;
  readonly sees: number;
  /** Whether the hook's value has an axis of heads, `[N, T, H, D]`, or not, `[N, T, D]`. */
  readonly isOfHeads: boolean;
}

/** The readers by the hook points of a forward pass with split inputs, in its order. */
export function readerGroups({ n_layers, n_heads, attn_only }: ModelConfig, { readers }: EdgeGraph): readonly ReaderGroup[] {
  const hooks = Array.from({ length: n_layers }, (_, layer) => [
    ...headInputs.map(part => ({ hook: `blocks.${layer}.hook_${part}_input`, count: n_heads, isOfHeads: true })),
    ...(attn_only ? [] : [{ hook: `blocks.${layer}.hook_mlp_in`, count: 1, isOfHeads: false }]),
  ]).flat();
  let first = 0;
  return [...hooks, { hook: `blocks.${n_layers - 1}.hook_resid_post`, count: 1, isOfHeads: false }].map(group => {
    const from = first;
    first += group.count;
    return { ...group, first: from, sees: readers[from]?.sees ?? 0 };
  });
}

/** `L1H0 k`, or the node where it has but one input. */
export function readerName({ node, part }: Reader): string {
  return part === undefined ? node : `${node} ${part}`;
}

function mlpName(layer: number): string {
  return componentName({ layer, head: undefined });
}
