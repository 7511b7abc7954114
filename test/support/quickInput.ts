import type { Locator, Page } from 'playwright-core';
import { anEffect, aTry, eventually } from './eventually';

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
      await this.orCancel(async () => {
        await this.page.keyboard.press('F1');
        await this.input.fill(`>${title}`, aTry);
        await this.row(title).waitFor(aTry);
        await this.choose(title, anEffect.timeout);
      });
      return true;
    });
  }

  /** Opens the palette, to look at what it lists. */
  async openPalette(): Promise<void> {
    await eventually('the palette', async () => {
      await this.page.keyboard.press('F1');
      await this.input.waitFor(aTry);
      return true;
    });
  }

  /** Opens a file of the workspace by its name or the end of its path. */
  async openFile(name: string): Promise<void> {
    const label = name.slice(name.lastIndexOf('/') + 1);
    await eventually(`the file ${name} in the list of files`, async () => {
      await this.orCancel(async () => {
        await this.page.keyboard.press('ControlOrMeta+P');
        await this.input.fill(name, aTry);
        await this.row(label).waitFor(aTry);
        await this.choose(label, anEffect.timeout);
      });
      return true;
    });
  }

  /** Puts the cursor of the editor in front to a place, counted from 1. */
  async goTo(line: number, column: number): Promise<void> {
    await this.orCancel(async () => {
      await this.page.keyboard.press('Control+G');
      await this.input.fill(`:${line}:${column}`, aTry);
      await this.accept(anEffect.timeout);
    });
  }

  /** Waits for the step with this title or beginning of a placeholder, so that nothing is typed into the one before. */
  async shows(titleOrPlaceholder: string, timeoutMilliseconds?: number): Promise<this> {
    await eventually(`a quick input “${titleOrPlaceholder}”`, async () => {
      const title = await this.widget.locator('.quick-input-title').textContent(aTry);
      const placeholder = await this.input.getAttribute('placeholder', aTry);
      return title === titleOrPlaceholder || placeholder?.startsWith(titleOrPlaceholder) ? true : undefined;
    }, timeoutMilliseconds);
    return this;
  }

  /** Acts until it shows the step that this leads to. */
  async askedBy(act: () => Promise<void>, titleOrPlaceholder: string): Promise<void> {
    await eventually(`a quick input “${titleOrPlaceholder}”`, async () => {
      await act();
      return this.shows(titleOrPlaceholder, 40_000);
    });
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
  async choose(label: string, timeoutMilliseconds?: number): Promise<void> {
    const row = this.row(label);
    await this.untilLeft(`the choice of “${label}”`, () => row.click(aTry), timeoutMilliseconds);
  }

  async accept(timeoutMilliseconds?: number): Promise<void> {
    await this.untilLeft('what was typed to be accepted', () => this.input.press('Enter', aTry), timeoutMilliseconds);
  }

  /** Types the answer to the last step and accepts it: a box that is busy ignores Enter, and may complete what was typed. */
  async finishWith(text: string): Promise<void> {
    let isAnswered = false;
    await eventually(`“${text}” to be accepted`, async () => {
      if (isAnswered && !(await this.widget.isVisible())) return true;
      await this.input.fill(text, aTry);
      await this.input.press('Enter', aTry);
      isAnswered = true;
      await this.widget.waitFor({ state: 'hidden', ...anEffect });
      return true;
    });
  }

  async cancel(): Promise<void> {
    await eventually('the quick input to close', async () => {
      if (await this.widget.isVisible()) await this.input.press('Escape', aTry);
      await this.widget.waitFor({ state: 'hidden', ...aTry });
      return true;
    });
  }

  /** Waits for the line below an input box that says what is wrong with the value, or asks for it. */
  async message(expected: string | RegExp): Promise<string> {
    const message = this.widget.locator('.quick-input-message').filter({ hasText: expected });
    await message.waitFor();
    return message.innerText();
  }

  /**
   * Acts until the step is another one or the box is closed. A box that is busy ignores Enter, and a list that is filled
   * anew under the pointer the click.
   */
  private async untilLeft(what: string, act: () => Promise<void>, timeoutMilliseconds?: number): Promise<void> {
    let before: string | undefined;
    await eventually(what, async () => {
      if (before !== undefined && (await this.step()) !== before) return true;
      await this.widget.waitFor(aTry);
      before = await this.step();
      await act();
      return eventually(what, async () => ((await this.step()) !== before ? true : undefined), anEffect.timeout);
    }, timeoutMilliseconds);
  }

  /** What tells a step from the next, '' without a box. */
  private async step(): Promise<string> {
    return this.page.evaluate(() => {
      const widget = [...document.querySelectorAll('.quick-input-widget')].find(each => each.checkVisibility());
      const input = [...widget?.querySelectorAll('input') ?? []].find(each => each.type !== 'checkbox' && each.checkVisibility());
      const texts = ['.quick-input-title', '.quick-input-message'].map(part => widget?.querySelector(part)?.textContent);
      return widget ? JSON.stringify([...texts, input?.placeholder, input?.value]) : '';
    });
  }

  /** Closes the box when the act fails, so that it can begin again. */
  private async orCancel(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      await this.cancel();
      throw error;
    }
  }

  private row(label: string): Locator {
    const name = this.page.locator('.label-name').getByText(label, { exact: true });
    return this.rows.filter({ has: name }).first();
  }
}
