import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Engine, installationAt } from '../../src/engine/engine';

/** An engine over a store in `folder`, until the test ends. It has no bundles, and so trains nothing. */
export async function engineIn(folder: string): Promise<Engine> {
  const engine = await Engine.open({
    store: path.join(folder, 'store'), device: 'cpu', threads: 1, background: false, trusted: true,
    installation: installationAt(path.join(folder, 'no bundles')), log: problem => expect.fail(problem),
  });
  onTestFinished(() => engine.dispose());
  return engine;
}
