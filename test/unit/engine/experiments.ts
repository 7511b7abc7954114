/** The text of a tiny experiment. */
export function tinyExperiment({ name = 'tiny', steps = 20, checkpointEvery = 10, seed = 0, description = '' }: {
  readonly name?: string;
  readonly steps?: number;
  readonly checkpointEvery?: number;
  readonly seed?: number;
  readonly description?: string;
} = {}): string {
  return JSON.stringify({
    name,
    description,
    seed,
    task: { name: 'modular-arithmetic', modulus: 7 },
    model: { n_layers: 1, n_heads: 2, d_model: 8, d_head: 4, attn_only: true, biases: true },
    training: { steps, checkpointEvery, evaluateEvery: 10, batch: 'full' },
  });
}
