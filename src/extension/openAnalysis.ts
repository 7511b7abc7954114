import { applicableAnalyses } from '../protocol/engine';
import type { PanelState } from '../protocol/panel';
import { analysisNamed, stateOn } from './analysisChoices';
import type { ModelTarget } from './contributions';
import type { Engine } from './engine';
import type { HeadSelections } from './models/headSelections';
import type { ModelPicker } from './models/modelPicker';
import type { Panels } from './panels/panels';
import { pickAnalysis } from './pickAnalysis';

/** Opens analyses of the model that a command is about. */
export class OpenAnalysis {
  constructor(
    private readonly host: { readonly engine: Engine; readonly panels: Panels; readonly selections: HeadSelections },
    private readonly picker: ModelPicker,
  ) {}

  /** Opens one, on the head or the checkpoint of the row that it was called from, where the focus then stays. */
  async open(analysis: string, target: ModelTarget | undefined): Promise<void> {
    const model = await this.picker.pick('open', target);
    if (model) await this.show(analysis, model.id, target);
  }

  /** Lets the user choose among those that fit the model; the panel that it opened, if any. */
  async choose(target: ModelTarget | undefined): Promise<PanelState | undefined> {
    const model = await this.picker.pick('open', target);
    if (!model) return undefined;
    const analyses = this.host.engine.request(applicableAnalyses, { model: model.id });
    const chosen = await pickAnalysis(`Analyses of ${model.name}`, analyses);
    return chosen && this.show(chosen.id, model.id, target);
  }

  private async show(analysis: string, model: string, target: ModelTarget | undefined): Promise<PanelState> {
    const { engine, panels, selections } = this.host;
    const { layer, head } = target ?? {};
    if (layer !== undefined && head !== undefined) selections.pick({ model, layer, head });
    const { analyses } = await engine.start();
    const state = stateOn(analysisNamed(analyses, analysis), { ...target, model });
    await panels.show(state, target !== undefined);
    return state;
  }
}
