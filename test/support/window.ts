import path from 'node:path';
import { chromium, type Browser, type BrowserContext, type Frame, type Locator, type Page } from 'playwright-core';
import { repository } from './installCodeServer.mjs';
import { requireChromium } from './systemPackages.mjs';
import type { CodeServer } from './codeServer.mjs';
import { anEffect, aTry, eventually } from './eventually';
import { QuickInput } from './quickInput';
import { Tree } from './tree';

export type Theme = 'light' | 'dark' | 'high contrast' | 'high contrast light';

/** Each theme's label in VS Code, and the classes by which the workbench and webviews show that it is in force. */
const themes: Record<Theme, { readonly label: string; readonly workbench: string; readonly webview: string }> = {
  light: { label: 'Light 2026', workbench: 'vs', webview: 'vscode-light' },
  dark: { label: 'Dark 2026', workbench: 'vs-dark', webview: 'vscode-dark' },
  'high contrast': { label: 'Dark High Contrast', workbench: 'hc-black', webview: 'vscode-high-contrast' },
  'high contrast light': { label: 'Light High Contrast', workbench: 'hc-light', webview: 'vscode-high-contrast-light' },
};

export interface Problem {
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
}

export interface WindowOptions {
  /** The folder to open, or none for an empty window. */
  readonly folder?: string;
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** One browser window on a code-server, driven as its user would. Every method waits for what it needs. */
export class CodeWindow {
  readonly quickInput: QuickInput;
  /** Requests to anything but the server: nothing should leave the editor. */
  readonly outsideRequests: string[] = [];

  private constructor(
    private readonly server: CodeServer,
    private readonly browser: Browser,
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {
    this.quickInput = new QuickInput(page);
    // Service workers answer for the webviews' resource host; such requests never reach the network.
    const inside = [server.url, 'data:', 'blob:'];
    const resources = /^https:\/\/([^/]+\.)?vscode-resource\.vscode-cdn\.net\//;
    context.on('request', (request) => {
      const url = request.url();
      if (!inside.some((start) => url.startsWith(start)) && !resources.test(url)) this.outsideRequests.push(url);
    });
  }

  static async open(server: CodeServer, options: WindowOptions = {}): Promise<CodeWindow> {
    const browser = await chromium.launch({
      executablePath: requireChromium(),
      args: [
        '--no-sandbox',
        '--disable-background-networking',
        // Whatever would leave the machine fails at once, on every machine alike.
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      ],
    });
    try {
      const context = await browser.newContext({
        viewport: options.viewport ?? { width: 1280, height: 800 },
        reducedMotion: 'reduce',
        permissions: ['clipboard-read', 'clipboard-write'],
      });
      context.setDefaultTimeout(120_000);
      const window = new CodeWindow(server, browser, context, await context.newPage());
      const query = options.folder === undefined ? 'ew=true' : `folder=${encodeURIComponent(options.folder)}`;
      await window.page.goto(`${server.url}?${query}`);
      await window.untilReady();
      return window;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.untilReady();
  }

  async dispose(): Promise<void> {
    await this.browser.close();
  }

  /** Runs the command with this title, category included, from the palette. */
  async palette(commandTitle: string): Promise<void> {
    await this.quickInput.runCommand(commandTitle);
  }

  /** Runs a command that asks, until the first step of its questions shows: what is there may be drawn over it. */
  async ask(commandTitle: string, step: string): Promise<void> {
    await this.quickInput.askedBy(() => this.palette(commandTitle), step);
  }

  /** Brings a view container to the front by its title in the activity bar. */
  async openContainer(title: string): Promise<void> {
    const action = this.page.locator('.activitybar').getByRole('tab', { name: new RegExp(`^${escaped(title)}`) });
    const heading = this.page.locator('.sidebar').getByRole('heading', { name: title }).first();
    // A window that has just been reloaded may put another container in front once more.
    await eventually(`the view container ${title}`, async () => {
      if (await heading.isVisible()) return true;
      if ((await action.getAttribute('aria-selected', aTry)) !== 'true') await action.click(aTry);
      return undefined;
    });
  }

  /** A tree view of the open container. */
  tree(title: string): Tree {
    return new Tree(this.page, title);
  }

  async openFile(name: string): Promise<void> {
    await this.quickInput.openFile(name);
    await this.page.getByRole('tab', { name: path.basename(name), selected: true }).first().waitFor();
  }

  /** Brings an open editor or panel to the front by the title of its tab. */
  async showEditor(title: string): Promise<void> {
    // With several groups a tab says which one it is in.
    const tab = this.page.getByRole('tab', { name: new RegExp(`^${escaped(title)}(,|$)`) });
    await eventually(`the editor ${title} in front`, async () => {
      await tab.first().click(aTry);
      await tab.and(this.page.locator('[aria-selected=true]')).first().waitFor(aTry);
      return true;
    });
  }

  /** Puts the cursor of the editor in front to a place, counted from 1. */
  async goTo(line: number, column: number): Promise<void> {
    await eventually(`the cursor at ${line}:${column}`, async () => {
      await this.quickInput.goTo(line, column);
      await this.statusBarItem(`Ln ${line}, Col ${column}`).waitFor(aTry);
      await this.focusedEditor.waitFor(aTry);
      return true;
    });
  }

  /**
   * Chooses a quick fix at the cursor, until the file is mended. The menu closes when what is marked is marked anew, and is
   * empty before that.
   */
  async quickFix(title: string, isMended: () => Promise<boolean>, picture: string): Promise<void> {
    const fix = this.page.locator('.action-widget').getByText(title, { exact: true });
    await eventually(`the quick fix “${title}”`, async () => {
      try {
        if (await isMended()) return true;
        await this.focusedEditor.waitFor(aTry);
        await this.page.keyboard.press('ControlOrMeta+.');
        await fix.waitFor(aTry);
        await this.screenshot(picture);
        await fix.click(aTry);
      } catch (error) {
        await this.page.keyboard.press('Escape');
        throw error;
      }
      return eventually('the mended file', async () => (await isMended()) || undefined, anEffect.timeout);
    });
  }

  /** Replaces the text of the editor that has the focus, which must not be empty. */
  async replaceText(text: string): Promise<void> {
    const selected = this.statusBarItem(/\([\d,]+ selected\)/);
    // What has just had the focus may still take a key.
    await eventually('the text to be replaced', async () => {
      await this.focusedEditor.waitFor(aTry);
      await this.page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
      await this.page.keyboard.press('ControlOrMeta+A');
      await selected.waitFor(aTry);
      // Pasted, since brackets that are typed bring their closing ones along.
      await this.page.keyboard.press('ControlOrMeta+V');
      await selected.waitFor({ state: 'detached', ...anEffect });
      return true;
    });
  }

  async save(): Promise<void> {
    await eventually('the file to be saved', async () => {
      await this.page.keyboard.press('ControlOrMeta+S');
      await this.page.locator('.editor-group-container.active .tab.active:not(.dirty)').waitFor(anEffect);
      return true;
    });
  }

  /** The titles of the open editors, panels among them. */
  async editorTitles(): Promise<readonly string[]> {
    return this.page.locator('.tabs-container .tab .label-name').allInnerTexts();
  }

  /** The document inside the webview panel with this title, which has to be in view. */
  async webview(title: string): Promise<Frame> {
    return eventually(`a webview “${title}”`, async () => {
      for (const frame of await this.webviewsInView()) {
        if ((await (await frame.frameElement()).getAttribute('title')) === title) return frame;
      }
      return undefined;
    });
  }

  /**
   * Waits for a notification that says this. Its toast hides after ten seconds, and is then found in the notification
   * center. Its buttons are found by role and name in the returned locator; `answer` presses one.
   */
  async notification(text: string | RegExp): Promise<Locator> {
    const shown = this.notificationItem(text);
    await eventually(`a notification that says ${text}`, async () => {
      try {
        await shown.waitFor({ timeout: 10_000 });
      } catch (error) {
        await this.palette('Notifications: Show Notifications');
        if (await appears(shown)) return true;
        // Where the center is open, what comes is no toast.
        await this.palette('Notifications: Hide Notifications');
        throw error;
      }
      return true;
    });
    return shown;
  }

  /** Presses a button of the notification that says this, which closes it. */
  async answer(text: string | RegExp, button: string): Promise<void> {
    let isPressed = false;
    await eventually(`${button} of the notification ${text} to be pressed`, async () => {
      if (isPressed && !(await this.notificationItem(text).isVisible())) return true;
      const shown = await this.notification(text);
      await shown.getByRole('button', { name: button }).click(aTry);
      isPressed = true;
      await shown.waitFor({ state: 'detached', ...anEffect });
      return true;
    });
  }

  async clearNotifications(): Promise<void> {
    await this.palette('Notifications: Clear All Notifications');
    await this.page.locator('.notifications-toasts .notification-list-item').first().waitFor({ state: 'detached' });
  }

  /** Waits for a modal dialog that says this. */
  async dialog(text: string | RegExp): Promise<Locator> {
    const dialog = this.page.getByRole('dialog').filter({ hasText: text });
    await dialog.waitFor();
    return dialog;
  }

  /** The status-bar items whose text this is part of. */
  statusBarItem(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item').filter({ hasText: text });
  }

  /** The problems of the open files, at least one, as the Problems view lists them. */
  async problems(): Promise<readonly Problem[]> {
    const rows = this.page.locator('.markers-panel [role=treeitem][aria-level="2"]');
    await eventually('a problem', async () => {
      await this.palette('Problems: Focus on Problems View');
      await rows.first().waitFor(anEffect);
      return true;
    });
    return rows.evaluateAll((all) =>
      all.map((row) => {
        const place = /Ln (\d+), Col (\d+)/.exec(row.querySelector('.marker-line')?.textContent ?? '');
        const icon = row.querySelector('.marker-icon')?.classList;
        return {
          severity: icon?.contains('error') ? 'error' : icon?.contains('warning') ? 'warning' : 'info',
          message: [...row.querySelectorAll('.marker-message')].map((line) => line.textContent).join('\n'),
          line: Number(place?.[1]),
          column: Number(place?.[2]),
        };
      }),
    );
  }

  async useTheme(theme: Theme): Promise<void> {
    const { label, workbench, webview } = themes[theme];
    await eventually(`the theme ${theme}`, async () => {
      await this.ask('Preferences: Color Theme', 'Select Color Theme');
      await this.quickInput.type(label);
      await this.quickInput.choose(label);
      await this.page.locator(`.monaco-workbench.${workbench}`).waitFor(anEffect);
      return true;
    });
    // A webview may load anew meanwhile.
    await eventually(`the webviews in ${theme}`, async () => {
      for (const frame of await this.webviewsInView()) await frame.locator(`body.${webview}`).waitFor(anEffect);
      return true;
    });
  }

  /** Saves a picture of the whole window as test-results/<name>.png and returns its path. */
  async screenshot(name: string): Promise<string> {
    const file = path.join(repository, 'test-results', `${name}.png`);
    await this.page.screenshot({ path: file, animations: 'disabled' });
    return file;
  }

  /**
   * VS Code puts a webview's document in a frame within a frame. They are looked for among the frames that the driver knows,
   * as the first webview waits for a service worker, which may take half a minute while its page is asked again and again.
   */
  private async webviewsInView(): Promise<readonly Frame[]> {
    const frames: Frame[] = [];
    for (const frame of this.page.frames().filter(each => each.url().includes('/webview/browser/pre/fake.html'))) {
      const outer = await frame.parentFrame()?.frameElement();
      const isShown = (await (await frame.frameElement()).getAttribute('id')) === 'active-frame' && (await outer?.isVisible()) === true;
      if (isShown) frames.push(frame);
    }
    return frames;
  }

  private get focusedEditor(): Locator {
    return this.page.locator('.editor-instance .monaco-editor.focused').first();
  }

  private notificationItem(text: string | RegExp): Locator {
    return this.page.locator('.notifications-toasts, .notifications-center').locator('.notification-list-item').filter({ hasText: text, visible: true }).first();
  }

  private async untilReady(): Promise<void> {
    await this.page.locator('.monaco-workbench .statusbar-item').first().waitFor();
  }
}

async function appears(locator: Locator): Promise<boolean> {
  return locator.waitFor(aTry).then(() => true, () => false);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
