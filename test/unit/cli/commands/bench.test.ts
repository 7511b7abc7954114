import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bench } from '../../../../src/cli/commands/bench';
import { CancelledError } from '../../../../src/common/errors';
import { tinyExperiment } from '../../engine/experiments';
import { temporaryFolder } from '../../store/folders';
import { Text } from '../text';

test('without names, what takes too long to train here is left out and said, with what starts from it; a name is timed all the same', { timeout: 60_000 }, async () => {
  const folder = await temporaryFolder();
  const experiments = path.join(folder, 'experiments');
  await mkdir(experiments);
  const { model: _, ...withoutModel } = JSON.parse(tinyExperiment({ name: 'tuned' }));
  const years = JSON.parse(tinyExperiment({ name: 'years' }));
  const bundled = {
    tiny: JSON.parse(tinyExperiment()),
    tuned: { ...withoutModel, from: 'years' },
    years: { ...years, training: { ...years.training, steps: 1e9, checkpointEvery: 0 }, model: { ...years.model, d_model: 256, d_head: 64 } },
  };
  for (const [name, experiment] of Object.entries(bundled)) await writeFile(path.join(experiments, `${name}.circuit.json`), JSON.stringify(experiment));

  /** What it says until it is interrupted, after the first steps that it times. */
  const saidOf = async (...names: readonly string[]) => {
    const [out, err] = [new Text(), new Text()];
    const session = { output: { out, err, json: true }, interrupted: AbortSignal.abort(), installation: { trainer: '', cli: '', experiments } };
    await expect(bench(session, names, { store: path.join(folder, 'store'), device: 'cpu' })).rejects.toThrow(CancelledError);
    return err.text;
  };
  const leftOut = (name: string) => `${name} is left out, for its training would take too long here; name it to time it all the same.\n`;
  expect(await saidOf()).toBe(`${leftOut('tuned')}${leftOut('years')}tiny…\n`);
  expect(await saidOf('years')).toBe('years…\n');
});
