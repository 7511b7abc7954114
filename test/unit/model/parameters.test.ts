import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countParameters, initialParameters, matches, parameterSpecs } from '../../../src/model/parameters';
import type { ModelConfig } from '../../../src/protocol/config';
import { configOf } from '../../support/models';

const specOf = (config: ModelConfig, name: string) => parameterSpecs(config).find(spec => spec.name === name);

describe('counts', () => {
  test('modular subtraction: one layer of 4 heads on 113 numbers', () => {
    const [V, U, T, D, H, K, M] = [114, 113, 3, 128, 4, 32, 512];
    const config = configOf({
      n_layers: 1,
      n_heads: H,
      d_model: D,
      d_head: K,
      d_mlp: M,
      d_vocab: V,
      d_vocab_out: U,
      n_ctx: T,
      biases: false,
    });
    const weights = V * D + T * D + 4 * H * D * K + 2 * D * M + D * U;
    const biases = 3 * H * K + D + M + D + U;
    expect(countParameters(parameterSpecs(config))).toEqual({ total: weights + biases, trainable: weights });
    expect(weights).toBe(226_048);
  });

  // The study counts what torch gives as parameters, its frozen biases and identities among them.
  test('list copy: 3 layers, d_model 8, 101 tokens of 5, values and outputs fixed to the identity', () => {
    const config = configOf({
      n_layers: 3,
      n_heads: 1,
      d_model: 8,
      d_head: 8,
      d_vocab: 101,
      d_vocab_out: 101,
      n_ctx: 5,
      attn_only: true,
      biases: false,
      identity: ['blocks.*.attn.W_V', 'blocks.*.attn.W_O'],
    });
    const counts = countParameters(parameterSpecs(config));
    expect(counts.total).toBe(2621);
    expect(counts.trainable).toBe(2621 - 3 * 2 * 64 - 3 * 4 * 8 - 101);
    expect(
      parameterSpecs(config)
        .filter(spec => spec.trainable)
        .map(spec => spec.name),
    ).toEqual([
      'embed.W_E',
      'pos_embed.W_pos',
      ...[0, 1, 2].flatMap(layer => [`blocks.${layer}.attn.W_Q`, `blocks.${layer}.attn.W_K`]),
      'unembed.W_U',
    ]);
  });

  test('norms add their scales, and LN its biases', () => {
    const total = (given: Partial<ModelConfig>) => countParameters(parameterSpecs(configOf(given))).total;
    const plain = total({});
    expect(total({ normalization_type: 'LNPre' })).toBe(plain);
    expect(total({ normalization_type: 'RMSPre' })).toBe(plain);
    expect(total({ normalization_type: 'RMS' })).toBe(plain + 5 * 8);
    expect(total({ normalization_type: 'LN' })).toBe(plain + 2 * 5 * 8);
  });
});

describe('which are trained', () => {
  test('all of them, unless there are no biases', () => {
    expect(parameterSpecs(configOf()).every(spec => spec.trainable)).toBe(true);
    const frozen = parameterSpecs(configOf({ biases: false, normalization_type: 'LN' })).filter(
      spec => !spec.trainable,
    );
    expect(frozen.every(({ name, start }) => /\.b_[A-Za-z]+$/.test(name) && start === 'zeros')).toBe(true);
    // Of each of 2 layers b_Q b_K b_V b_O b_in b_out, and b_U; the norms' own biases are trained.
    expect(frozen).toHaveLength(13);
  });

  test('none that is frozen, whose start stays what it was', () => {
    const config = configOf({ frozen: ['blocks.0.*', 'unembed.W_U'] });
    expect(specOf(config, 'blocks.0.attn.W_Q')).toMatchObject({ trainable: false, start: 'normal' });
    expect(specOf(config, 'blocks.1.attn.W_Q')).toMatchObject({ trainable: true });
    expect(specOf(config, 'unembed.W_U')).toMatchObject({ trainable: false });
    expect(specOf(config, 'unembed.b_U')).toMatchObject({ trainable: true });
  });
});

describe('the untrained model', () => {
  const config = configOf({ d_model: 40, d_vocab: 50, initializer_range: 0.1, normalization_type: 'LN' });

  test('has weights of standard deviation initializer_range, scales 1 and biases 0', () => {
    const values = initialParameters(config, 0);
    const weights = [...values].filter(([name]) => /\.W_/.test(name)).flatMap(([, { data }]) => [...data]);
    const mean = weights.reduce((sum, value) => sum + value, 0) / weights.length;
    const deviation = Math.sqrt(weights.reduce((sum, value) => sum + (value - mean) ** 2, 0) / weights.length);
    // Within 5 standard errors.
    expect(Math.abs(mean)).toBeLessThan((5 * 0.1) / Math.sqrt(weights.length));
    expect(Math.abs(deviation - 0.1)).toBeLessThan((5 * 0.1) / Math.sqrt(2 * weights.length));
    for (const [name, { data }] of values) {
      if (/ln.*\.w$/.test(name))
        expect(
          data.every(value => value === 1),
          name,
        ).toBe(true);
      if (/\.b(_|$)/.test(name))
        expect(
          data.every(value => value === 0),
          name,
        ).toBe(true);
    }
  });

  test('is the same for the same seed, and another for another', () => {
    expect(initialParameters(config, 5)).toEqual(initialParameters(config, 5));
    expect(initialParameters(config, 6).get('embed.W_E')).not.toEqual(initialParameters(config, 5).get('embed.W_E'));
  });

  test('does not change in one parameter when another is fixed or of another size', () => {
    const plain = initialParameters(config, 5);
    const changed = initialParameters({ ...config, d_vocab: 51, identity: ['blocks.0.attn.W_V'] }, 5);
    for (const name of ['blocks.0.attn.W_Q', 'blocks.0.attn.W_O', 'blocks.1.attn.W_V', 'unembed.W_U'])
      expect(changed.get(name), name).toEqual(plain.get(name));
  });

  test('has a slice of the identity in each head where it is asked for', () => {
    const small = configOf({ n_heads: 2, d_model: 3, d_head: 2, identity: ['*.W_V', '*.W_O'] });
    const values = initialParameters(small, 0);
    const V = [1, 0, 0, 1, 0, 0]; // [3, 2]
    const O = [1, 0, 0, 0, 1, 0]; // [2, 3]
    expect([...(values.get('blocks.1.attn.W_V')?.data ?? [])]).toEqual([...V, ...V]);
    expect([...(values.get('blocks.1.attn.W_O')?.data ?? [])]).toEqual([...O, ...O]);
    expect(specOf(small, 'blocks.0.attn.W_V')).toMatchObject({ trainable: false, start: 'identity' });
  });
});

describe('patterns', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '(', '\\'), maxLength: 8 });
  const names = fc.string({ unit: fc.constantFrom('a', 'b', '.', '(', '\\'), maxLength: 8 });
  const expression = (pattern: string) =>
    new RegExp(
      `^${pattern
        .split('*')
        .map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*')}$`,
    );

  test('match as the regular expression that they stand for', () => {
    fc.assert(
      fc.property(letters, names, (pattern, name) => {
        expect(matches([pattern], name)).toBe(expression(pattern).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test('do not use a character for both of their ends', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 5 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 });
    fc.assert(
      fc.property(pattern, name, (given, text) => {
        expect(matches([given], text)).toBe(expression(given).test(text));
      }),
      { numRuns: 5000 },
    );
    expect([matches(['a*a'], 'a'), matches(['ab*ba'], 'aba'), matches(['a*b*b'], 'ab')]).toEqual([false, false, false]);
  });

  test('match made to match', () => {
    fc.assert(
      fc.property(
        fc.array(names, { minLength: 1, maxLength: 5 }),
        fc.array(names, { minLength: 5, maxLength: 5 }),
        (parts, between) => {
          const name = parts.map((part, index) => (index === 0 ? part : `${between[index] ?? ''}${part}`)).join('');
          expect(matches([parts.join('*')], name)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('match if one of several does, and none match nothing', () => {
    expect(matches(['unembed.*', 'blocks.*.W_V'], 'blocks.3.attn.W_V')).toBe(true);
    expect(matches([], 'embed.W_E')).toBe(false);
  });

  test('take no time that a hostile file could stretch', () => {
    const started = performance.now();
    expect(matches([`${'*a'.repeat(50)}*b`], 'a'.repeat(10_000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
