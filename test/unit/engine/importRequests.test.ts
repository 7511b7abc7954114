import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CancellationTokenSource, ResponseError } from 'vscode-jsonrpc';
import * as protocol from '../../../src/protocol/engine';
import { buildBundles, type Bundles } from '../../support/bundles';
import { configOf } from '../../support/models';
import { writeModelFile } from '../../support/weightFiles';
import { temporaryFolder } from '../store/folders';
import { startEngine } from './engineProcess';

let bundles: Bundles;
beforeAll(async () => {
  bundles = await buildBundles({ engine: 'src/engine/main.ts' });
});
afterAll(() => bundles.dispose());

test('an editor proposes, imports and processes a file of weights, and is told of the models', { timeout: 60_000 }, async () => {
  const folder = await temporaryFolder();
  const file = await writeModelFile(path.join(folder, 'grokked.safetensors'), configOf({ normalization_type: 'LN' }));
  const { connection, end } = await startEngine(bundles.folder, path.join(folder, 'store'));
  onTestFinished(end);
  const proposal = await connection.sendRequest(protocol.proposeImport, { file, config: { act_fn: 'gelu' } });
  expect(proposal).toMatchObject({ name: 'grokked', config: { act_fn: 'gelu' }, checkpoints: [] });
  expect(await connection.sendRequest(protocol.listModels)).toEqual([]);

  const told = new Promise<readonly string[]>(resolve => connection.onNotification(protocol.modelsChanged, ({ changed }) => resolve(changed.map(({ name }) => name))));
  const { model, cached, inferred } = await connection.sendRequest(protocol.importModel, { file, config: { act_fn: 'gelu' } });
  expect(cached).toBe(false);
  expect(inferred).toEqual(proposal.inferred);
  expect(await told).toEqual(['grokked']);
  const processed = await connection.sendRequest(protocol.processModel, { model: model.id, steps: ['fold-layer-norm'] });
  expect(processed).toMatchObject({ name: 'grokked, folded', source: { kind: 'processed', id: model.id } });

  const wrong = await connection.sendRequest(protocol.importModel, { file: path.join(folder, 'nowhere.pt') }).catch((error: unknown) => error);
  expect(wrong).toBeInstanceOf(ResponseError);
  expect(wrong).toMatchObject({ code: protocol.userErrorCode, message: expect.stringContaining('nowhere.pt') });
  // What can be answered by saying more of the config is told apart.
  const contradicting = connection.sendRequest(protocol.proposeImport, { file, config: { n_layers: 7 } });
  await expect(contradicting).rejects.toMatchObject({ code: protocol.configCode, message: expect.stringContaining('n_layers') });
  const source = new CancellationTokenSource();
  const importing = connection.sendRequest(protocol.importModel, { file, name: 'another', config: { act_fn: 'relu' } }, source.token);
  source.cancel();
  await expect(importing).rejects.toThrow();
  expect((await connection.sendRequest(protocol.listModels)).map(({ name }) => name)).not.toContain('another');
});
