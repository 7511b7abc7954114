import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import type { ExperimentProblem } from '../../protocol/experiment';
import { moduleProblems } from './moduleProblems';
import { locationOf } from './sourcePlace';

/** An experiment whose problems were found, and where it names its task. */
export interface CheckedExperiment {
  readonly uri: vscode.Uri;
  readonly task: vscode.Range;
  readonly problems: readonly ExperimentProblem[];
}

/** Marks in task modules what is wrong in them, for all the experiments that use them. */
export class ModuleDiagnostics implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly shown = this.lifetime.add(vscode.languages.createDiagnosticCollection('circuits modules'));
  private readonly checked = new Map<string, CheckedExperiment>();

  dispose(): void {
    this.lifetime.dispose();
  }

  set(experiment: CheckedExperiment): void {
    const id = experiment.uri.toString();
    const before = this.checked.get(id)?.problems ?? [];
    this.checked.set(id, experiment);
    if ([...before, ...experiment.problems].some(({ source }) => source)) this.show();
  }

  delete(experiment: vscode.Uri): void {
    const before = this.checked.get(experiment.toString());
    this.checked.delete(experiment.toString());
    if (before?.problems.some(({ source }) => source)) this.show();
  }

  private show(): void {
    const found = moduleProblems([...this.checked.values()].map(experiment => [experiment, experiment.problems] as const));
    this.shown.clear();
    for (const problems of found.values()) {
      const diagnostics = problems.map(({ place, message, experiments }) => {
        const made = new vscode.Diagnostic(locationOf(place).range, message, vscode.DiagnosticSeverity.Error);
        made.source = 'Circuits';
        made.relatedInformation = experiments.map(({ uri, task }) =>
          new vscode.DiagnosticRelatedInformation(new vscode.Location(uri, task), 'The experiment that uses it'));
        return made;
      });
      const [first] = problems;
      if (first) this.shown.set(locationOf(first.place).uri, diagnostics);
    }
  }
}
