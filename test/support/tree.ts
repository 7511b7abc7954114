import type { Locator, Page } from 'playwright-core';
import { anEffect, aTry, eventually } from './eventually';

export interface TreeRow {
  readonly label: string;
  /** The dimmed text after the label; '' where there is none. */
  readonly description: string;
  /** 1 for the roots. */
  readonly level: number;
  /** Undefined for a leaf. */
  readonly expanded: boolean | undefined;
  /** What a screen reader says. */
  readonly spoken: string;
}

/**
 * A tree view in the side bar, found by its title. A row is named by the labels that lead to it: `row('array-update',
 * 'Layer 0', 'L0H1')`. Every method waits for the row and opens what leads to it.
 */
export class Tree {
  private readonly pane: Locator;
  /** What holds the rows that are drawn: those in view and a few around them. */
  private readonly sheet: Locator;

  constructor(
    private readonly page: Page,
    private readonly title: string,
  ) {
    const header = page.locator(`.pane-header[aria-label=${JSON.stringify(`${title} Section`)}]`);
    this.pane = page.locator('.pane', { has: header });
    this.sheet = this.pane.locator('.monaco-list-rows').first();
  }

  /** Every row, after waiting for the first. */
  async rows(): Promise<readonly TreeRow[]> {
    await this.sheet.locator('.monaco-list-row').first().waitFor();
    return this.sheet.evaluate(scrollThrough, null);
  }

  async row(...path: readonly string[]): Promise<TreeRow> {
    return this.atRow(path, async (_locator, row) => row);
  }

  async expand(...path: readonly string[]): Promise<void> {
    await eventually(`${this.named(path)} to open`, async () => {
      await this.atRow(path, async (locator, row) => {
        if (row.expanded === false) await locator.locator('.monaco-tl-twistie').click(aTry);
      });
      return eventually('the rows below', async () => (await this.row(...path)).expanded || undefined, anEffect.timeout);
    });
  }

  async click(...path: readonly string[]): Promise<void> {
    await this.atRow(path, (locator) => locator.click(aTry));
  }

  /** Chooses from the row's context menu. */
  async contextMenu(path: readonly string[], action: string): Promise<void> {
    await this.atRow(path, async (locator) => {
      await locator.click({ button: 'right', ...aTry });
      await this.menuItems.filter({ has: this.page.getByText(action, { exact: true }) }).hover(aTry);
      // A menu that has just opened ignores the mouse button, so that the click that opened it chooses nothing.
      await this.page.keyboard.press('Enter');
      await this.menuItems.first().waitFor({ state: 'detached', ...aTry });
    });
  }

  /** Reads the titles in the row's context menu and closes it. */
  async contextMenuTitles(...path: readonly string[]): Promise<readonly string[]> {
    return this.atRow(path, async (locator) => {
      await locator.click({ button: 'right', ...aTry });
      await this.menuItems.first().waitFor(aTry);
      const titles = await this.menuItems.locator('.action-label').allInnerTexts();
      await this.page.keyboard.press('Escape');
      await this.menuItems.first().waitFor({ state: 'detached', ...aTry });
      return titles;
    });
  }

  /** Presses one of the buttons that appear in the row under the pointer. */
  async inlineAction(path: readonly string[], action: string): Promise<void> {
    await this.atRow(path, async (locator) => {
      await locator.hover(aTry);
      const button = locator.getByRole('button', { name: action });
      await button.click({ trial: true, ...aTry });
      // A row that is drawn anew has new buttons: one that goes between the mouse button's two events loses the click.
      await button.dispatchEvent('click', undefined, aTry);
    });
  }

  /** The text that the view shows while it has no rows. */
  async welcome(): Promise<string> {
    const welcome = this.pane.locator('.welcome-view-content');
    await welcome.waitFor();
    return welcome.innerText();
  }

  private get menuItems(): Locator {
    return this.page.locator('.monaco-menu').getByRole('menuitem');
  }

  private named(path: readonly string[]): string {
    return `the row “${path.join(' › ')}” of the view ${this.title}`;
  }

  /** Does something with a row once it is there and in view; again from the search when the tree changes meanwhile. */
  private async atRow<Result>(
    path: readonly string[],
    act: (locator: Locator, row: TreeRow) => Promise<Result>,
  ): Promise<Result> {
    if (path.length > 1) await this.expand(...path.slice(0, -1));
    const { result } = await eventually(this.named(path), async () => {
      const rows = await this.rows();
      const index = indexAt(path, rows);
      const row = rows[index];
      if (row === undefined) return undefined;
      await this.sheet.evaluate(scrollThrough, index);
      const label = this.page.locator('.label-name').getByText(row.label, { exact: true });
      const locator = this.sheet.locator(`.monaco-list-row[data-index="${index}"]`).filter({ has: label });
      return { result: await act(locator, row) };
    });
    return result;
  }
}

/**
 * Returns the index of the row at the end of the path, or -1, in a list of rows where children follow their parent one
 * level deeper.
 */
function indexAt(path: readonly string[], rows: readonly TreeRow[]): number {
  let parent = -1;
  for (const [depth, label] of path.entries()) {
    const level = depth + 1;
    const siblingsEnd = rows.findIndex((row, index) => index > parent && row.level < level);
    const found = rows.findIndex((row, index) => index > parent && row.level === level && row.label === label);
    if (found === -1 || (siblingsEnd !== -1 && found > siblingsEnd)) return -1;
    parent = found;
  }
  return parent;
}

/**
 * Runs in the page: scrolls from the top until the row with the index `until` is wholly in view, or to the end, and
 * returns the rows that it saw. The list draws a row only when it comes near.
 */
function scrollThrough(sheet: Element, until: number | null): TreeRow[] {
  const rows = new Map<number, TreeRow>();
  const view = sheet.closest('.monaco-list') ?? sheet;
  const inOrder = () => [...rows].sort(([one], [other]) => one - other).map(([, row]) => row);

  // VS Code reads the wheel's older `wheelDelta`, which in a made-up event has the sign of `deltaY` and in a real one
  // the opposite. The list has scrolled, though not exactly so far, and drawn its rows when the event returns.
  const turnWheel = (distance: number) =>
    sheet.dispatchEvent(new WheelEvent('wheel', { deltaY: -distance, bubbles: true, cancelable: true }));

  turnWheel(-1_000_000);
  for (;;) {
    const frame = view.getBoundingClientRect();
    for (const row of sheet.querySelectorAll('.monaco-list-row')) {
      const expanded = row.getAttribute('aria-expanded');
      const index = Number(row.getAttribute('data-index'));
      rows.set(index, {
        label: row.querySelector('.label-name')?.textContent ?? '',
        description: row.querySelector('.label-description')?.textContent ?? '',
        level: Number(row.getAttribute('aria-level')),
        expanded: expanded === null ? undefined : expanded === 'true',
        spoken: row.getAttribute('aria-label') ?? '',
      });
      const { top, bottom } = row.getBoundingClientRect();
      if (index === until && top >= frame.top && bottom <= frame.bottom) return inOrder();
    }
    const { top, bottom } = sheet.getBoundingClientRect();
    if (bottom <= frame.bottom + 1) return inOrder();
    turnWheel(frame.height);
    if (sheet.getBoundingClientRect().top === top) return inOrder();
  }
}
