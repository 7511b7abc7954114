import { describe, expect, test } from 'vitest';
import { expectedSites, judgeSites } from '../../../../src/analysis/patching/patchingExpectations';
import type { Site } from '../../../../src/analysis/patching/patching';
import { UserError } from '../../../../src/common/errors';
import { arrayUpdate } from '../../../../src/tasks/arrayUpdate';
import { configOf } from '../../../support/models';

// BOS a1 a2 a3 ↵ idx elt ↵ b1 b2 b3
const task = arrayUpdate.create({ length: 3, numbers: 10, sharedUpdate: false });
const config = configOf({ n_heads: 2 });
const read = (text: string) => expectedSites(text, { task, config, answer: 8 });

describe('expected circuits', () => {
  test('are sites under a name, each an activation, a head and a position', () => {
    expect(read('keys: z 0.0 elt, k L1H1 elt, pattern 1.1 answer | queries: q 1.1 answer')).toEqual([
      {
        name: 'keys',
        sites: [
          { activation: 'z', layer: 0, head: 0, position: 6 },
          { activation: 'k', layer: 1, head: 1, position: 6 },
          { activation: 'pattern', layer: 1, head: 1, position: 8 },
        ],
      },
      { name: 'queries', sites: [{ activation: 'q', layer: 1, head: 1, position: 8 }] },
    ]);
  });

  test('need no name, and a position may be a number or one of several of its name', () => {
    expect(read('v 0.1 5, v 0.1 ↵ (7)')).toEqual([
      { name: '', sites: [{ activation: 'v', layer: 0, head: 1, position: 5 }, { activation: 'v', layer: 0, head: 1, position: 7 }] },
    ]);
  });

  test('of an empty text are none', () => {
    expect(read('')).toEqual([]);
    expect(read(' ')).toEqual([]);
  });

  test.each([
    ['a site without a position', 'z 0.0', /^"z 0\.0" is not a site; write an activation, a head and a position, as in "z 0\.0 elt"\.$/],
    ['a site without a head', 'z elt', /^"z elt" is not a site/],
    ['an activation that is no head\'s', 'resid_pre 0.0 elt', /^There is no activation of a head "resid_pre"; there are "z", "q", "k", "v", "pattern"\.$/],
    ['a head that is not there', 'z 0.2 elt', /^There is no head "L0H2"; the nearest are /],
    ['a position that is not there', 'z 0.0 el', /^There is no position "el"; the nearest (is|are) "elt"/],
    ['a circuit that is only a name', 'keys:', /^The circuit "keys" names no site; write an activation, a head and a position, as in "z 0\.0 elt"\.$/],
  ])('refuse %s', (_, text, message) => {
    expect(() => read(text)).toThrow(UserError);
    expect(() => read(text)).toThrow(message);
  });
});

describe('what a sweep found', () => {
  const sites: readonly Site[] = [
    { activation: 'resid_pre', layer: 0, position: 6 },
    { activation: 'attn_out', layer: 0, position: 6 },
    { activation: 'z', layer: 0, head: 0, position: 6 },
    { activation: 'k', layer: 1, head: 0, position: 6 },
    { activation: 'q', layer: 1, head: 0, position: 8 },
    { activation: 'v', layer: 1, head: 1, position: 6 },
  ];
  const keys = { name: 'keys', sites: sites.slice(2, 4) };
  const queries = { name: 'queries', sites: sites.slice(4, 5) };

  test('is the least that an expected site brings back, and the most that any other site of a head does', () => {
    expect(judgeSites([keys], sites, [1, 1, 0.95, 0.9, 0.05, 0.3])).toEqual({
      scalars: { largest: 0.95, circuit: 1, least: 0.9, elsewhere: 0.3 }, finding: 'keys',
    });
  });

  test('is the circuit whose weakest site brings back most', () => {
    expect(judgeSites([keys, queries], sites, [1, 1, 0.99, 0.1, 0.8, 0.2])).toEqual({
      scalars: { largest: 0.99, circuit: 2, least: 0.8, elsewhere: 0.99 }, finding: 'queries',
    });
  });

  test('without an expectation is the largest share of a head alone', () => {
    expect(judgeSites([], sites, [1, 1, 0.2, 0.1, -3, 0])).toEqual({ scalars: { largest: 0.2 } });
    expect(judgeSites([], sites.slice(0, 1), [1])).toEqual({ scalars: {} });
  });

  test('has nothing elsewhere where all sites are expected, or the others take away', () => {
    expect(judgeSites([keys], sites.slice(2, 5), [1, 1, -0.5]).scalars['elsewhere']).toBe(0);
    expect(judgeSites([keys], sites.slice(2, 4), [1, 1]).scalars['elsewhere']).toBe(0);
  });

  test('has no finding for a circuit without a name', () => {
    expect(judgeSites([{ ...keys, name: '' }], sites, [1, 1, 1, 1, 0, 0])).not.toHaveProperty('finding');
  });

  test('refuses to look for what was not patched', () => {
    expect(() => judgeSites([keys], sites.slice(0, 3), [1, 1, 1])).toThrow(
      new UserError('The expected sites are of heads by position; patch by position, and every head, to look for them.'),
    );
  });
});
