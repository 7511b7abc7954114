import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../common/errors';
import type { ExperimentText } from '../../protocol/engine';
import { experimentFileLimit } from '../../protocol/experiment';
import { editedSchemes } from '../schemes';

export const experimentSuffix = '.circuit.json';
export const experimentGlob = `**/*${experimentSuffix}`;
/** Experiments in editors. */
export const experimentDocuments: vscode.DocumentSelector = editedSchemes.map(scheme => ({ scheme, pattern: experimentGlob }));

/** More than a quick pick or a tree is good for. */
const mostFiles = 500;

/** The experiment files of the workspace, in the order of their paths. */
export async function findExperiments(): Promise<vscode.Uri[]> {
  const files = await vscode.workspace.findFiles(experimentGlob, '**/node_modules/**', mostFiles);
  return files.sort((a, b) => a.path.localeCompare(b.path));
}

/** Whether it is the file of an experiment that somebody may train. */
export function isExperiment({ path, scheme }: vscode.Uri): boolean {
  return path.endsWith(experimentSuffix) && editedSchemes.includes(scheme) && !path.includes('/node_modules/');
}

/** `modular-subtraction` of `studies/modular-subtraction.circuit.json`. */
export function experimentName(file: vscode.Uri): string {
  const base = file.path.slice(file.path.lastIndexOf('/') + 1);
  return base.endsWith(experimentSuffix) ? base.slice(0, -experimentSuffix.length) : base;
}

/**
 * An experiment's text with the folder that paths in it are seen from: that of its file, or of where it would be saved.
 * Only files of this machine have one.
 */
export function experimentText({ scheme, path, fsPath }: vscode.Uri, text: string): ExperimentText {
  const isHere = (scheme === 'file' || scheme === 'untitled') && path.startsWith('/');
  return isHere ? { text, folder: dirname(fsPath) } : { text };
}

/** The text of an experiment: of its editor, with what has not been saved, or of its file. */
export async function readExperiment(file: vscode.Uri): Promise<string> {
  const open = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === file.toString());
  if (open) return open.getText();
  const { size } = await vscode.workspace.fs.stat(file);
  if (size > experimentFileLimit) throw new UserError(`"${experimentName(file)}" is too large for an experiment file.`);
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
}

/** The file of an experiment that comes with the extension. */
export function bundledExperiment(extensionUri: vscode.Uri, name: string): vscode.Uri {
  return vscode.Uri.joinPath(extensionUri, 'media', 'experiments', `${name}${experimentSuffix}`);
}
