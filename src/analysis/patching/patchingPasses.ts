import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../../protocol/config';
import type { PatchedActivation, Site } from './patching';

// R rows, one a site · T positions · Q of them that a pass runs · H heads

/** Sites that are patched in one batch. */
export interface Pass {
  /** The position from which on its rows are run. */
  readonly from: number;
  /** Its sites, ascending in layers, with their places among all. */
  readonly rows: readonly IndexedSite[];
}

interface IndexedSite {
  readonly site: Site;
  readonly index: number;
}

export interface Prompts {
  readonly T: number;
  /** Whether no position sees a later one, and the answer is read at the last. */
  readonly causal: boolean;
  /** The first position where a clean and a corrupted prompt differ. */
  readonly firstDifference: number;
  /** Numbers that a pass may hold of one layer at once. */
  readonly room: number;
}

/** Numbers that a pass may hold of one layer at once: 512 MB. */
export const ordinaryRoom = 128e6;

/**
 * The passes in which sites are patched. Without the sites that cannot change the answer: where no position sees a later one,
 * those behind the answer, and those of the last layer that only another position reads.
 *
 * What this saves, exactly, where several passes are needed. A token costs a layer 2 (4 D·H·K + 2 D·M) FLOP: 14.2 million with
 * 12 heads, d_model 768 and d_mlp 3072. With 12 such layers and 32 tokens there are 24,192 sites by position. Rows that join at
 * their layer, over all tokens, come to 71 TFLOP. But what comes before a patched position is as in the corrupted run, so a row
 * is run from there on: 16.5 tokens of 32. And the patched layer needs no queries, keys and values anew, the last one nothing
 * but keys and values away from the answer: 5.4 layers of 6.5. That leaves 32 TFLOP. Where the prompts differ from position d
 * on, sites before it take what is there already, and are not run: with d = 16 that leaves 9 TFLOP.
 */
export function passesOf(config: ModelConfig, sites: readonly Site[], { T, causal, firstDifference, room }: Prompts): readonly Pass[] {
  const all = sites.map((site, index) => ({ site, index })).filter(({ site }) => !causal || canReachAnswer(config, site, T));
  if (all.length <= rowsAtOnce(config, T, T, room)) return [{ from: 0, rows: all.toSorted(byLayer) }];
  if (!causal) return cut(config, all.toSorted(byLayer), () => 0, T, room);
  const differing = all.filter(({ site: { position } }) => position === undefined || position >= firstDifference);
  const start = ({ site: { position = 0 } }: IndexedSite) => Math.max(position, firstDifference);
  return cut(config, differing.toSorted((a, b) => start(a) - start(b) || byLayer(a, b)), start, T, room);
}

/** Parts that fit, of sites that ascend in where they start. */
function cut(config: ModelConfig, sorted: readonly IndexedSite[], start: (site: IndexedSite) => number, T: number, room: number): readonly Pass[] {
  const passes: Pass[] = [];
  for (let taken = 0; taken < sorted.length;) {
    const [first] = sorted.slice(taken, taken + 1);
    const from = first ? start(first) : 0;
    const rows = sorted.slice(taken, taken + rowsAtOnce(config, T - from, T, room));
    passes.push({ from, rows: rows.toSorted(byLayer) });
    taken += rows.length;
  }
  // Even without a site to run, the two runs are measured.
  return passes.length > 0 ? passes : [{ from: 0, rows: [] }];
}

function canReachAnswer(config: ModelConfig, site: Site, T: number): boolean {
  const { activation, layer, position = T - 1 } = site;
  const isReadByOthers = activation === 'resid_pre' || activation === 'k' || activation === 'v';
  return position < T && (position === T - 1 || layer < config.n_layers - 1 || isReadByOthers);
}

/** Those of one activation side by side, so that few rows are copied to patch them. */
function byLayer(a: IndexedSite, b: IndexedSite): number {
  return a.site.layer - b.site.layer || a.site.activation.localeCompare(b.site.activation) || a.index - b.index;
}

/** How many rows over `Q` positions, that read `T`, memory allows at once. */
export function rowsAtOnce({ n_heads: H, d_model: D, d_head: K, d_mlp: M = 0 }: ModelConfig, Q: number, T: number, room: number): number {
  return Math.max(1, Math.floor(room / (Q * (M + 2 * D + H * K + H * T) + 2 * T * H * K)));
}

/**
 * 1 where an activation of `shape` is taken from the clean run, a row a site, 0 elsewhere: `[R, Q, 1]`, `[R, Q, H, 1]` or, of
 * patterns, `[R, H, Q, 1]`. The `Q` positions are the last of `T`.
 */
export function maskOf(activation: PatchedActivation, sites: readonly (Site | undefined)[], shape: readonly number[], T: number): Tensor {
  const sizes = shape.slice(1, -1);
  const length = sizes.reduce((product, size) => product * size, 1);
  const values = new Float32Array(sites.length * length);
  for (const [row, site] of sites.entries()) {
    if (!site) continue;
    for (let at = 0; at < length; at++) {
      const [outer, inner] = [Math.floor(at / (sizes[1] ?? 1)), at % (sizes[1] ?? 1)];
      const [place, head] = activation === 'pattern' ? [inner, outer] : [outer, inner];
      const Q = (activation === 'pattern' ? sizes[1] : sizes[0]) ?? 0;
      const isChosen = (site.head ?? head) === head && (site.position ?? T - Q + place) === T - Q + place;
      values[row * length + at] = Number(isChosen);
    }
  }
  return tf.tensor(values, [sites.length, ...sizes, 1]);
}
