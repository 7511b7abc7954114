import type { Locator, Page } from 'playwright-core';
import { eventually } from './eventually';

export interface QuickPickItem {
  readonly label: string;
  /** '' where there is none, as for `detail`. */
  readonly description: string;
  readonly detail: string;
}

/** VS Code's box at the top of the window: the palette, quick picks and input boxes. */
export class QuickInput {
  private readonly widget: Locator;
  private readonly input: Locator;
  private readonly rows: Locator;

  constructor(private readonly page: Page) {
    this.widget = page.locator('.quick-input-widget:visible');
    this.input = this.widget.locator('.quick-input-filter input:visible').first();
    this.rows = this.widget.locator('.quick-input-list .monaco-list-row');
  }

  /**
   * Runs a command as a person does. Asks again while the command is not listed: extensions contribute theirs some time
   * after the window is drawn, and the list does not grow while it is open.
   */
  async runCommand(title: string): Promise<void> {
    await eventually(`the command “${title}” in the palette`, async () => {
      await this.page.keyboard.press('F1');
      await this.input.fill(`>${title}`, { timeout: 2000 });
      const row = this.row(title);
      try {
        await row.waitFor({ timeout: 2000 });
        await row.click({ timeout: 2000 });
        return true;
      } catch (error) {
        await this.cancel();
        throw error;
      }
    });
  }

  /** Opens a file of the workspace by its name or the end of its path. */
  async openFile(name: string): Promise<void> {
    await this.page.keyboard.press('ControlOrMeta+P');
    await this.input.fill(name);
    await this.choose(name.slice(name.lastIndexOf('/') + 1));
  }

  /** Waits for the step with this title or beginning of a placeholder, so that nothing is typed into the one before. */
  async shows(titleOrPlaceholder: string): Promise<this> {
    await eventually(`a quick input “${titleOrPlaceholder}”`, async () => {
      const title = await this.widget.locator('.quick-input-title').textContent();
      const placeholder = await this.input.getAttribute('placeholder');
      return title === titleOrPlaceholder || placeholder?.startsWith(titleOrPlaceholder) ? true : undefined;
    });
    return this;
  }

  /** Replaces what is in the box. */
  async type(text: string): Promise<void> {
    await this.input.fill(text);
  }

  async value(): Promise<string> {
    return this.input.inputValue();
  }

  /** The items on show, after waiting for the first; a long list shows only those that fit. */
  async items(): Promise<readonly QuickPickItem[]> {
    await this.rows.first().waitFor();
    return this.rows.evaluateAll((rows) =>
      rows.map((row) => {
        const text = (selector: string) => row.querySelector(selector)?.textContent ?? '';
        return {
          label: text('.quick-input-list-row > .monaco-icon-label .label-name'),
          description: text('.quick-input-list-row > .monaco-icon-label .label-description'),
          detail: text('.quick-input-list-label-meta'),
        };
      }),
    );
  }

  /** Picks the item with exactly this label. */
  async choose(label: string): Promise<void> {
    await this.row(label).click();
  }

  async accept(): Promise<void> {
    await this.input.press('Enter');
  }

  async cancel(): Promise<void> {
    if (await this.widget.isVisible()) await this.page.keyboard.press('Escape');
    await this.widget.waitFor({ state: 'hidden' });
  }

  /** Waits for the line below an input box that says what is wrong with the value, or asks for it. */
  async message(expected: string | RegExp): Promise<string> {
    const message = this.widget.locator('.quick-input-message').filter({ hasText: expected });
    await message.waitFor();
    return message.innerText();
  }

  private row(label: string): Locator {
    const name = this.page.locator('.label-name').getByText(label, { exact: true });
    return this.rows.filter({ has: name }).first();
  }
}
