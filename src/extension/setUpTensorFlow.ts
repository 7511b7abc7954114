import * as vscode from 'vscode';
import { UserError } from '../common/errors';
import type { Log } from './engineSession';
import { installTensorFlow, runsTensorFlow } from './installTensorFlow';
import { withProgress } from './notifications';

/** Installs TensorFlow with progress that can be cancelled. Returns whether it is there now. */
export async function setUpTensorFlow(storage: vscode.Uri, log: Log): Promise<void> {
  if (!vscode.workspace.isTrusted) throw new UserError('Trust the workspace before TensorFlow is installed.');
  if (!runsTensorFlow(process)) throw new UserError(`There is no TensorFlow for NVIDIA GPUs on ${process.platform} ${process.arch}; it needs Linux or Windows on x64.`);
  await withProgress('Installing TensorFlow for NVIDIA GPUs', async (signal, report) => {
    report('more than 400 MB are downloaded');
    await installTensorFlow({
      storage: storage.fsPath, signal, environment: process.env, line: text => log.info(`npm: ${text}`),
    });
  });
}
