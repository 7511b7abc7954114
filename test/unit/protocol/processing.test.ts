import { expect, test } from 'vitest';
import type { ModelConfig } from '../../../src/protocol/config';
import { obstacleTo, possibleSteps } from '../../../src/protocol/processing';
import { configOf } from '../../support/models';

const [fold, write, unembed, values] = ['fold-layer-norm', 'center-writing-weights', 'center-unembedding', 'fold-value-biases'] as const;

test.each<readonly [string, Partial<ModelConfig>, readonly string[]]>([
  ['a LayerNorm', { normalization_type: 'LN' }, [fold, write, unembed, values]],
  ['a root-mean-square norm, which takes no mean away', { normalization_type: 'RMS' }, [fold, unembed, values]],
  ['a LayerNorm that is folded', { normalization_type: 'LNPre' }, [write, unembed, values]],
  ['no norm', {}, [unembed, values]],
  ['positions that are added after the norm', { normalization_type: 'LN', positional_embedding_type: 'shortformer' }, [write, unembed, values]],
  ['norms after its sublayers', { normalization_type: 'LN', normalization_position: 'after' }, [unembed, values]],
  ['one output', { normalization_type: 'LN', d_vocab_out: 1 }, [fold, write, values]],
  ['one output, no norm and no biases', { d_vocab_out: 1, biases: false }, []],
])('of a model with %s', (_, given, steps) => {
  const config = configOf(given);
  expect(possibleSteps(config)).toEqual(steps);
  // Folding again does no harm, and is not offered.
  if (given.normalization_type === 'LNPre') expect(obstacleTo(fold, config)).toBeUndefined();
  else for (const step of [fold, write, unembed, values]) expect(obstacleTo(step, config) === undefined).toBe(steps.includes(step));
});
