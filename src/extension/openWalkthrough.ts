import * as vscode from 'vscode';

/** Opens *Get Started with Circuits*. */
export async function openWalkthrough({ id }: vscode.Extension<unknown>): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${id}#getStarted`, false);
}
