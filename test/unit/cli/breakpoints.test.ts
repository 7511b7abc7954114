import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../support/bundles';
import { tinyExperiment } from '../engine/experiments';
import { runHere } from './commandLine';

describe('breakpoints on the command line', () => {
  let bundles: Bundles;
  let folder: string;

  beforeAll(async () => {
    bundles = await buildBundles(trainerEntryPoints);
    folder = await mkdtemp(path.join(tmpdir(), 'cli-breakpoints-'));
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(folder, { recursive: true });
  });

  async function experimentWith(seed: number, breakpoint: object, more: object = {}): Promise<string> {
    const file = path.join(folder, `${seed}.circuit.json`);
    const common = { analysis: 'attention', params: { examples: 4 }, scalar: 'entropy' };
    await writeFile(file, JSON.stringify({ ...JSON.parse(tinyExperiment({ name: 'tiny', seed, steps: 40, checkpointEvery: 10 })), breakpoints: [{ ...common, ...breakpoint }], ...more }));
    return file;
  }

  /** The document and the messages of a command that succeeds. */
  async function circuits(...words: readonly string[]) {
    const { code, out, err } = await runHere(bundles.folder, [...words, '--store', path.join(folder, 'store'), '--json']);
    expect(code, err).toBe(0);
    return { document: JSON.parse(out), err };
  }

  test('end the training where they pause it, and it goes on from there when it is resumed', async () => {
    const file = await experimentWith(1, { when: '> 0' });
    const { document, err } = await circuits('train', file);
    expect(document).toMatchObject({ steps: 10, breakpoint: { analysis: 'attention', scalar: 'entropy', when: '> 0', action: 'pause', step: 10, measured: expect.any(Number) } });
    expect(err).toMatch(/"tiny" at step 10 came to its breakpoint entropy > 0 \(measured [\d.]+\) and stops there; add --resume to go on\.\n/);

    const resumed = await circuits('train', file, '--resume');
    expect(resumed.document).toMatchObject({ id: document.id, steps: 40 });
    expect(resumed.document).not.toHaveProperty('breakpoint');
  });

  test('are passed by where they are told to be, by claims that need the end, and by the runs of a sweep', async () => {
    const file = await experimentWith(2, { when: '> 0' });
    const { document, err } = await circuits('train', file, '--ignore-breakpoints');
    expect(document).toMatchObject({ steps: 40 });
    expect(err).not.toContain('breakpoint');

    const claimed = await experimentWith(3, { when: '> 0' }, { claims: [{ claim: 'it looks around', analysis: 'attention', scalar: 'entropy', expect: '> 0' }] });
    expect((await circuits('verify', claimed)).document).toMatchObject({ experiments: [{ claims: [{ ok: true }] }] });
    const swept = await experimentWith(4, { when: '> 0' }, { sweep: { seed: [4, 5] } });
    expect((await circuits('sweep', swept)).document.rows).toMatchObject([{ status: 'finished' }, { status: 'finished' }]);
  });

  test('keep copies, and wait for those that are trained on', async () => {
    const file = await experimentWith(6, { when: '> 0', action: 'fork', set: ['training.weightDecay=0.5'] });
    const { document, err } = await circuits('train', file);
    const [copy] = document.copies;
    expect(document).toMatchObject({ steps: 40, copies: [{ name: 'tiny from 10 (training.weightDecay=0.5)' }] });
    expect(err).toContain(`"tiny" at step 10 is trained on beside it as "${copy.name}" (${copy.id}): entropy > 0 (measured `);
    const { document: models } = await circuits('models');
    expect(JSON.stringify(models)).toContain(copy.id);
    expect((await circuits('train', file)).document.cached).toBe(true);
  });
});
