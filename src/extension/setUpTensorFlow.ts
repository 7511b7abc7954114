import * as vscode from 'vscode';
import { UserError } from '../common/errors';
import type { Log } from './engineSession';
import { installTensorFlow } from './installTensorFlow';

/** Installs TensorFlow with progress that can be cancelled. Returns whether it is there now. */
export async function setUpTensorFlow(storage: vscode.Uri, log: Log): Promise<void> {
  if (!vscode.workspace.isTrusted) throw new UserError('Trust the workspace before TensorFlow is installed.');
  const options = { location: vscode.ProgressLocation.Notification, title: 'Installing TensorFlow for NVIDIA GPUs', cancellable: true };
  await vscode.window.withProgress(options, async (progress, token) => {
    const abort = new AbortController();
    const cancelling = token.onCancellationRequested(() => abort.abort());
    progress.report({ message: 'more than 400 MB are downloaded' });
    try {
      await installTensorFlow({
        storage: storage.fsPath, signal: abort.signal, environment: process.env, line: text => log.info(`npm: ${text}`),
      });
    } finally {
      cancelling.dispose();
    }
  });
}
