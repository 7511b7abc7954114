import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { TensorSpec } from '../../../src/compile/runtime';
import { trace } from '../../../src/compile/tracing';
import { answerLogits, type AnswerShape } from '../../../src/model/pruned';
import { parameterSpecs } from '../../../src/model/parameters';
import { normalizations, positionalEmbeddings, type ModelConfig } from '../../../src/protocol/config';
import { expectPlainAnswers, tokensOf } from '../../support/answers';
import { configOf, weightsOf } from '../../support/models';

// B batch · T positions · A answer positions · P distinct pairs of token and position · R of them at answer positions

interface Regime extends AnswerShape {
  readonly what: string;
  readonly B: number;
  /** Whether layer 0 projects the table of pairs, and whether it scores it, in a model of one layer. */
  readonly isTable: boolean;
  readonly scoresTable: boolean;
}

const alphabet = [[6], [0, 1, 2, 3], [0, 2, 4], [5], [1, 3]]; // P = 11
/** Batches on either side of the bounds where layer 0 changes its way: 2P ≤ B·T, and then R·P ≤ B·A·T. */
const regimes: readonly Regime[] = [
  { what: 'a batch smaller than the table', B: 2, positions: [2, 3, 4], alphabet, isTable: false, scoresTable: false },
  {
    what: 'a batch with fewer scores than the table',
    B: 5,
    positions: [1, 2, 3],
    alphabet,
    isTable: true,
    scoresTable: false,
  },
  { what: 'a large batch', B: 12, positions: [2, 3, 4], alphabet, isTable: true, scoresTable: true },
  { what: 'answers far apart', B: 12, positions: [1, 4], alphabet, isTable: true, scoresTable: true },
  { what: 'answers far apart in a small batch', B: 2, positions: [0, 2], alphabet, isTable: false, scoresTable: false },
  { what: 'one answer', B: 7, positions: [4], alphabet, isTable: true, scoresTable: true },
  { what: 'one answer in a small batch', B: 2, positions: [3], alphabet, isTable: false, scoresTable: false },
  { what: 'every position an answer', B: 5, positions: [0, 1, 2, 3, 4], alphabet, isTable: true, scoresTable: true },
];

const options: readonly Partial<ModelConfig>[] = [
  { n_layers: 1 },
  { n_layers: 2, attn_only: true, biases: false },
  { n_layers: 3, biases: false, act_fn: 'gelu' },
  { n_layers: 2, attention_dir: 'bidirectional', act_fn: 'silu', attn_scale: 1.25 },
  { n_layers: 2, attn_only: true, mask: ['x....', 'xx...', '.xx..', 'x..x.', '..xxx'], use_attn_scale: false },
];

describe.each(positionalEmbeddings)('positions %s', positional_embedding_type => {
  describe.each([null, ...normalizations])('normalization %s', normalization_type => {
    test.each(options.map((option, index) => [JSON.stringify(option), option, index] as const))(
      '%s: the answers of the plain pass, and its gradients',
      async (_, option, index) => {
        const config = configOf({
          ...option,
          positional_embedding_type,
          normalization_type,
          ...(positional_embedding_type === 'rotary' && index % 2 === 0 ? { rotary_dim: 2 } : {}),
          ...(positional_embedding_type === 'rotary' && index === 1 ? { rotary_base: 50, rotary_adjacent_pairs: true } : {}),
        });
        // Every option meets every regime somewhere in the table of embeddings and norms.
        const shift =
          index +
          normalizations.length * positionalEmbeddings.indexOf(positional_embedding_type) +
          (normalization_type ? normalizations.indexOf(normalization_type) : 4);
        const regime = regimes[(3 * shift) % regimes.length] ?? expect.fail('no regime');
        await expectPlainAnswers(config, tokensOf(alphabet, regime.B), regime, regime.what);
      },
    );
  });
});

/** Output shapes of an operator's nodes in what `answerLogits` records. */
function shapesOf(operator: string, config: ModelConfig, regime: Regime): readonly string[] {
  const specs = parameterSpecs(config);
  const inputs: TensorSpec[] = [
    { dtype: 'int32', shape: [regime.B, 5] },
    ...specs.map(({ shape }): TensorSpec => ({ dtype: 'float32', shape })),
  ];
  const graph = trace(
    (tokens, ...tensors) => [
      answerLogits(
        config,
        weightsOf(
          specs.map(({ name }) => name),
          tensors,
        ),
        tokens as Tensor,
        regime,
      ),
    ],
    inputs,
  );
  return graph
    .liveNodes()
    .filter(({ op }) => op === operator)
    .flatMap(({ outputs }) => outputs.map(({ shape }) => shape.join()));
}

describe('computes only what the answers need', () => {
  const config = configOf({ n_layers: 1, positional_embedding_type: 'standard' });
  const [P, heads] = [11, 12];

  test.each(regimes.map(regime => [regime.what, regime] as const))('layer 0 on %s', (_, regime) => {
    const { B, positions, isTable, scoresTable } = regime;
    const R = positions.reduce((sum, position) => sum + (alphabet[position]?.length ?? 0), 0);
    const products = shapesOf('Gemm', config, regime);
    // Keys and values of every pair in the table, or of every position in the batch; never both.
    expect(products.includes(`${P},${heads}`)).toBe(isTable);
    expect(products.includes(`${B * 5},${heads}`)).toBe(!isTable);
    expect(shapesOf('MatMul', config, regime).includes(`3,${R},${P}`)).toBe(scoresTable);
  });

  test('the last layer: attention output, MLP and unembedding at the answers alone', () => {
    const regime = { what: '', B: 12, positions: [2, 4], alphabet, isTable: true, scoresTable: true };
    const products = shapesOf('Gemm', configOf({ n_layers: 2, positional_embedding_type: 'standard' }), regime);
    const [all, answers] = [12 * 5, 12 * 2];
    expect(products).toEqual(expect.arrayContaining([`${answers},8`, `${answers},10`, `${answers},6`])); // to d_model, d_mlp and the logits
    expect(products).not.toContain(`${all},6`);
    // One MLP sees all positions, that of layer 0; the other the answers.
    expect(products.filter(shape => shape === `${all},10`)).toHaveLength(1);
    expect(products.filter(shape => shape === `${answers},10`)).toHaveLength(1);
  });
});
