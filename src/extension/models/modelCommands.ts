import * as vscode from 'vscode';
import { controlModel, renameModel, type ModelControl } from '../../protocol/engine';
import type { ModelSummary } from '../../protocol/model';
import type { Engine } from '../engine';
import { problemOfName } from './modelChoices';
import { isRunning } from './modelList';
import { confirmed, showInformation } from '../notifications';

/** What the commands do to a model that has been chosen. */
export class ModelCommands {
  constructor(private readonly engine: Engine) {}

  async control({ id }: ModelSummary, action: ModelControl): Promise<void> {
    await this.engine.request(controlModel, { model: id, action });
  }

  async retrain(model: ModelSummary): Promise<void> {
    const detail = 'The weights, checkpoints and measurements that it has are replaced.';
    if (await confirmed(`Train "${model.name}" again from the start?`, detail, 'Train Again')) await this.control(model, 'retrain');
  }

  async delete(model: ModelSummary): Promise<void> {
    const stop = isRunning(model) ? 'Its training is stopped. ' : '';
    const detail = `${stop}Its weights, checkpoints and measurements are deleted from the disk. This cannot be undone.`;
    if (await confirmed(`Delete the model "${model.name}"?`, detail, 'Delete')) await this.control(model, 'delete');
  }

  async rename(model: ModelSummary): Promise<void> {
    const name = await vscode.window.showInputBox({
      title: 'Rename Model', prompt: 'New name', value: model.name, validateInput: problemOfName,
    });
    if (name !== undefined && name !== model.name) await this.engine.request(renameModel, { model: model.id, name });
  }

  async revealInFolder({ name, path }: ModelSummary): Promise<void> {
    const folder = vscode.Uri.file(path);
    const isLocal = vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined;
    if (isLocal) {
      await vscode.commands.executeCommand('revealFileInOS', folder);
      return;
    }
    // Where the files are there is no desktop to show them on.
    const [copy, open] = ['Copy Path', 'Open in New Window'];
    const chosen = await showInformation(`The model "${name}" is in ${path}.`, copy, open);
    if (chosen === copy) await vscode.env.clipboard.writeText(path);
    if (chosen === open) await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: true });
  }
}
