import { describe, expect, test } from 'vitest';
import { initialParameters } from '../../../src/model/parameters';
import { headMatrices, perturbed, perturbedMatrices } from '../../../src/training/perturb';
import { prepared } from '../../support/experiments';

const { config } = prepared({ model: { n_layers: 2, frozen: ['blocks.1.attn.W_Q'] } });
const parameters = initialParameters(config, 0);

/** Parameters that differ, with the heads in which they do. */
function changesOf(after: ReadonlyMap<string, { readonly data: Float32Array }>): readonly string[] {
  return [...parameters].flatMap(([name, { data, shape }]) => {
    const heads = new Set([...data.keys()].filter(at => data[at] !== after.get(name)?.data[at]).map(at => Math.floor(at / (data.length / (shape[0] ?? 1)))));
    return [...heads].map(head => `${name} ${head}`);
  });
}

describe('perturbing', () => {
  test('may choose every trained matrix of queries, keys and values, head by head', () => {
    const names = headMatrices(config).map(({ parameter, head }) => `${parameter} ${head}`);
    expect(names).toHaveLength(10);
    expect(names).toContain('blocks.0.attn.W_Q 1');
    expect(names).not.toContain('blocks.1.attn.W_Q 0');
  });

  test('replaces the matrices that it says, and nothing else', () => {
    for (const seed of [0, 1, 2]) {
      const chosen = perturbedMatrices(config, { matrices: 3, scale: 1 }, seed);
      expect(chosen).toHaveLength(3);
      expect(changesOf(perturbed(config, parameters, { matrices: 3, scale: 1 }, seed))).toEqual(chosen.map(({ parameter, head }) => `${parameter} ${head}`));
    }
    const choices = new Set(Array.from({ length: 40 }, (_, seed) => JSON.stringify(perturbedMatrices(config, { matrices: 1, scale: 1 }, seed))));
    expect(choices.size).toBe(10);
  });

  test('draws normal noise of the scale', () => {
    const { config } = prepared({ model: { d_model: 128, d_head: 64 } });
    const noisy = perturbed(config, initialParameters(config, 0), { matrices: 6, scale: 3 }, 4);
    const noise = [...(noisy.get('blocks.0.attn.W_K')?.data ?? [])];
    const mean = noise.reduce((sum, x) => sum + x, 0) / noise.length;
    const deviation = Math.sqrt(noise.reduce((sum, x) => sum + (x - mean) ** 2, 0) / noise.length);
    // 16,384 draws: the deviation's standard error is 0.6 % of it.
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(deviation / 3).toBeGreaterThan(0.97);
    expect(deviation / 3).toBeLessThan(1.03);
  });

  test('cannot replace more matrices than there are', () => {
    expect(() => prepared({ perturb: { matrices: 7 } })).toThrow('perturb.matrices: 7 head matrices cannot be replaced by noise: this model has 6 that are trained.');
  });
});
