import * as vscode from 'vscode';
import type { Engine } from '../engine';
import { bundledExperiment, experimentName, experimentSuffix, readExperiment } from './experimentFiles';
import { freeName } from './experimentNames';
import { renamed, sampleItems, type SampleItem } from './experimentSamples';
import { writeWhole } from '../panels/exports';
import type { ModelList } from '../models/modelList';
import type { WorkspaceExperiments } from './workspaceExperiments';

interface NewExperimentHost {
  readonly engine: Engine;
  readonly models: ModelList;
  readonly experiments: WorkspaceExperiments;
  readonly extensionUri: vscode.Uri;
}

interface SampleChoice extends vscode.QuickPickItem {
  /** Absent in a separator. */
  readonly sample?: SampleItem['sample'];
}

/** Makes an experiment file of a bundled one, under a name that nothing has, and opens it. */
export async function newExperiment({ engine, models, experiments, extensionUri }: NewExperimentHost): Promise<void> {
  const samples = engine.start().then(info => Promise.all(info.experiments.map(async name => ({ name, text: await readExperiment(bundledExperiment(extensionUri, name)) }))));
  const options = { title: 'New Experiment', placeHolder: 'Experiment to start from', matchOnDescription: true, matchOnDetail: true };
  const chosen = await vscode.window.showQuickPick<SampleChoice>(samples.then(all => underTasks(sampleItems(all))), options);
  if (!chosen?.sample) return;
  const files = await experiments.load();
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const offered = freeName(`my-${chosen.sample.name}`, files.map(experimentName));
  const place = await vscode.window.showSaveDialog({
    title: 'New Experiment',
    saveLabel: 'Create',
    // VS Code compares the last part alone, and would add the suffix a second time.
    filters: { 'Circuit experiment': ['json'] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, `${offered}${experimentSuffix}`) } : {}),
  });
  if (!place) return;
  const file = place.with({ path: `${place.path.replace(/(\.circuit)?\.json$/, '')}${experimentSuffix}` });
  // A file that it replaces claims no name any more.
  const others = experiments.all.filter(other => other.file !== file.toString()).flatMap(({ name }) => name ?? []);
  const taken = [...others, ...(await samples).map(({ name }) => name), ...(await models.load()).map(({ name }) => name)];
  const text = renamed(chosen.sample.text, freeName(experimentName(file), taken));
  await writeWhole(file, new TextEncoder().encode(text));
  await vscode.window.showTextDocument(file);
}

function underTasks(items: readonly SampleItem[]): readonly SampleChoice[] {
  return items.flatMap((item, index) => item.task === items[index - 1]?.task ? [item] : [{ label: item.task, kind: vscode.QuickPickItemKind.Separator }, item]);
}
