import * as vscode from 'vscode';
import type { ModelSummary } from '../../protocol/model';
import type { ModelTarget } from '../contributions';
import { choices, modelItems, type ModelAction } from './modelChoices';
import type { ModelList } from './modelList';
import type { Panels } from '../panels/panels';
import { showInformation } from '../notifications';

/** Finds the model that a command is about. */
export class ModelPicker {
  constructor(private readonly models: ModelList, private readonly panels: Panels) {}

  /**
   * The model of the row or panel that the command came from, the only one that fits, or the one that the user picks;
   * nothing when none fits, which it says, or when the user gives up.
   */
  async pick(action: ModelAction, target: ModelTarget | undefined): Promise<ModelSummary | undefined> {
    if (target) return this.models.get(target.model);
    const models = await this.models.load();
    const active = this.panels.active && this.models.find(this.panels.active.state.model);
    if (active && choices[action].fits(active)) return active;
    const items = modelItems(action, models);
    const [first] = items;
    if (!first) {
      void showInformation(choices[action].none);
      return undefined;
    }
    const options = { title: choices[action].title, placeHolder: 'Model', matchOnDescription: true, matchOnDetail: true };
    const chosen = items.length === 1 ? first : await vscode.window.showQuickPick(items, options);
    return chosen && this.models.get(chosen.model);
  }
}
