import { describe, expect, test } from 'vitest';
import type { ElementType } from '../../../../src/protocol/checkpointFile';
import type { ModelConfig } from '../../../../src/protocol/config';
import type { FileTensor } from '../../../../src/store/files/tensorFile';
import { readImport } from '../../../../src/store/states/import';
import type { ImportedState, ImportOptions } from '../../../../src/store/states/importedState';
import { configOf, randomParameters } from '../../../support/models';
import { MemoryTensors } from './memoryFile';

type Buffers = Readonly<Record<string, (memory: MemoryTensors) => FileTensor>>;

/** A model of two layers and five positions, with buffers besides. */
function imported(buffers: Buffers, options: ImportOptions = {}, model: Partial<ModelConfig> = {}): Promise<ImportedState> {
  const memory = new MemoryTensors();
  const state = memory.state(randomParameters(configOf(model)));
  for (const [name, make] of Object.entries(buffers)) state.set(name, make(memory));
  return readImport(memory.file(state), options);
}

function tellerOf({ inferred }: ImportedState, field: string): string | undefined {
  return inferred.find(told => told.field === field)?.from;
}

const T = 5;
const mask = (allows: (destination: number, source: number) => boolean, dtype: ElementType = 'bool') => (memory: MemoryTensors) =>
  memory.tensor([T, T], Array.from({ length: T * T }, (_, at) => Number(allows(Math.floor(at / T), at % T))), dtype);
const causal = mask((destination, source) => source <= destination);
const all = mask(() => true);
const local = mask((destination, source) => source <= destination && source > destination - 2);
const everywhere = (buffer: (memory: MemoryTensors) => FileTensor): Buffers => ({ 'blocks.0.attn.mask': buffer, 'blocks.1.attn.mask': buffer });
const rows = ['x....', 'xx...', '.xx..', '..xx.', '...xx'];

describe('a mask', () => {
  test('that is causal tells nothing, for TransformerLens keeps it in bidirectional models too', async () => {
    const state = await imported(everywhere(causal));
    expect(state.config.attention_dir).toBe('causal');
    expect(tellerOf(state, 'attention_dir')).toBe('default');
    expect((await imported(everywhere(causal), { config: { attention_dir: 'bidirectional' } })).config.attention_dir).toBe('bidirectional');
    // A mask that hooks add is in no state dict.
    expect((await imported(everywhere(causal), { given: { mask: rows } })).config.mask).toEqual(rows);
  });

  test('that allows everything is bidirectional, which TransformerLens calls causal where the mask was changed', async () => {
    expect((await imported(everywhere(all))).config).toMatchObject({ attention_dir: 'bidirectional' });
    expect((await imported(everywhere(all), { config: { attention_dir: 'causal' } })).config.mask).toEqual(Array.from({ length: T }, () => 'xxxxx'));
  });

  test.each<ElementType>(['bool', 'float32', 'uint8'])('of its own kind, of %s, becomes the mask of the model', async dtype => {
    const { config } = await imported(everywhere(mask((destination, source) => source <= destination && source > destination - 2, dtype)), { config: { attention_dir: 'causal' } });
    expect(config.mask).toEqual(rows);
  });

  test.each<readonly [string, Buffers, ImportOptions, string]>([
    ['that differs between layers', { 'blocks.0.attn.mask': causal, 'blocks.1.attn.mask': local }, {}, 'blocks.1.attn.mask differs from blocks.0.attn.mask [5, 5], and models here have one mask for all layers.'],
    ['that forbids what a config allows', everywhere(local), { config: { attention_dir: 'bidirectional' } }, 'config.json says that attention is bidirectional, and blocks.0.attn.mask [5, 5] forbids some of it.'],
    ['other than the one that is given', everywhere(local), { given: { mask: ['x....', 'xx...', 'xxx..', 'xxxx.', 'x...x'] } }, 'The mask of yours is another than blocks.0.attn.mask [5, 5].'],
    ['of numbers between', everywhere(memory => memory.tensor([T, T], Array.from({ length: T * T }, () => 0.5))), {}, 'blocks.0.attn.mask [5, 5] holds 0.5, where a mask is 1 (or true) for what may be attended to and 0 for what may not.'],
    ['that leaves a position nothing', everywhere(mask((destination, source) => source < destination)), {}, 'Row 0 of the mask allows no source; let position 0 attend at least to itself.'],
    ['of another context', everywhere(memory => memory.tensor([4, 4], Array.from({ length: 16 }, (_, at) => Number(at % 4 <= Math.floor(at / 4))))), {}, 'blocks.0.attn.mask is [4, 4], where [5, 5] was expected: n_ctx is 5 in pos_embed.W_pos [5, 8].'],
    ['that is no square', everywhere(memory => memory.tensor([1, 1, T, T])), {}, 'blocks.0.attn.mask [1, 1, 5, 5] is no mask: [n_ctx, n_ctx] was expected.'],
  ])('%s is refused', async (_, buffers, options, sentence) => {
    await expect(imported(buffers, options)).rejects.toThrow(sentence);
  });

  test('tells n_ctx where no positions do', async () => {
    const state = await imported(everywhere(causal), {}, { positional_embedding_type: 'none' });
    expect(state.config).toMatchObject({ n_ctx: 5, positional_embedding_type: 'none' });
    expect(tellerOf(state, 'n_ctx')).toBe('blocks.0.attn.mask [5, 5]');
  });
});

describe('what hidden scores are set to', () => {
  test.each([-Infinity, -1e5])('may be %d', async value => {
    await expect(imported({ 'blocks.0.attn.IGNORE': memory => memory.tensor([], [value]) })).resolves.toHaveProperty('layout', 'transformer-lens');
  });

  test('must hide them', async () => {
    await expect(imported({ 'blocks.1.attn.IGNORE': memory => memory.tensor([], [-1.5]) })).rejects.toThrow('blocks.1.attn.IGNORE is -1.5: hidden scores are set to it, and no model here leaves them that high.');
    await expect(imported({ 'blocks.1.attn.IGNORE': memory => memory.tensor([5], [-1, -1, -1, -1, -1]) })).rejects.toThrow('one for all was expected');
  });
});

describe('tables of rotations', () => {
  /** As TransformerLens makes them: angles of the dimensions of a head at each position. */
  const tables = (base: number, adjacent: boolean, size = 4, length = T, scale = 1): Buffers => {
    const angles = Array.from({ length: length * size }, (_, at) => {
      const [position, index] = [Math.floor(at / size), at % size];
      return (scale * position) / base ** ((adjacent ? Math.floor(index / 2) : index % (size / 2)) / (size / 2));
    });
    const table = (wave: (angle: number) => number) => (memory: MemoryTensors) => memory.tensor([length, size], angles.map(wave));
    return Object.fromEntries([0, 1].flatMap(layer => [[`blocks.${layer}.attn.rotary_sin`, table(Math.sin)], [`blocks.${layer}.attn.rotary_cos`, table(Math.cos)]]));
  };
  const rotary: Partial<ModelConfig> = { positional_embedding_type: 'rotary' };
  const wide: Partial<ModelConfig> = { ...rotary, d_head: 8 };

  test('tell that positions are rotary, how many, of which base, and what they pair', async () => {
    const plain = await imported(tables(10_000, false), {}, rotary);
    expect(plain.config).toMatchObject({ positional_embedding_type: 'rotary', n_ctx: 5 });
    expect(plain.config).not.toHaveProperty('rotary_base');
    expect(plain.config).not.toHaveProperty('rotary_dim');
    for (const base of [500, 10_000, 500_000, 1234.5]) {
      for (const adjacent of [false, true]) {
        const { config } = await imported(tables(base, adjacent, 6), {}, wide);
        expect(config.rotary_base ?? 10_000).toBeCloseTo(base, -1);
        expect(config.rotary_adjacent_pairs ?? false).toBe(adjacent);
        expect(config.rotary_dim).toBe(6);
      }
    }
  });

  test.each<readonly [string, Buffers, ImportOptions, string]>([
    ['of another base than a config has', tables(500, false), { config: { rotary_base: 10_000 } }, 'rotary_base is given as 10000, and blocks.0.attn.rotary_sin [5, 4] is of the base 500.'],
    ['of other pairs than a config has', tables(500, true), { config: { rotary_base: 500, rotary_adjacent_pairs: false } }, 'rotary_adjacent_pairs is given as false, and blocks.0.attn.rotary_sin [5, 4] has the angles of the other way.'],
    ['of angles that are scaled', tables(10_000, false, 4, T, 0.5), {}, 'blocks.0.attn.rotary_sin [5, 4] holds other angles than those of rotary position embeddings of one base.'],
    ['beside other positions', tables(10_000, false), { config: { positional_embedding_type: 'none' } }, 'config.json has positional_embedding_type as "none", and it is "rotary" by blocks.0.attn.rotary_sin [5, 4].'],
    ['of more dimensions than heads have', tables(10_000, false, 8), {}, 'rotary_dim 8 must be even and at most d_head 4.'],
    ['of an odd number of dimensions', { ...tables(10_000, false), 'blocks.0.attn.rotary_sin': memory => memory.tensor([5, 3]) }, {}, 'are no tables of rotations: two of [n_ctx, rotary_dim] were expected.'],
  ])('%s are refused', async (_, buffers, options, sentence) => {
    await expect(imported(buffers, options, rotary)).rejects.toThrow(sentence);
  });
});
