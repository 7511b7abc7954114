import { FieldError } from '../common/errors';
import { float32, type HostTensor } from '../common/tensor';
import type { ModelConfig } from '../protocol/config';

// n vertices · T = n + 1 positions · H = n + 1 heads · D = 4n + 2 · K = M = n · V = 2ⁿ + 1 tokens: sets of vertices as bits, and the answer's

/** Dimensions of the residual stream that belong together. */
export interface Block {
  readonly start: number;
  readonly size: number;
}

/** The blocks of the residual stream of the breadth-first search, in their order. */
export const blockNames = ['answer flag', 'neighbours', 'reach', 'out', 'self', 'not-answer flag'] as const;
export type BlockName = (typeof blockNames)[number];

/** The vertices that a model with these weights reads. */
export function verticesOf({ n_ctx }: Pick<ModelConfig, 'n_ctx'>): number {
  return n_ctx - 1;
}

/** Where each block lies, for graphs of `n` vertices. */
export function blocksOf(n: number): Readonly<Record<BlockName, Block>> {
  return {
    'answer flag': { start: 0, size: 1 },
    'neighbours': { start: 1, size: n },
    'reach': { start: n + 1, size: n },
    'out': { start: 2 * n + 1, size: n },
    'self': { start: 3 * n + 1, size: n },
    'not-answer flag': { start: 4 * n + 1, size: 1 },
  };
}

/**
 * The sizes of the weights. The study's (12 for `rest`, 30 for `extend`, 7 for `wait`, 42 for `notice`, values of 1) fail on
 * graphs of 10 vertices and leave a mean squared error of 5e-5 on those of 8, for two reasons that these are larger for.
 *
 * - A head gives each of the d neighbours that it attends to 1/d of a value, and 2σ(5/d) − 1 is small where d is large: a
 *   vertex that is reached through one with many neighbours did not count as reached. Values of n/2 make the least of
 *   them 2σ(5 (n/2) / (n − 1)) − 1 > 0.84, so that the next layer's score, 30 · 0.84, is clear of `rest`.
 * - A head that rests leaves e^−rest of its weight on each vertex. n heads of values n/2 write n²/2 · e^−rest to what should be 0,
 *   and each saturating update multiplies it by its slope there, 2.5: at n = 10 it comes to less than 0.002 after the last layer
 *   for a `rest` of 20. Were it 12, it would be 5.
 *
 * What is read at the end errs by at most n · e^−wait before vertex 2 is reached, and n · e^(wait − 0.84 · notice) after: 3e-5 and
 * 5e-5. All are as small as that allows, since a softmax that is surer still has no gradient left to be mended by.
 */
const sizes = {
  /** Score of the answer's key where a head has nothing to do: its value is 0. */
  rest: 20,
  /** Score of a neighbour of j for a query that has reached j. */
  extend: 30,
  /** Score of the answer's key for the head that notices, */
  wait: 13,
  /** and of vertex 1 once it has reached vertex 2; before that it is 0. */
  notice: 30,
  /** Of the values, times n. */
  value: 0.5,
} as const;

/**
 * A breadth-first search from every vertex at once, written by hand, after the study's "Handcrafted BFS Transformer". Each
 * vertex starts with its neighbours as its reach. In each layer head j (from 1) looks, from every vertex that has reached j, at
 * the neighbours of j, and adds their names to the reach; the MLP makes that 0 or 1 again. Head 0 looks from the answer at
 * vertex 1 once that has reached vertex 2, and writes a 1 for its layer. Reached at distance d, it does so in n + 1 − d layers,
 * so n + 1 less their number is the distance, and n + 1 where there is no path.
 *
 * In the study nothing is a query for the answer's rest, and its reach is all ones; here it rests too, and its reach stays 0.
 *
 * @returns the weights by their names; what is absent is 0.
 */
export function breadthFirstWeights(config: ModelConfig): ReadonlyMap<string, HostTensor<'float32'>> {
  const n = verticesOf(config);
  const { n_layers, n_heads: H, d_model: D, d_head: K } = config;
  const { 'answer flag': { start: answer }, neighbours, reach, out, self, 'not-answer flag': { start: notAnswer } } = blocksOf(n);
  const indices = Array.from({ length: n }, (_, index) => index);
  const weights = new Map<string, HostTensor<'float32'>>();
  const write = (name: string, shape: readonly number[], entries: readonly (readonly [at: readonly number[], value: number])[]) => {
    const tensor = float32(shape);
    for (const [at, value] of entries) tensor.data[at.reduce((offset, index, axis) => offset * (shape[axis] ?? 0) + index, 0)] = value;
    weights.set(name, tensor);
  };

  const members = Array.from({ length: 2 ** n }, (_, set) => indices.filter(vertex => (set >> vertex) & 1));
  write('embed.W_E', [2 ** n + 1, D], members.flatMap((vertices, set) => vertices.flatMap(vertex => [
    [[set, neighbours.start + vertex], 1] as const, [[set, reach.start + vertex], 1] as const,
  ])));
  write('pos_embed.W_pos', [n + 1, D], [
    [[0, answer], 1],
    ...indices.flatMap(vertex => [[[vertex + 1, self.start + vertex], 1] as const, [[vertex + 1, notAnswer], 1] as const]),
  ]);

  const extending = indices.map(vertex => ({ head: vertex + 1, vertex }));
  const { rest, extend, wait, notice, value } = sizes;
  for (let layer = 0; layer < n_layers; layer++) {
    const at = `blocks.${layer}`;
    // Component 0 of queries and keys is what a head is about, component 1 its rest.
    write(`${at}.attn.W_Q`, [H, D, K], [
      [[0, answer, 0], 1],
      [[0, notAnswer, 1], 1],
      ...extending.flatMap(({ head, vertex }) => [
        [[head, reach.start + vertex, 0], extend] as const, [[head, answer, 1], 1] as const, [[head, notAnswer, 1], 1] as const,
      ]),
    ]);
    write(`${at}.attn.W_K`, [H, D, K], [
      // At vertices −notice, but at vertex 1, and at those that have reached vertex 2, one notice more.
      [[0, answer, 0], wait],
      [[0, notAnswer, 0], -notice],
      [[0, self.start, 0], notice],
      [[0, reach.start + 1, 0], notice],
      [[0, answer, 1], rest],
      ...extending.flatMap(({ head, vertex }) => [[[head, neighbours.start + vertex, 0], 1] as const, [[head, answer, 1], rest] as const]),
    ]);
    write(`${at}.attn.W_V`, [H, D, K], [
      [[0, self.start, layer], 1],
      ...extending.flatMap(({ head }) => indices.map(vertex => [[head, self.start + vertex, vertex], value * n] as const)),
    ]);
    write(`${at}.attn.W_O`, [H, K, D], [
      ...indices.map(index => [[0, index, out.start + index], 1] as const),
      ...extending.flatMap(({ head }) => indices.map(vertex => [[head, vertex, reach.start + vertex], 1] as const)),
    ]);
    write(`${at}.mlp.W_in`, [D, n], indices.map(vertex => [[reach.start + vertex, vertex], 1]));
    write(`${at}.mlp.W_out`, [n, D], indices.map(vertex => [[vertex, reach.start + vertex], 1]));
  }
  write('unembed.W_U', [D, 1], [[[answer, 0], n + 1], ...indices.map(index => [[out.start + index, 0], -1] as const)]);
  return weights;
}

/** Refuses an architecture, or a task, that the weights by hand do not fit. @throws FieldError with what would fit. */
export function checkBreadthFirst(config: ModelConfig): void {
  if (config.init_mode !== 'bfs') return;
  const n = verticesOf(config);
  if (n > 20 || config.d_vocab !== 2 ** n + 1 || config.d_vocab_out !== 1) {
    throw new FieldError('init_mode', 'init_mode "bfs" writes the weights of a search among the neighbours of vertices; the task that fits is shortest-paths-adjacency.');
  }
  const fitting = {
    n_layers: n, n_heads: n + 1, d_model: 4 * n + 2, d_head: n, attn_only: false, d_mlp: n, act_fn: 'saturate', normalization_type: null,
    positional_embedding_type: 'standard', attention_dir: 'bidirectional', mask: undefined, use_attn_scale: false, identity: [],
  } as const satisfies Partial<ModelConfig>;
  for (const [field, fits] of Object.entries(fitting)) {
    const given = config[field as keyof typeof fitting];
    if (JSON.stringify(given) === JSON.stringify(fits)) continue;
    const says = given === undefined ? `${field} is missing` : `${field} is ${JSON.stringify(given)}`;
    const instead = fits === undefined ? 'leave it out' : `it must be ${JSON.stringify(fits)}`;
    throw new FieldError(field, `With init_mode "bfs" and ${n} vertices, ${says}; ${instead}.`);
  }
}
