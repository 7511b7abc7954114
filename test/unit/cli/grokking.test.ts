import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../support/bundles';
import { runHere } from './commandLine';

let bundles: Bundles;
let store: string;

beforeAll(async () => {
  bundles = await buildBundles({ cli: 'src/cli/main.ts', ...trainerEntryPoints });
  store = await mkdtemp(path.join(tmpdir(), 'grokking-'));
});
afterAll(async () => {
  await bundles.dispose();
  await rm(store, { recursive: true });
});

test('a small model memorises addition, groks it, and every claim about its Fourier circuit holds', async () => {
  const { code, out, err } = await runHere(bundles.folder, ['verify', 'modular-addition-small', '--store', store, '--json']);
  const [{ claims }] = JSON.parse(out).experiments;
  expect(claims.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
  expect(claims.length).toBeGreaterThan(10);
  expect(code, err).toBe(0);

  // The same circuit, seen at single checkpoints: no key frequency stands out before there is one.
  const analyze = (analysis: string, ...words: readonly string[]) =>
    runHere(bundles.folder, ['analyze', 'modular-addition-small', analysis, '--store', store, '--json', ...words]);
  expect(JSON.parse((await analyze('excluded-loss')).out).scalars.excludedLoss).toBeGreaterThan(1);
  const early = await analyze('excluded-loss', '--checkpoint', '50');
  expect(early.code).toBe(2);
  expect(early.err).toMatch(/^No frequency stands out in the embedding yet[^\n]*\.\n$/);
}, 300_000);
