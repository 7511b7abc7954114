import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser } from 'playwright-core';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportPage } from '../../../../src/cli/report/page';
import { requireChromium } from '../../../support/systemPackages.mjs';
import { sampleReport } from './sampleReport';

describe('the report', () => {
  let browser: Browser;
  let folder: string;
  let address: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'report-'));
    const file = path.join(folder, 'report.html');
    await writeFile(file, reportPage(sampleReport()));
    address = pathToFileURL(file).href;
    browser = await chromium.launch({ executablePath: requireChromium(), args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  test.each(['light', 'dark'] as const)('is accessible and complete as a file in %s', async colorScheme => {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1200, height: 900 } });
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', message => complaints.push(message.text()));
    page.on('pageerror', error => complaints.push(error.message));
    page.on('request', request => requests.push(request.url()));
    await page.goto(address);

    await page.locator('details').evaluateAll(all => all.forEach(details => details.setAttribute('open', '')));
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => ({ id, targets: nodes.map(node => node.html) }))).toEqual([]);
    expect(complaints).toEqual([]);
    expect(requests.filter(url => !url.startsWith('data:'))).toEqual([address]);
    expect(await page.locator('script, img, iframe, link').count()).toBe(0);
    expect(await page.locator('h1').innerText()).toBe('array-update <script>alert(1)</script>');
    await context.close();
  }, 30_000);

  test('unfolds what a link leads to', async () => {
    const page = await browser.newPage();
    await page.goto(address);
    const folded = page.getByText('What "Others" shows & why.');
    expect(await folded.isVisible()).toBe(false);
    await page.getByRole('navigation').getByRole('link', { name: 'Others' }).click();
    await folded.waitFor({ state: 'visible' });
    await page.close();
  });

  test('unfolds every analysis on paper, but no table of values', async () => {
    const page = await browser.newPage();
    await page.goto(address);
    await page.emulateMedia({ media: 'print' });
    const shown = (selector: string) => page.locator(selector).evaluateAll(all => all.map(element => element.checkVisibility({ contentVisibilityAuto: true })));
    await page.waitForFunction(() => [...document.querySelectorAll('.inside')].every(element => element.checkVisibility({ contentVisibilityAuto: true })));
    expect((await shown('.inside')).length).toBe(6);
    expect(await shown('.values .scroll')).not.toContain(true);
    await page.close();
  });

  test('lists the analyses in their groups, with what each found', async () => {
    const page = await browser.newPage();
    await page.goto(address);
    const contents = page.getByRole('navigation').locator('> ul > li');
    expect((await contents.allInnerTexts()).map(text => text.toLowerCase().split(/\s*\n\s*/))).toEqual([
      ['training', 'training curves'],
      ['attention', 'attention'],
      ['weights', 'broken', 'could not be shown', 'composition', 'composes through the <keys>'],
      ['interventions', 'patching', 'others', 'nothing else'],
      ['model', 'configuration and parameters'],
    ]);
    // The first of each group that has something to show.
    expect(await page.locator('details.analysis[open] > summary h3').allInnerTexts()).toEqual(['Training curves', 'Attention', 'Composition', 'Patching']);
    await page.close();
  });

  test('fits a narrow window', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 700 } });
    await page.goto(address);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    await page.close();
  });
});
