import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import type { CodeServer } from '../support/codeServer.mjs';
import { aTry, eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';

/** The extension in a window, as its user meets it. */
export class Circuits {
  readonly models;

  constructor(private readonly window: CodeWindow, private readonly server: CodeServer) {
    this.models = window.tree('Models');
  }

  open(): Promise<void> {
    return this.window.openContainer('Circuits');
  }

  /** Starts a training of a bundled experiment from the palette. */
  async train(experiment: string, steps: number): Promise<void> {
    const { quickInput } = this.window;
    await this.window.ask('Circuits: Train Model…', 'Train Model');
    await quickInput.choose(experiment);
    await quickInput.shows('Train now');
    await quickInput.choose('Steps');
    await quickInput.message('Steps');
    await quickInput.type(String(steps));
    await quickInput.accept();
    await quickInput.shows('Train now');
    await quickInput.choose('Train Now');
  }

  /** Answers the dialog for a file once it has offered a name of its own. */
  async saveAs(offered: RegExp, file: string): Promise<void> {
    const { quickInput } = this.window;
    await eventually(`the name ${offered}`, async () => (offered.test(await quickInput.value()) ? true : undefined));
    await quickInput.finishWith(file);
  }

  /** Waits until the row of the model says this. */
  async untilModelSays(model: string, pattern: RegExp): Promise<void> {
    const says = async () => (pattern.test((await this.models.row(model)).description) ? true : undefined);
    await eventually(`${model} to say ${pattern}`, says, 240_000);
  }

  /** The attention panel of a model, with its figure drawn. */
  async attention(model: string): Promise<Frame> {
    const panel = await this.window.webview(`Attention: ${model}`);
    await panel.getByRole('radio', { name: 'L0H0' }).waitFor();
    return panel;
  }

  /** Chooses from the menu of a button in a panel, which closes when the panel is drawn anew. */
  async fromMenu(panel: Frame, button: string, item: string): Promise<void> {
    const entry = panel.getByRole('menuitem', { name: item });
    await eventually(`${item} in the menu ${button}`, async () => {
      if (!(await entry.isVisible())) await panel.getByRole('button', { name: button }).first().click(aTry);
      await entry.click(aTry);
      return true;
    });
  }

  /** What the extension has logged in all windows of the server. */
  async log(): Promise<string> {
    const logs: string[] = [];
    for await (const file of glob('logs/**/*Circuits.log', { cwd: this.server.userDataFolder })) {
      logs.push(await readFile(path.join(this.server.userDataFolder, file), 'utf8'));
    }
    return logs.join('\n');
  }
}
