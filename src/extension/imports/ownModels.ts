import path from 'node:path';
import * as vscode from 'vscode';
import { bindModel, exportModel, processModel } from '../../protocol/engine';
import { UserError } from '../../common/errors';
import type { ProcessingStep } from '../../protocol/checkpointFile';
import type { ModelSummary } from '../../protocol/model';
import { obstacleTo, possibleSteps } from '../../protocol/processing';
import type { Engine } from '../engine';
import type { ModelList } from '../models/modelList';
import { showInformation, withProgress } from '../notifications';
import { askBinding } from './askBinding';

const stepWords: Readonly<Record<ProcessingStep, { readonly label: string; readonly detail: string }>> = {
  'fold-layer-norm': { label: 'Fold LayerNorm', detail: 'The scales and shifts of norms go into the weights that read after them.' },
  'center-writing-weights': { label: 'Center Writing Weights', detail: 'What norms take away, the mean over d_model, is not written in the first place.' },
  'center-unembedding': { label: 'Center Unembedding', detail: 'The mean over the vocabulary, which no probability depends on, is taken from the logits.' },
  'fold-value-biases': { label: 'Fold Value Biases', detail: 'The biases of the values, which every position gets alike, go into the bias of what attention writes.' },
};

/** What the commands do to models whose weights people bring or take away. */
export class OwnModels {
  constructor(private readonly engine: Pick<Engine, 'request' | 'start'>, private readonly models: Pick<ModelList, 'details'>) {}

  /** Gives an imported model another task. */
  async bind(model: ModelSummary): Promise<void> {
    const { tasks } = await this.engine.start();
    const binding = await askBinding(`Bind "${model.name}" to a Task`, tasks);
    if (!binding) return;
    await withProgress(`Measuring "${model.name}" on its task`, signal => this.engine.request(bindModel, { model: model.id, binding }, signal));
  }

  /** Makes a model with processed weights; nothing when the user gives up. */
  async process(model: ModelSummary, checkpoint: number | undefined): Promise<ModelSummary | undefined> {
    const { config } = await this.models.details(model.id);
    const items = possibleSteps(config).map(step => ({ ...stepWords[step], step, picked: true }));
    if (items.length === 0) throw new UserError(`The weights of "${model.name}" cannot be processed: ${obstacleTo('center-unembedding', config) ?? ''}`);
    const options = { title: `Process Weights of "${model.name}"`, placeHolder: 'As TransformerLens does, in a new model that computes the same', canPickMany: true } as const;
    const chosen = await vscode.window.showQuickPick(items, options);
    if (!chosen || chosen.length === 0) return undefined;
    const request = { model: model.id, steps: chosen.map(({ step }) => step), ...(checkpoint !== undefined && { checkpoint }) };
    return withProgress(`Processing "${model.name}"`, signal => this.engine.request(processModel, request, signal));
  }

  /** Writes the model to a file that the user chooses. */
  async export(model: ModelSummary, checkpoint: number | undefined): Promise<void> {
    const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri ?? vscode.Uri.file(path.dirname(model.path));
    const name = model.name.replace(/[\p{Cc}\\/:*?"<>|]+/gu, '-');
    const file = await vscode.window.showSaveDialog({
      title: `Export "${model.name}"`, saveLabel: 'Export', defaultUri: vscode.Uri.joinPath(folder, `${name}.safetensors`),
      filters: { Safetensors: ['safetensors'], PyTorch: ['pt', 'pth'] },
    });
    if (!file) return;
    const request = { model: model.id, file: file.fsPath, ...(checkpoint !== undefined && { checkpoint }) };
    const { files, withoutPython } = await this.engine.request(exportModel, request);
    const python = files.find(each => each.endsWith('.py'));
    const names = files.map(each => path.basename(each)).join(', ');
    const open = 'Open Python';
    const message = `Wrote ${names}.${withoutPython === undefined ? '' : ` ${withoutPython}`}`;
    if ((await showInformation(message, ...(python === undefined ? [] : [open]))) === open && python !== undefined) {
      await vscode.window.showTextDocument(vscode.Uri.file(python));
    }
  }
}
