import * as vscode from 'vscode';
import { baseName } from '../../common/baseName';
import { UserError } from '../../common/errors';
import type { ImportOrder, ImportProposal } from '../../protocol/checkpointFile';
import { importModel, proposeImport, type ImportAnswer } from '../../protocol/engine';
import { weightsEditors } from '../contributions';
import type { Engine } from '../engine';
import { ConfigError } from '../refusals';
import { problemOfName } from '../models/modelChoices';
import { showError, showInformation, withProgress } from '../notifications';
import { askBinding } from './askBinding';
import { fieldFromText, importItems, optionItems, titleOf, type AskedField } from './importPlan';

/** From a file of weights to a model: what the file tells is shown, and what it does not can be said before. */
export class ImportCommand {
  constructor(private readonly engine: Pick<Engine, 'request' | 'start'>) {}

  /** Asks for a file where none is given; nothing when the user gives up. */
  async run(given: vscode.Uri | undefined): Promise<ImportAnswer | undefined> {
    const file = given ?? (await chooseFile());
    if (!file) return undefined;
    if (file.scheme !== 'file') throw new UserError(`${baseName(file.path)} is not on this machine's disk; save it there first.`);
    let order: ImportOrder | undefined = { file: file.fsPath };
    for (;;) {
      order = await this.settle(order, file);
      if (!order) return undefined;
      try {
        return await this.import(order);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        // What was said of the file is not lost.
        void showError(error.message);
      }
    }
  }

  private async import(order: ImportOrder): Promise<ImportAnswer> {
    const answer = await withProgress(`Importing ${baseName(order.file)}`, signal => this.engine.request(importModel, order, signal));
    if (answer.cached) void showInformation(`"${answer.model.name}" was imported before and has been opened.`);
    return answer;
  }

  /** Shows what the file would become until the user imports it or gives up. */
  private async settle(start: ImportOrder, file: vscode.Uri): Promise<ImportOrder | undefined> {
    let order = start;
    let fitting: ImportOrder | undefined;
    for (;;) {
      const proposal = await this.proposalOf(order);
      if ('problem' in proposal && fitting) {
        void showError(proposal.problem.message);
        order = fitting;
        // Should that no longer fit either, as when the file is gone, it is not gone back to again.
        fitting = undefined;
        continue;
      }
      if ('problem' in proposal) {
        const changed = await afterProblem(order, file, proposal.problem);
        if (!changed) return undefined;
        order = changed;
        continue;
      }
      fitting = order;
      const items = importItems(order, proposal).map(item => ({ ...item, iconPath: new vscode.ThemeIcon(item.icon) }));
      const options = { title: `Import ${baseName(order.file)}`, placeHolder: 'Import it, or say first what the file does not', matchOnDescription: true };
      const choice = (await vscode.window.showQuickPick(items, options))?.choice;
      if (choice === undefined) return undefined;
      if (choice === 'import') return order;
      order = (await this.changed(order, proposal, choice)) ?? order;
    }
  }

  private async proposalOf(order: ImportOrder): Promise<ImportProposal | { readonly problem: UserError }> {
    return withProgress<ImportProposal | { readonly problem: UserError }>(`Reading ${baseName(order.file)}`, async () => {
      try {
        return await this.engine.request(proposeImport, order);
      } catch (error) {
        if (error instanceof UserError) return { problem: error };
        throw error;
      }
    }, 'status bar');
  }

  private async changed(order: ImportOrder, proposal: ImportProposal, choice: 'name' | 'task' | 'config' | 'field' | AskedField): Promise<ImportOrder | undefined> {
    const title = `Import ${baseName(order.file)}`;
    switch (choice) {
      case 'name': {
        const name = await vscode.window.showInputBox({ title, prompt: 'Name', value: proposal.name, validateInput: problemOfName });
        return name === undefined ? undefined : { ...order, name };
      }
      case 'task': {
        const { tasks } = await this.engine.start();
        const binding = await askBinding(title, tasks, proposal.tasks);
        return binding && { ...order, binding };
      }
      case 'config': return withConfigFile(order);
      case 'field': return withField(order);
      default: {
        const { value: now } = proposal.inferred.find(({ field }) => field === choice) ?? {};
        const chosen = await vscode.window.showQuickPick(optionItems(choice, now), { title, placeHolder: titleOf(choice) });
        return chosen && { ...order, config: { ...order.config, [choice]: chosen.value } };
      }
    }
  }
}

async function chooseFile(): Promise<vscode.Uri | undefined> {
  const filters = { 'Weights (safetensors, PyTorch)': ['safetensors', 'pt', 'pth', 'bin'] };
  return (await vscode.window.showOpenDialog({ title: 'Import Model', openLabel: 'Import', filters }))?.[0];
}

/** What can still be done with a file that cannot become a model as it is. */
async function afterProblem(order: ImportOrder, file: vscode.Uri, problem: UserError): Promise<ImportOrder | undefined> {
  const [look, choose, give] = ['Look at the File', 'Choose a Config…', 'Give a Field…'] as const;
  const offers = problem instanceof ConfigError ? [choose, give, look] : [look];
  switch (await showError(problem.message, ...offers)) {
    case look:
      await vscode.commands.executeCommand('vscode.openWith', file, weightsEditors[file.path.endsWith('.safetensors') ? 0 : 1]);
      return undefined;
    case choose: return withConfigFile(order);
    case give: return withField(order);
    case undefined: return undefined;
  }
}

async function withConfigFile(order: ImportOrder): Promise<ImportOrder | undefined> {
  const [config] = await vscode.window.showOpenDialog({ title: 'Config of the Model', openLabel: 'Choose', filters: { 'Config (JSON)': ['json'] } }) ?? [];
  return config && { ...order, configFile: config.fsPath };
}

async function withField(order: ImportOrder): Promise<ImportOrder | undefined> {
  const text = await vscode.window.showInputBox({
    title: `Import ${baseName(order.file)}`, prompt: 'A field of the config and its value', placeHolder: 'n_ctx=10',
    validateInput: given => (fieldFromText(given) ? undefined : 'Write it as field=value, as in n_ctx=10.'),
  });
  const given = text === undefined ? undefined : fieldFromText(text);
  return given && { ...order, config: { ...order.config, [given.field]: given.value } };
}
