import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { fillPage } from './panelPage';

/** What the page of a panel shows. */
export type PageKind = 'analysis' | 'sweep' | 'checkpoint';

/** The page that all panels have, made for each of them. */
export class WebviewPages {
  private readonly folder: vscode.Uri;
  private readonly icon: vscode.Uri;
  private template: Promise<string> | undefined;

  constructor(extensionUri: vscode.Uri) {
    this.folder = vscode.Uri.joinPath(extensionUri, 'dist');
    this.icon = vscode.Uri.joinPath(extensionUri, 'media', 'panel.svg');
  }

  /** A panel beside the text that is being edited, or in the group of `neighbour`. Its page comes later. */
  create(type: string, preserveFocus: boolean, neighbour: vscode.WebviewPanel | undefined): vscode.WebviewPanel {
    const viewColumn = neighbour?.viewColumn ?? (vscode.window.activeTextEditor ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active);
    return vscode.window.createWebviewPanel(type, 'Circuits', { viewColumn, preserveFocus }, this.options());
  }

  /** Makes a panel that VS Code has brought back, or has made for a file, like those that are created. */
  prepare(panel: vscode.WebviewPanel): void {
    panel.webview.options = this.options();
  }

  /** Gives the panel its page once it is `titled`; what VS Code is told while a page loads is lost. */
  async fill(panel: vscode.WebviewPanel, kind: PageKind, titled: Promise<void>, isGone: () => boolean): Promise<void> {
    // An editor of a file has the icon of its file.
    if (kind !== 'checkpoint') panel.iconPath = this.icon;
    const [page] = await Promise.all([this.page(panel.webview, kind), titled]);
    if (!isGone()) panel.webview.html = page;
  }

  private options(): vscode.WebviewPanelOptions & vscode.WebviewOptions {
    return { enableScripts: true, enableForms: false, enableFindWidget: false, localResourceRoots: [this.folder] };
  }

  private async page(webview: vscode.Webview, panel: PageKind): Promise<string> {
    const file = (name: string) => vscode.Uri.joinPath(this.folder, name);
    this.template ??= Promise.resolve(vscode.workspace.fs.readFile(file('panel.html'))).then(bytes => new TextDecoder().decode(bytes));
    return fillPage(await this.template, {
      nonce: randomBytes(16).toString('base64url'),
      cspSource: webview.cspSource,
      script: webview.asWebviewUri(file('panel.js')).toString(),
      style: webview.asWebviewUri(file('panel.css')).toString(),
      panel,
    });
  }
}
