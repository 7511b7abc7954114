import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { trace } from '../../../src/compile/tracing';
import { parameterSpecs } from '../../../src/model/parameters';
import { answerLogits } from '../../../src/model/pruned';
import { sparseLayers } from '../../../src/model/sparse';
import { normalizations, type ModelConfig } from '../../../src/protocol/config';
import { expectPlainAnswers, tokensOf } from '../../support/answers';
import { configOf, weightsOf } from '../../support/models';

/** The study's: digits see earlier digits, the separator all of them, and the outputs the separator and earlier outputs. */
const copyTwo = ['x....', 'x....', 'xx...', '..x..', '..xx.'];
const copyThree = ['x......', 'x......', 'xx.....', 'xxx....', '...x...', '...xx..', '...xxx.'];

describe('sparseLayers', () => {
  const layersOf = (given: Partial<ModelConfig>, answers: readonly number[]) => {
    const config = configOf({ mask: copyTwo, ...given });
    return sparseLayers(config, config.n_ctx, answers);
  };

  test('of the copying study: the last layer reads three positions, the first all', () => {
    expect(layersOf({ n_layers: 3 }, [3, 4])).toEqual([
      { positions: [0, 1, 2, 3, 4], queries: [0, 1, 2, 3, 4], sources: [[0], [0], [0, 1], [2], [2, 3]] },
      { positions: [0, 1, 2, 3, 4], queries: [2, 3, 4], sources: [[0, 1], [2], [2, 3]] },
      { positions: [2, 3, 4], queries: [1, 2], sources: [[0], [0, 1]] },
    ]);
  });

  test('of prompts shorter than n_ctx reads the end of the mask', () => {
    const longer = configOf({ n_layers: 3, n_ctx: 6, mask: ['x.....', ...copyTwo.map(row => `.${row}`)] });
    expect(sparseLayers(longer, 5, [3, 4])).toEqual(layersOf({ n_layers: 3 }, [3, 4]));
  });

  test('leaves out positions that nothing reads', () => {
    expect(layersOf({ n_layers: 1 }, [2])).toEqual([{ positions: [0, 1, 2], queries: [2], sources: [[0, 1]] }]);
  });

  test('are of no model that has a layer without a choice, whose queries and keys have a gradient of zeros all the same', async () => {
    const [mask, alphabet] = [['x...', 'xx..', '.x..', '..x.'], [[0, 1], [2], [2], [3]]];
    const config = configOf({ n_layers: 2, mask, n_ctx: 4 });
    expect(sparseLayers(config, 4, [2])).toBeUndefined();
    await expectPlainAnswers(config, tokensOf(alphabet, 3), { positions: [2], alphabet }, 'no choice');
  });

  test('are of no model that attends widely, without a mask of its own, or with keys that rotate', () => {
    expect(layersOf({ mask: ['x....', 'xx...', 'xxx..', '..x..', '...x.'] }, [2])).toBeUndefined();
    expect(sparseLayers(configOf(), 5, [4])).toBeUndefined();
    expect(layersOf({ positional_embedding_type: 'rotary' }, [4])).toBeUndefined();
    // What attends widely where no answer comes from is no matter.
    expect(layersOf({ n_layers: 1, mask: ['xxxxx', 'x....', 'xx...', '..x..', '..xx.'] }, [4])).toBeDefined();
  });
});

const digits = [0, 1, 2, 3, 4];
const masks = [
  { what: 'two digits', mask: copyTwo, positions: [3, 4], alphabet: [digits, digits, [5], [5], [5]] },
  { what: 'three digits, of one, two and three sources', mask: copyThree, positions: [4, 5, 6], alphabet: [digits, digits, digits, [5], [5], [5], [5]] },
  { what: 'one choice alone, between all but its place', mask: ['x...', '.x..', 'xx..', '..x.'], positions: [2], alphabet: [digits, digits, [5, 6], [6]] },
  { what: 'sources far apart, later ones too', mask: ['x...x.', '..xx..', '.x..xx', '....x.', 'x.x...', 'x....x'], positions: [1, 2, 5], alphabet: [digits, [6], digits, [5, 6], digits, digits] },
] as const;
const options: readonly Partial<ModelConfig>[] = [
  { n_layers: 3, n_heads: 1, d_head: 8, attn_only: true, biases: false },
  { n_layers: 2, attn_only: true },
  { n_layers: 1, use_attn_scale: false, act_fn: 'gelu' },
];

describe.each(masks)('a mask of $what', ({ mask, positions, alphabet }) => {
  describe.each(['standard', 'shortformer', 'none'] as const)('positions %s', positional_embedding_type => {
    test.each(options.map((option, index) => [JSON.stringify(option), option, [null, ...normalizations][(index + positions.length) % 5] ?? null] as const))(
      '%s: the answers of the plain pass, and its gradients',
      async (what, option, normalization_type) => {
        const config = configOf({ ...option, mask: [...mask], n_ctx: mask.length, positional_embedding_type, normalization_type });
        expect(sparseLayers(config, mask.length, positions)).toHaveLength(config.n_layers);
        await expectPlainAnswers(config, tokensOf(alphabet, 6), { positions, alphabet }, what);
      },
    );
  });

  test('at every position at once', async () => {
    const config = configOf({ n_layers: 2, mask: [...mask], n_ctx: mask.length, normalization_type: 'LN' });
    await expectPlainAnswers(config, tokensOf(alphabet, 3), { positions: mask.map((_, position) => position), alphabet }, 'everywhere');
  });
});

test('asks and is asked only where the mask leaves a choice', () => {
  const [B, config] = [10, configOf({ n_layers: 3, n_heads: 1, d_model: 8, d_head: 8, attn_only: true, mask: copyTwo })];
  const specs = parameterSpecs(config);
  const names = specs.map(({ name }) => name);
  const graph = trace(
    (tokens, ...tensors) => [answerLogits(config, weightsOf(names, tensors), tokens as Tensor, { positions: [3, 4], alphabet: masks[0].alphabet })],
    [{ dtype: 'int32', shape: [B, 5] }, ...specs.map(({ shape }) => ({ dtype: 'float32' as const, shape }))],
  );
  const projections = graph.liveNodes().flatMap(({ op, inputs: [, weight], outputs: [out] }) => (op === 'Gemm' && weight?.shape.join() === '8,8' ? [(out?.shape[0] ?? 0) / B] : []));
  // Positions whose values, queries, keys and outputs are computed: two of five choose, between four; in the last layer one between two.
  expect(projections.sort((a, b) => a - b)).toEqual([...[5, 2, 4, 5], ...[5, 2, 4, 3], ...[3, 1, 2, 2]].sort((a, b) => a - b));
});
