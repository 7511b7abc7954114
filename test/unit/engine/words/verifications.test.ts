import { expect, test } from 'vitest';
import { verificationText } from '../../../../src/engine/words/verifications';
import type { Verification } from '../../../../src/protocol/engine';

const problem = 'The memory is full.';
const stopped = (...claims: Verification['claims']): Verification => ({ name: 'tiny', id: '0123456789abcdef', seed: 0, problem, claims });
const flies = { index: 0, claim: 'it flies', measured: 3.5, expect: '< 0', ok: false };
const swims = { index: 1, claim: 'it swims', measured: null, expect: '> 0', ok: false, problem };

test('what keeps all claims of a model from being measured is said once', () => {
  expect(verificationText([stopped({ ...swims, index: 0 }, swims)])).toBe(`tiny (0123456789abcdef), seed 0\n✗ ${problem}\n\n0 of 2 claims hold.`);
});

test('what was measured of a model before something kept the rest from it is shown', () => {
  const lines = verificationText([stopped(flies, swims)]).split('\n');
  expect(lines.find(line => line.includes('it flies'))).toMatch(/^✗ +it flies +3\.5 +< 0$/);
  expect(lines.find(line => line.includes('it swims'))).toMatch(/^✗ +it swims +– +> 0 +The memory is full\.$/);
});
