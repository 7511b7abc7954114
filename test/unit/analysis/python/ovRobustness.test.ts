import { describe, expect, test } from 'vitest';
import { ovRobustness } from '../../../../src/analysis/ovRobustness';
import { codeOf } from '../../../../src/analysis/pythonCode';
import { Random } from '../../../../src/common/random';
import { numberContext } from '../../../support/numberModels';

async function codeFor(numbers: number, others: number): Promise<string> {
  const context = numberContext({ name: 'max', numbers }, { attn_only: true, d_mlp: undefined });
  return codeOf(ovRobustness, { ...context, random: () => new Random(0, 'code') }, { others }, 0);
}

/** How many prompts of three numbers and = are written out. */
const promptsIn = (code: string) => code.match(/\[\d+, \d+, \d+, \d+\]/g)?.length;

describe('the code of OV robustness', () => {
  test('has every prompt of few values', async () => {
    const code = await codeFor(8, 5);
    expect(promptsIn(code)).toBe(8 * 5);
    expect(code).not.toContain('the first');
    expect(code).toContain('reshape(-1, 5)');
  });

  test('has of many values as many prompts each, and says so', async () => {
    const code = await codeFor(100, 5);
    expect(promptsIn(code)).toBe(100 * 2);
    expect(code).toContain('# The figure is of 5 prompts a value and answer; these are the first 2 of them.\n');
    expect(code).toContain('reshape(-1, 2)');
  });
});
