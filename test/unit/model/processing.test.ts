import { describe, expect, test } from 'vitest';
import { int32, type HostTensor } from '../../../src/common/tensor';
import { processWeights, type ProcessedModel } from '../../../src/model/processing';
import { RunnableModel } from '../../../src/model/runnable';
import type { ProcessingStep } from '../../../src/protocol/checkpointFile';
import { positionalEmbeddings, type ModelConfig } from '../../../src/protocol/config';
import { expectClose } from '../../support/close';
import { processedFixtures, readImported, readProcessed } from '../../support/imported';
import { configOf, randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';

// B batch · T positions · U d_vocab_out

const fold: ProcessingStep = 'fold-layer-norm';
const writing: ProcessingStep = 'center-writing-weights';
const unembedding: ProcessingStep = 'center-unembedding';
const values: ProcessingStep = 'fold-value-biases';

const tokens = int32([3, 5], Int32Array.of(0, 1, 2, 3, 4, 6, 5, 0, 0, 1, 2, 2, 3, 6, 6));

/** `[B, T, U]` */
async function logitsOf({ config, weights }: ProcessedModel): Promise<HostTensor<'float32'>> {
  return (await new RunnableModel(config, weights, onnx).runWithCache(tokens, [])).logits;
}

/** The logarithm of the softmax over the last axis, in float64. */
function logProbabilities({ shape, data }: HostTensor<'float32'>): Float64Array {
  const U = shape.at(-1) ?? 1;
  const normalizers = Array.from({ length: data.length / U }, (_, row) =>
    Math.log(data.subarray(row * U, (row + 1) * U).reduce((sum, logit) => sum + Math.exp(logit), 0)));
  return Float64Array.from(data, (logit, at) => logit - (normalizers[Math.floor(at / U)] ?? Number.NaN));
}

function expectSameWeights(actual: ProcessedModel['weights'], expected: ProcessedModel['weights'], absolute: number): void {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, { shape, data }] of actual) {
    expect(shape, name).toEqual(expected.get(name)?.shape);
    expectClose(data, expected.get(name)?.data ?? [], { absolute }, name);
  }
}

describe.each(processedFixtures)('%s', name => {
  test.each([['fold', [fold]], ['writing', [writing]], ['unembedding', [unembedding]], ['values', [values]]] as const)(
    'after %s alone has the weights of TransformerLens', async (step, steps) => {
      const [{ config, weights }, tensors] = await Promise.all([readImported(name), readProcessed(name)]);
      const expected = tensors.group(step);
      if (expected.size === 0) await expect(processWeights(config, weights, steps)).rejects.toThrow('normaliz');
      else expectSameWeights((await processWeights(config, weights, steps)).weights, expected, 1e-5);
    });

  test('after all steps that it can take has the weights of TransformerLens', async () => {
    const [{ config, weights }, tensors] = await Promise.all([readImported(name), readProcessed(name)]);
    const steps = ([['values', values], ['unembedding', unembedding], ['writing', writing], ['fold', fold]] as const).filter(([group]) => tensors.group(group).size > 0).map(([, step]) => step);
    expectSameWeights((await processWeights(config, weights, steps)).weights, tensors.group('all'), 1e-5);
  });
});

/** Every kind of model that a step can take. */
function architectures(given: Partial<ModelConfig>, positions: readonly ModelConfig['positional_embedding_type'][] = positionalEmbeddings) {
  const variants: readonly Partial<ModelConfig>[] = [{}, { attn_only: true }, { biases: false, act_fn: 'gelu', eps: 1e-3 }, { n_layers: 1, attention_dir: 'bidirectional' }];
  return positions.flatMap(positional_embedding_type => variants.map(variant => {
    const all = { ...given, ...variant, positional_embedding_type };
    return [JSON.stringify(all), configOf(all)] as const;
  }));
}

const withoutShortformer = positionalEmbeddings.filter(positions => positions !== 'shortformer');
const foldable = (['LN', 'LNPre', 'RMS', 'RMSPre'] as const).flatMap(normalization_type => architectures({ normalization_type }, withoutShortformer));
const centrable = (['LN', 'LNPre'] as const).flatMap(normalization_type => architectures({ normalization_type }));
const biased = ([null, 'LN', 'RMSPre'] as const).flatMap(normalization_type => architectures({ normalization_type })).filter(([, { biases }]) => biases);
const any = ([null, 'LN', 'RMSPre'] as const).flatMap(normalization_type => architectures({ normalization_type }));

describe.each([[fold, foldable], [writing, centrable], [unembedding, any], [values, biased]] as const)('%s', (step, models) => {
  test.each(models)('of %s computes the same, and a second time changes nothing', async (_, config) => {
    const weights = randomParameters(config);
    const before = structuredClone(weights);
    const once = await processWeights(config, weights, [step]);
    expect(weights, 'what was given is left alone').toEqual(before);
    const [plain, processed] = await Promise.all([logitsOf({ config, weights }), logitsOf(once)]);
    if (step === unembedding) expectClose(logProbabilities(processed), logProbabilities(plain), { absolute: 1e-4 });
    else expectClose(processed.data, plain.data, { absolute: 1e-4 });

    const twice = await processWeights(once.config, once.weights, [step]);
    expect(twice.config).toEqual(once.config);
    expectSameWeights(twice.weights, once.weights, 1e-6);
  });
});

test.each(foldable.filter(([, { normalization_type }]) => normalization_type?.startsWith('LN')))('all steps together leave the log-probabilities of %s', async (_, config) => {
  const weights = randomParameters(config);
  const all = await processWeights(config, weights, [unembedding, ...(config.biases ? [values] : []), writing, fold]);
  expectClose(logProbabilities(await logitsOf(all)), logProbabilities(await logitsOf({ config, weights })), { absolute: 1e-4 });
});

describe('the config', () => {
  test('has norms without weights, and biases where a LayerNorm shifted what it gave', async () => {
    const processed = async (given: Partial<ModelConfig>) => {
      const config = configOf(given);
      return (await processWeights(config, randomParameters(config), [fold])).config;
    };
    expect(await processed({ normalization_type: 'LN', biases: false })).toMatchObject({ normalization_type: 'LNPre', biases: true });
    expect(await processed({ normalization_type: 'RMS', biases: false })).toMatchObject({ normalization_type: 'RMSPre', biases: false });
  });

  test('says of no parameter that it is fixed that no longer is what it was fixed to', async () => {
    const frozen = ['blocks.*.b_O', 'blocks.1.attn.b_*', 'ln_final.*', 'blocks.0.attn.W_V'];
    const config = configOf({ normalization_type: 'LN', attn_only: true, frozen, identity: ['embed.W_E', 'blocks.*.W_O', 'blocks.*.W_Q'] });
    expect((await processWeights(config, randomParameters(config), [fold])).config).toMatchObject({
      frozen: ['blocks.*.b_O', 'blocks.1.attn.b_O'],
      identity: ['embed.W_E', 'blocks.*.W_O'],
    });
  });
});

describe('refuses', () => {
  test.each<readonly [string, ProcessingStep, Partial<ModelConfig>, string]>([
    ['to fold what is not there', fold, {}, 'does not normalize'],
    ['to fold norms that come after', fold, { normalization_type: 'LN', normalization_position: 'after' }, 'come after its sublayers'],
    ['to fold what positions are added to', fold, { normalization_type: 'LN', positional_embedding_type: 'shortformer' }, 'adds its positions after the norm'],
    ['to center what a root mean square sees', writing, { normalization_type: 'RMS' }, 'normalization_type of this model is RMS'],
    ['to center what nothing centers', writing, {}, 'normalization_type of this model is null'],
    ['to center what the first layer reads as it is', writing, { normalization_type: 'LN', normalization_position: 'after' }, 'first layer reads the embedding as it is'],
    ['to center the halves of pairs', writing, { normalization_type: 'LN', tokens_per_position: 2 }, 'pair of tokens'],
    ['to fold biases that are not there', values, { biases: false }, 'has no biases'],
    ['to center a single output', unembedding, { d_vocab_out: 1 }, 'single output'],
  ])('%s', async (_, step, given, sentence) => {
    const config = configOf(given);
    await expect(processWeights(config, randomParameters(config), [step])).rejects.toThrow(sentence);
  });
});

test('others have a turn before each tensor that is worked on, and can end the work', async () => {
  const config = configOf({ normalization_type: 'LN' });
  const steps = [fold, writing, unembedding, values];
  let turns = 0;
  const processed = await processWeights(config, randomParameters(config), steps, () => Promise.resolve(void turns++));
  // Of two layers Q, K, V and W_in are folded, and W_U; W_O, W_out, their biases, W_E, W_pos, W_U and b_U are centred; b_V is folded.
  expect(turns).toBe(2 * 4 + 1 + (2 * 4 + 2) + 2 + 2);
  expect(processed).toEqual(await processWeights(config, randomParameters(config), steps));
  await expect(processWeights(config, randomParameters(config), steps, () => Promise.reject(new Error('enough')))).rejects.toThrow('enough');
});
