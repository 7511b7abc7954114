import * as vscode from 'vscode';
import { applicableAnalyses } from '../../protocol/engine';
import type { ModelSummary } from '../../protocol/model';
import { comparisonChoices } from './comparisonChoices';
import type { Engine } from '../engine';
import type { ModelList } from '../models/modelList';
import type { PanelSession } from './panelSession';
import { showInformation } from '../notifications';

export interface ComparisonHost {
  readonly engine: Pick<Engine, 'start' | 'request'>;
  readonly models: Pick<ModelList, 'load' | 'details'>;
}

/** Lets the user choose what a panel is compared with. */
export async function chooseComparison({ engine, models }: ComparisonHost, session: PanelSession): Promise<void> {
  const { model, analysis: id } = session.state;
  const [{ analyses }, details, all] = await Promise.all([engine.start(), models.details(model), models.load()]);
  const analysis = analyses.find(candidate => candidate.id === id);
  if (!analysis) return;
  const fits = async (other: ModelSummary) => (await engine.request(applicableAnalyses, { model: other.id })).some(candidate => candidate.id === id);
  // A model that cannot be read is none to compare with; the tree says what is wrong with it.
  const fitting = await Promise.all(all.map(other => fits(other).catch(() => false)));
  const groups = comparisonChoices(session.state, analysis, details, all.filter((_, at) => fitting[at]));
  if (groups.length === 0) {
    void showInformation(`There is nothing to compare with: "${details.summary.name}" has no other checkpoint, and "${analysis.title}" fits no other model.`);
    return;
  }
  const items = groups.flatMap(group => [
    { label: group.title, kind: vscode.QuickPickItemKind.Separator },
    ...group.items,
  ]);
  const options = { title: `Compare ${analysis.title} With`, placeHolder: 'Checkpoint or model', matchOnDescription: true };
  const chosen = await vscode.window.showQuickPick<vscode.QuickPickItem>(items, options);
  const against = groups.flatMap(group => group.items).find(item => item === chosen)?.against;
  if (against) session.compareWith(against);
}
