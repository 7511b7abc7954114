import * as vscode from 'vscode';
import { withoutIcons, withoutLinks } from './format';

// The one place where VS Code is given messages: it makes links of `[text](command:…)` in any of them and icons of `$(name)` in the
// status bar and in progress, while names of files, models, claims and breakpoints come from files that nobody may have read.

export function showInformation<Button extends string>(message: string, ...buttons: readonly Button[]): Thenable<Button | undefined> {
  return vscode.window.showInformationMessage(withoutLinks(message), ...buttons);
}

export function showWarning<Button extends string>(message: string, ...buttons: readonly Button[]): Thenable<Button | undefined> {
  return vscode.window.showWarningMessage(withoutLinks(message), ...buttons);
}

export function showError<Button extends string>(message: string, ...buttons: readonly Button[]): Thenable<Button | undefined> {
  return vscode.window.showErrorMessage(withoutLinks(message), ...buttons);
}

/** Asks before something is done. */
export async function confirmed(question: string, detail: string, action: string): Promise<boolean> {
  return (await vscode.window.showWarningMessage(withoutLinks(question), { modal: true, detail }, action)) === action;
}

/** Says it in the status bar, behind a codicon of this name. */
export function showInStatusBar(icon: string, text: string, milliseconds = 10_000): void {
  vscode.window.setStatusBarMessage(`$(${icon}) ${withoutIcons(text)}`, milliseconds);
}

/** Shows that work is under way for as long as it is. Its signal is aborted when the user cancels it. */
export function withProgress<Result>(
  title: string,
  work: (signal: AbortSignal, report: (message: string) => void) => Promise<Result>,
  shownAs: 'cancellable' | 'notification' | 'status bar' = 'cancellable',
): Thenable<Result> {
  const location = shownAs === 'status bar' ? vscode.ProgressLocation.Window : vscode.ProgressLocation.Notification;
  const plain = (text: string) => withoutIcons(withoutLinks(text));
  return vscode.window.withProgress({ location, title: plain(title), cancellable: shownAs === 'cancellable' }, async (progress, token) => {
    const controller = new AbortController();
    const cancelling = token.onCancellationRequested(() => controller.abort());
    try {
      return await work(controller.signal, message => progress.report({ message: plain(message) }));
    } finally {
      cancelling.dispose();
    }
  });
}
