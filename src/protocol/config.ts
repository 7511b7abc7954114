import * as v from 'valibot';

/** Sizes are bounded so that a hostile file cannot ask for more memory than any machine has. */
const size = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most));

/** `saturate` is 2σ(5x) − 1 − x: added to x, it leaves what is well above 0 at 1 and what is 0 at 0. */
export const activationFunctions = ['relu', 'gelu', 'gelu_new', 'silu', 'saturate'] as const;
export const normalizations = ['LN', 'LNPre', 'RMS', 'RMSPre'] as const;
export const positionalEmbeddings = ['standard', 'shortformer', 'rotary', 'none'] as const;

/** The fields of a model that an experiment may set; the vocabulary and context follow from its task. */
const architectureEntries = {
  n_layers: size(128),
  n_heads: size(256),
  d_model: size(16_384),
  d_head: size(16_384),
  /** Absent in attention-only models. */
  d_mlp: v.optional(size(65_536)),
  attn_only: v.optional(v.boolean(), false),
  act_fn: v.optional(v.picklist(activationFunctions), 'relu'),
  normalization_type: v.optional(v.nullable(v.picklist(normalizations)), null),
  /** After what each sublayer has added, as in the first transformers and in BERT; then nothing is normalized at the end. Absent: before what each reads. */
  normalization_position: v.exactOptional(v.literal('after')),
  /** Added to the variance under the square root. */
  eps: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1)), 1e-5),
  positional_embedding_type: v.optional(v.picklist(positionalEmbeddings), 'standard'),
  /** Dimensions of each head that are rotated; absent: all of them. */
  rotary_dim: v.optional(size(16_384)),
  /** Of the wavelengths of rotary embeddings. Absent: 10,000. */
  rotary_base: v.exactOptional(v.pipe(v.number(), v.minValue(1), v.maxValue(1e12))),
  /** Rotary embeddings turn each dimension with its neighbour, as GPT-J does. Absent: with the one half of them further, as GPT-NeoX does. */
  rotary_adjacent_pairs: v.exactOptional(v.literal(true)),
  attention_dir: v.optional(v.picklist(['causal', 'bidirectional']), 'causal'),
  /**
   * Where attention is allowed, in place of `attention_dir`: a row a destination, a column a source, `x` where the
   * destination may attend and `.` where it may not. It is added to the scores as 0 and -Infinity.
   */
  mask: v.optional(v.pipe(v.array(v.pipe(v.string(), v.regex(/^[x.]+$/, 'a mask row is made of x and .'))), v.maxLength(4096))),
  /** Scores are divided by `attn_scale`. */
  use_attn_scale: v.optional(v.boolean(), true),
  /** Absent: the square root of d_head. */
  attn_scale: v.exactOptional(v.pipe(v.number(), v.minValue(1e-3), v.maxValue(1e6))),
  /** Without biases they stay in the model as zeros that are never trained. */
  biases: v.optional(v.boolean(), true),
  /** Names of parameters that are not trained; `*` stands for any characters. */
  frozen: v.optional(v.array(v.string()), []),
  /** Names of parameters fixed to the identity (a slice of it where they are not square), and not trained. */
  identity: v.optional(v.array(v.string()), []),
  /** `bfs`: the weights of a breadth-first search, written by hand. */
  init_mode: v.optional(v.picklist(['gpt2', 'bfs']), 'gpt2'),
  /** Standard deviation of the initial weights; absent: 0.8 / √d_model. */
  initializer_range: v.optional(v.pipe(v.number(), v.gtValue(0))),
} satisfies v.ObjectEntries;

export const ArchitectureSchema = v.strictObject(architectureEntries);
/** The `model` section of an experiment. */
export type Architecture = v.InferOutput<typeof ArchitectureSchema>;

/** A table of all pairs is made when a model of pairs runs. */
const mostParts = 256;

export const ModelConfigSchema = v.pipe(v.strictObject({
  ...architectureEntries,
  initializer_range: v.pipe(v.number(), v.gtValue(0)),
  d_vocab: size(1_000_000),
  d_vocab_out: size(1_000_000),
  n_ctx: size(65_536),
  /** Positions hold pairs, a token `first · d_vocab + second`: each half of d_model embeds one of the two. Absent: one. */
  tokens_per_position: v.exactOptional(v.literal(2)),
  /** The token of positions that hold nothing: no position attends to them. */
  padding_token: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
}), v.check(
  ({ tokens_per_position, d_vocab }) => tokens_per_position === undefined || d_vocab <= mostParts,
  `a model of pairs has a d_vocab of at most ${mostParts}`,
), v.check(
  ({ init_mode, d_vocab, n_ctx }) => init_mode !== 'bfs' || d_vocab === 2 ** (n_ctx - 1) + 1,
  'with init_mode "bfs", d_vocab is 2^(n_ctx - 1) + 1',
));
/** Everything that decides a model's shapes and function, under TransformerLens' names. */
export type ModelConfig = v.InferOutput<typeof ModelConfigSchema>;
