/**
 * What a file of weights may hold at most. Each is far above what real ones have, and low enough that a file of a few
 * bytes, or of many, takes neither the time nor the memory of whoever opens it.
 */
export const limits = {
  /** GPT-2 XL has 580; two thousand checkpoints of a small transformer have 50,000. */
  tensors: 65_536,
  axes: 32,
  /** Levels of dictionaries and lists within each other. */
  nesting: 100,
  /** Values of all kinds, a shared one counted wherever it stands. */
  values: 500_000,
  /** Characters of one path to a tensor, and of all of them. */
  path: 4096,
  paths: 32e6,
  /** Bytes that tensors stand for: so many times those of the file, and some more, because they can share their numbers. */
  sharing: 16,
  sharedBytes: 2 ** 26,
} as const;
