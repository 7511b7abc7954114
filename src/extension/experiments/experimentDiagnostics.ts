import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { throttle } from '../../common/throttle';
import type { ExperimentProblem } from '../../protocol/experiment';
import { experimentDocuments } from './experimentFiles';
import { fixesOf, type ExperimentFix } from './experimentFixes';
import { nameClash, type NamedFile, type NameClash } from './experimentNames';
import { isJson, placeProblems, type PlacedProblem } from './experimentProblems';
import type { ExperimentStandings } from './experimentStandings';
import { ModuleDiagnostics } from '../taskModules/moduleDiagnostics';
import { locationOf } from '../taskModules/sourcePlace';
import { placesIn } from './textPlaces';
import type { WorkspaceExperiment, WorkspaceExperiments } from './workspaceExperiments';

/** Milliseconds between two looks at the names of all files. */
const namesEvery = 300;

/** What is marked in a file, with the text that it was found in. */
interface Marked {
  readonly text: string;
  readonly name: string | undefined;
  readonly problems: readonly ExperimentProblem[];
  readonly clash: NameClash | undefined;
}

/** Marks in experiment files what the engine could not train, in the task modules that they name, and names that two files claim. */
export class ExperimentDiagnostics implements vscode.CodeActionProvider, Disposable {
  private readonly lifetime = new Lifetime();
  private readonly shown = this.lifetime.add(vscode.languages.createDiagnosticCollection('circuits'));
  private readonly modules = this.lifetime.add(new ModuleDiagnostics());
  /** By the texts of their URIs. */
  private readonly marked = new Map<string, Marked & { readonly uri: vscode.Uri }>();

  constructor(private readonly experiments: WorkspaceExperiments, private readonly standings: ExperimentStandings) {
    const names = this.lifetime.add(throttle(() => this.markAll(), namesEvery));
    this.lifetime.add(standings.onChange(file => {
      if (this.hasNews(file)) this.mark(file, names.call);
    }));
    this.lifetime.add(experiments.onChange(({ typed }) => {
      // What somebody types is not two files' name until they rest.
      if (!typed) names.call();
    }));
    this.lifetime.add(vscode.languages.registerCodeActionsProvider(experimentDocuments, this, { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] }));
  }

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range, { diagnostics }: vscode.CodeActionContext): vscode.CodeAction[] {
    const marked = this.marked.get(document.uri.toString());
    const text = document.getText();
    if (marked?.text !== text) return [];
    const action = ({ title, edits }: ExperimentFix, at: vscode.Range, isPreferred: boolean) => {
      const made = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
      made.edit = new vscode.WorkspaceEdit();
      for (const { offset, length, content } of edits) made.edit.replace(document.uri, rangeIn(text, { start: offset, end: offset + length }), content);
      made.diagnostics = diagnostics.filter(diagnostic => diagnostic.source === source && diagnostic.range.isEqual(at));
      made.isPreferred = isPreferred;
      return made;
    };
    const mended = marked.problems.flatMap(problem => {
      const [placed] = placeProblems(text, [problem]);
      const at = rangeIn(text, placed);
      return at.intersection(range) ? fixesOf(text, problem).map((fix, index) => action(fix, at, index === 0)) : [];
    });
    return [...mended, ...renaming(marked.clash).filter(({ at }) => rangeIn(text, at).intersection(range)).map(({ at, fix }) => action(fix, rangeIn(text, at), true))];
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** The names of all files, since a change of one may be about any other. */
  private markAll(): void {
    for (const file of new Set([...this.marked.keys(), ...this.experiments.all.map(each => each.file)])) this.mark(file, () => undefined);
  }

  /** Whether something was found out of the file, or only its model has moved. */
  private hasNews(file: string): boolean {
    const [before, experiment] = [this.marked.get(file), this.experiments.get(file)];
    if (before?.text !== experiment?.text) return true;
    // In a file that nobody edits no problems are marked.
    return experiment?.isOpen === true && before?.problems !== this.standings.of(file)?.standing.problems;
  }

  private mark(file: string, renamed: () => void): void {
    const experiment = this.experiments.get(file);
    if (!experiment || !isJson(experiment.text)) {
      this.unmark(file);
      return;
    }
    const { uri, text, name, isOpen } = experiment;
    const known = this.standings.of(file);
    const isCurrent = isOpen && known?.about === text;
    const before = this.marked.get(file);
    // Until the engine has answered, what was found before moves along with the text; in what is no JSON only VS Code marks.
    if (isOpen && !isCurrent && before) return;
    const problems = isCurrent ? known.standing.problems : [];
    const clash = nameClash(named(experiment), this.experiments.all.map(named));
    this.marked.set(file, { uri, text, name, problems, clash });
    if (before && before.name !== name) renamed();
    this.shown.set(uri, [...placeProblems(text, problems).map(problem => diagnostic(text, problem)), ...(clash ? [warning(text, clash)] : [])]);
    if (!isOpen) this.modules.delete(uri);
    if (!isCurrent) return;
    const [task] = placeProblems(text, [{ path: ['task'], message: '' }]);
    this.modules.set({ uri, task: rangeIn(text, task), problems });
  }

  private unmark(file: string): void {
    const marked = this.marked.get(file);
    this.marked.delete(file);
    if (!marked) return;
    this.shown.delete(marked.uri);
    this.modules.delete(marked.uri);
  }
}

const source = 'Circuits';

function named({ uri, text, name, file }: WorkspaceExperiment): NamedFile {
  return { file, text, name, path: vscode.workspace.asRelativePath(uri) };
}

function renaming(clash: NameClash | undefined): readonly { readonly at: NameClash['span']; readonly fix: ExperimentFix }[] {
  if (clash?.free === undefined) return [];
  const { span: { start, end }, free } = clash;
  return [{ at: clash.span, fix: { title: `Rename to "${free}"`, edits: [{ offset: start, length: end - start, content: JSON.stringify(free) }] } }];
}

function rangeIn(text: string, { start, end }: Pick<PlacedProblem, 'start' | 'end'> = { start: 0, end: 0 }): vscode.Range {
  const place = placesIn(text);
  const [from, to] = [place(start), place(end)];
  return new vscode.Range(from.line, from.character, to.line, to.character);
}

function diagnostic(text: string, problem: PlacedProblem): vscode.Diagnostic {
  const made = new vscode.Diagnostic(rangeIn(text, problem), problem.message, vscode.DiagnosticSeverity.Error);
  made.source = source;
  if (problem.source) made.relatedInformation = [new vscode.DiagnosticRelatedInformation(locationOf(problem.source), 'Where it comes from')];
  return made;
}

function warning(text: string, { span, message }: NameClash): vscode.Diagnostic {
  const made = new vscode.Diagnostic(rangeIn(text, span), message, vscode.DiagnosticSeverity.Warning);
  made.source = source;
  return made;
}
