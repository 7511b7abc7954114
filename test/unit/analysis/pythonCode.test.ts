import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attention } from '../../../src/analysis/attention';
import { codeOf, type CodeContext } from '../../../src/analysis/pythonCode';
import { analyses } from '../../../src/analysis/registry';
import { Random } from '../../../src/common/random';
import { pythonCases, pythonContext, type PythonCase } from '../../support/pythonCases';

/** What `test/fixtures/python/make.py` kept of a figure: what its code computed where it was run, or why there is none. */
type Kept = { readonly code: readonly string[]; readonly figure: readonly (number | null)[] } | { readonly reason: string };

const again = 'run test/fixtures/python/make.py again';

async function keptOf(analysis: string): Promise<Readonly<Record<string, Kept>>> {
  return JSON.parse(await readFile(join('test/fixtures/python', `${analysis}.json`), 'utf8')) as Readonly<Record<string, Kept>>;
}

/** Numbers that TransformerLens computed are within 1e-4 of the figure's, of the largest where that is larger than 1. */
function expectSame({ name, numbers }: PythonCase, computed: readonly (number | null)[]): void {
  expect(computed.length, name).toBe(numbers.length);
  const scale = numbers.reduce<number>((largest, number) => Math.max(largest, Math.abs(number ?? 0)), 1);
  numbers.forEach((number, at) => {
    const other = computed[at];
    if (number !== undefined) expect(Math.abs(number - (other ?? NaN)) / scale, `${name}, number ${at}: ${number} here, ${other} there`).toBeLessThanOrEqual(1e-4);
  });
}

describe.each(analyses.map(analysis => [analysis.id, analysis] as const))('the Python of %s', (id, analysis) => {
  test('was run as it is, and computed what the figures show', async () => {
    const [cases, kept] = await Promise.all([pythonCases(analysis), keptOf(id)]);
    expect(Object.keys(kept), again).toEqual(cases.map(({ name }) => name));
    for (const each of cases) {
      const was = kept[each.name] ?? expect.fail(each.name);
      if ('reason' in was) expect(each.reason, again).toBe(was.reason);
      else {
        expect(each.code?.split('\n').slice(0, -1), `${each.name}; ${again}`).toEqual(was.code);
        expectSame(each, was.figure);
      }
    }
  });
});

describe('code', () => {
  const { random: _, ...given } = pythonContext('addition');
  const context: CodeContext = { ...given, random: () => new Random(0, 'code') };

  test('says of which model, checkpoint and parameters it is, and imports what it uses', async () => {
    const code = await codeOf(attention, { ...context, checkpoint: 300 }, { prompt: '1 2 =' }, 0);
    expect(code.split('\n')).toEqual([
      '# Attention: Attention on one prompt',
      '# of modular-arithmetic, step 300; prompt = 1 2 =, examples = 64, sample = 0',
      '# `model` is that HookedTransformer: Export Model writes its weights, and beside them a .py that builds it.',
      'import torch',
      '',
      'torch.set_grad_enabled(False)',
      '',
      'tokens = torch.tensor([[1, 2, 7]])',
      expect.stringContaining('run_with_cache(tokens)'),
      expect.stringMatching(/^figure = /),
      '',
    ]);
  });

  test('is never made of the words of a name', async () => {
    const { details } = context;
    const named = { ...context, details: { ...details, summary: { ...details.summary, name: 'a\nimport os\u2028b\r\fc' } } };
    const code = await codeOf(attention, named, {}, 0);
    expect(code).toContain('# of a import os b c, its newest weights');
    expect(code).not.toMatch(/^import os/m);
  });

  test('names the examples that the figure is of, and of many the first', async () => {
    const count = async (examples: number) => (await codeOf(attention, context, { examples }, 0)).match(/\[\d, \d, 7\]/g)?.length;
    expect(await count(64)).toBe(64);
    expect(await count(65)).toBe(64);
    const few = await codeOf(attention, context, { examples: 64 }, 0);
    const many = await codeOf(attention, context, { examples: 1000 }, 0);
    expect(few).not.toContain('first 64');
    expect(many).toContain('# The figure is over 1,000 examples; these are the first 64 of them.\n');
  });

  test('is there for the figures that there are', async () => {
    await expect(codeOf(attention, context, {}, 1)).rejects.toThrow('"Attention" has 1 figure; there is no number 1, counted from 0.');
    await expect(codeOf(attention, context, { prompt: 'x' }, 0)).rejects.toThrow(/token "x"/);
  });

  test('is refused with the reason where TransformerLens has no such figure', async () => {
    await expect(codeOf({ ...attention, python: () => ({ reason: 'it was drawn by hand' }) }, context, {}, 0)).rejects.toThrow(/ has no TransformerLens code: it was drawn by hand\.$/);
  });
});
