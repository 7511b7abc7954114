import * as vscode from 'vscode';
import { UserError } from '../../common/errors';
import type { TrainRequest } from '../../protocol/engine';
import type { Engine } from '../engine';
import { bundledExperiment, experimentName, experimentSuffix, experimentText, findExperiments, readExperiment } from './experimentFiles';
import { withoutIcons } from '../format';

export interface ChosenExperiment {
  readonly name: string;
  readonly experiment: TrainRequest['experiment'];
  /** What it says, to be read as far as it can be. */
  readonly text: string;
}

/** What is said instead of training what the workspace has. */
export const untrusted = 'Trust the workspace to train its experiments; bundled ones can be trained without.';

interface ExperimentItem extends vscode.QuickPickItem {
  /** Absent in a separator. */
  readonly source?: { readonly bundled: string } | { readonly file: vscode.Uri };
}

/** Finds the experiment that a command is about. */
export class ExperimentPicker {
  constructor(private readonly engine: Pick<Engine, 'start'>, private readonly extensionUri: vscode.Uri) {}

  /** Lets the user pick one of those whose text fits; nothing when they give up. */
  async fromList(title: string, fits?: (text: string) => boolean): Promise<ChosenExperiment | undefined> {
    const options = { title, placeHolder: 'Experiment', matchOnDescription: true };
    const source = (await vscode.window.showQuickPick(this.items(fits), options))?.source;
    if (!source) return undefined;
    if ('file' in source) return this.fromFile(source.file);
    const text = await readExperiment(bundledExperiment(this.extensionUri, source.bundled));
    return { name: source.bundled, experiment: { bundled: source.bundled }, text };
  }

  /** That of a file, by default of the active editor. */
  async fromFile(given: vscode.Uri | undefined): Promise<ChosenExperiment> {
    const file = given ?? vscode.window.activeTextEditor?.document.uri;
    if (!file) throw new UserError('Open an experiment file first, or choose one with the command Circuits: Train Model.');
    if (!vscode.workspace.isTrusted) throw new UserError(untrusted);
    const text = await readExperiment(file);
    return { name: experimentName(file), experiment: experimentText(file, text), text };
  }

  private async items(fits: ((text: string) => boolean) | undefined): Promise<readonly ExperimentItem[]> {
    const [{ experiments }, files] = await Promise.all([
      this.engine.start(), vscode.workspace.isTrusted ? findExperiments() : Promise.resolve([]),
    ]);
    const bundled = await fitting(experiments, name => bundledExperiment(this.extensionUri, name), fits);
    const own = activeFirst(await fitting(files, file => file, fits));
    const separator = (label: string): ExperimentItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
    return [
      ...(own.length > 0 ? [separator('workspace')] : []),
      ...own.map(file => ({ label: withoutIcons(experimentName(file)), description: vscode.workspace.asRelativePath(file), source: { file } })),
      ...(bundled.length > 0 ? [separator('bundled')] : []),
      ...bundled.map(name => ({ label: name, description: 'bundled', source: { bundled: name } })),
    ];
  }
}

/** Those whose text fits; what cannot be read does not. */
async function fitting<T>(
  all: readonly T[], fileOf: (one: T) => vscode.Uri, fits: ((text: string) => boolean) | undefined,
): Promise<readonly T[]> {
  if (!fits) return all;
  const kept = await Promise.all(all.map(one => readExperiment(fileOf(one)).then(fits, () => false)));
  return all.filter((_, at) => kept[at]);
}

/** The experiment that is being edited is the likeliest. */
function activeFirst(files: readonly vscode.Uri[]): readonly vscode.Uri[] {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (!active?.path.endsWith(experimentSuffix)) return files;
  const isActive = (file: vscode.Uri) => file.toString() === active.toString();
  return [...files.filter(isActive), ...files.filter(file => !isActive(file))];
}
