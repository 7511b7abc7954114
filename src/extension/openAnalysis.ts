import * as vscode from 'vscode';
import { applicableAnalyses } from '../protocol/engine';
import type { ModelTarget } from './contributions';
import type { Engine } from './engine';
import type { HeadSelections } from './headSelections';
import type { ModelPicker } from './modelPicker';
import type { Panels } from './panels';

/** Opens analyses of the model that a command is about. */
export class OpenAnalysis {
  constructor(
    private readonly host: { readonly engine: Engine; readonly panels: Panels; readonly selections: HeadSelections },
    private readonly picker: ModelPicker,
  ) {}

  /** Opens one; from a row of the tree the focus stays there. */
  async open(analysis: string, target: ModelTarget | undefined): Promise<void> {
    const model = await this.picker.pick('open', target);
    if (!model) return;
    const { layer, head, checkpoint } = target ?? {};
    if (layer !== undefined && head !== undefined) this.host.selections.pick({ model: model.id, layer, head });
    const request = { model: model.id, analysis, params: {}, ...(checkpoint === undefined ? {} : { checkpoint }) };
    await this.host.panels.show(request, target !== undefined);
  }

  /** Lets the user choose among those that fit the model. */
  async choose(target: ModelTarget | undefined): Promise<void> {
    const model = await this.picker.pick('open', target);
    if (!model) return;
    const analyses = this.host.engine.request(applicableAnalyses, { model: model.id });
    const items = analyses.then(all => all.map(({ id, title, description }) => ({ label: title, detail: description, id })));
    const options = { title: `Analyses of ${model.name}`, placeHolder: 'Analysis', matchOnDetail: true };
    const chosen = await vscode.window.showQuickPick(items, options);
    if (chosen) await this.open(chosen.id, { ...target, model: model.id });
  }
}
