import { basename, join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { AxeBuilder } from '@axe-core/playwright';
import type { AnalysisInfo } from '../../src/protocol/analysis';
import type { FromCheckpointPage, ToCheckpointPage } from '../../src/protocol/checkpointPage';
import type { Figure } from '../../src/protocol/figure';
import type { ModelSummary, ModelWords } from '../../src/protocol/model';
import type { FromPanel, ToPanel } from '../../src/protocol/panel';
import type { FromSweepPanel, ToSweepPanel } from '../../src/protocol/sweepPanel';
import darkModern from './themes/darkModern.json';
import highContrast from './themes/highContrast.json';
import lightModern from './themes/lightModern.json';

/** What VS Code 1.139 sets in a webview, of the variables that the panel reads. */
export const themes = { lightModern, darkModern, highContrast };
export type ThemeName = keyof typeof themes;
export const themeNames: readonly ThemeName[] = ['lightModern', 'darkModern', 'highContrast'];

const origin = 'https://panel.test';
const chromiumFlags = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
];
const pictureFolder = new URL('../../test-results/webview/', import.meta.url).pathname;

type AnyMessage = FromPanel | FromSweepPanel | FromCheckpointPage;

/** A panel in a real page, under the page policy and the theme of VS Code, with the test as its extension. */
export interface OpenPage<From extends AnyMessage, To> {
  readonly page: Page;
  post(message: To): Promise<void>;
  /** The first message of a kind that has not been taken yet, as soon as there is one. */
  next<K extends From['kind']>(kind: K): Promise<Extract<From, { kind: K }>>;
  /** Messages of a kind that have not been taken. */
  waiting<K extends From['kind']>(kind: K): Promise<readonly Extract<From, { kind: K }>[]>;
  /** What the page kept for a reload. */
  kept(): Promise<unknown>;
  setTheme(theme: ThemeName): Promise<void>;
  picture(name: string): Promise<void>;
  /** Everything that went wrong in the page: refused by its policy, logged as an error, or thrown. */
  readonly complaints: readonly string[];
  /** Accessibility violations that are serious or worse, as text. */
  violations(): Promise<string[]>;
}
/** That of an analysis. */
export type OpenPanel = OpenPage<FromPanel, ToPanel>;
export type OpenSweep = OpenPage<FromSweepPanel, ToSweepPanel>;
export type OpenFile = OpenPage<FromCheckpointPage, ToCheckpointPage>;

interface PageOptions {
  readonly theme?: ThemeName;
  readonly width?: number;
  readonly height?: number;
  readonly reducedMotion?: boolean;
  /** What the page kept before a reload. */
  readonly kept?: unknown;
}

/** Starts the browser, once for the test file, on the page that `bundle.ts` has built. */
export function usePanels(): {
  open(options?: PageOptions): Promise<OpenPanel>; openSweep(options?: PageOptions): Promise<OpenSweep>; openFile(options?: PageOptions): Promise<OpenFile>;
} {
  let browser: Browser;
  let files: ReadonlyMap<string, Uint8Array>;
  beforeAll(async () => {
    mkdirSync(pictureFolder, { recursive: true });
    const folder = inject('panelFolder');
    files = new Map(await Promise.all((await readdir(folder)).map(async name => [name, await readFile(join(folder, name))] as const)));
    browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: chromiumFlags });
  }, 60_000);
  afterAll(() => browser.close());
  // What goes on in a page would slow down those of the next tests.
  const contexts: BrowserContext[] = [];
  afterEach(async () => { await Promise.all(contexts.splice(0).map(context => context.close())); });

  const openPage = async <From extends AnyMessage, To>(
    panel: 'analysis' | 'sweep' | 'checkpoint', { theme = 'lightModern', width = 1000, height = 800, reducedMotion = false, kept }: PageOptions = {},
  ): Promise<OpenPage<From, To>> => {
    const context = await browser.newContext({ viewport: { width, height }, reducedMotion: reducedMotion ? 'reduce' : 'no-preference' });
    contexts.push(context);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', message => { if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text()); });
    page.on('pageerror', error => complaints.push(error.message));
    await page.route(`${origin}/**`, route => {
      const name = basename(new URL(route.request().url()).pathname);
      const body = name === 'index.html' ? pageText(files, panel) : files.get(name);
      return body === undefined ? route.fulfill({ status: 404 }) : route.fulfill({ body: Buffer.from(body), contentType: contentType(name) });
    });
    await page.addInitScript(extensionSide, { ...themes[theme], defaults: defaultStyles, kept });
    await page.goto(`${origin}/index.html`);
    return driver(page, complaints);
  };
  return { open: options => openPage('analysis', options), openSweep: options => openPage('sweep', options), openFile: options => openPage('checkpoint', options) };
}

function driver<From extends AnyMessage, To>(page: Page, complaints: readonly string[]): OpenPage<From, To> {
  const waiting: OpenPage<From, To>['waiting'] = kind => page.evaluate(kind => globalThis.fromPanel.filter(message => message.kind === kind), kind) as Promise<never>;
  return {
    page,
    complaints,
    waiting,
    post: message => page.evaluate(message => { window.postMessage(message, '*'); }, message as unknown),
    async next(kind) {
      await page.waitForFunction(kind => globalThis.fromPanel.some(message => message.kind === kind), kind);
      return await page.evaluate(kind => {
        const index = globalThis.fromPanel.findIndex(message => message.kind === kind);
        return globalThis.fromPanel.splice(index, 1)[0];
      }, kind) as never;
    },
    kept: () => page.evaluate(() => globalThis.keptState),
    setTheme: theme => page.evaluate(theme => globalThis.applyTheme(theme), themes[theme]),
    async picture(name) {
      await page.screenshot({ path: `${pictureFolder}${name}.png`, fullPage: true });
    },
    async violations() {
      const { violations } = await new AxeBuilder({ page }).analyze();
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(node => `${node.html.slice(0, 160)} (${node.failureSummary ?? ''})`).join('\n')}`);
    },
  };
}

interface AppliedTheme {
  readonly bodyClass: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

declare global {
  var fromPanel: AnyMessage[];
  var keptState: unknown;
  var applyTheme: (theme: AppliedTheme) => void;
  var acquireVsCodeApi: () => unknown;
}

/** Runs in the page before its own scripts: what VS Code brings to a webview. */
function extensionSide(theme: AppliedTheme & { readonly defaults: string; readonly kept: unknown }): void {
  globalThis.fromPanel = [];
  globalThis.keptState = theme.kept;
  globalThis.acquireVsCodeApi = () => ({
    postMessage: (message: AnyMessage) => { globalThis.fromPanel.push(structuredClone(message)); },
    getState: () => globalThis.keptState,
    setState: (state: unknown) => { globalThis.keptState = state; },
  });
  globalThis.applyTheme = ({ bodyClass, variables }) => {
    const root = document.documentElement;
    root.removeAttribute('style');
    for (const [name, value] of Object.entries(variables)) root.style.setProperty(name, value ?? '');
    document.body.className = bodyClass;
  };
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(theme.defaults);
  document.addEventListener('readystatechange', () => {
    if (document.readyState !== 'interactive') return;
    document.adoptedStyleSheets = [sheet];
    globalThis.applyTheme(theme);
  });
}

/** The style that VS Code gives every webview before its own. */
const defaultStyles = `
  html { scrollbar-color: var(--vscode-scrollbarSlider-background) var(--vscode-editor-background); }
  body {
    overscroll-behavior-x: none; background-color: var(--vscode-editor-background); color: var(--vscode-editor-foreground);
    font-family: var(--vscode-font-family); font-weight: var(--vscode-font-weight); font-size: var(--vscode-font-size);
    margin: 0; padding: 0 20px;
  }
  img, video { max-width: 100%; max-height: 100%; }
`;

function pageText(files: ReadonlyMap<string, Uint8Array>, panel: string): Uint8Array {
  const values: Readonly<Record<string, string>> = {
    nonce: 'dGVzdA==', cspSource: origin, script: `${origin}/panel.js`, style: `${origin}/panel.css`, panel,
  };
  const template = Buffer.from(files.get('panel.html') ?? new Uint8Array()).toString();
  return Buffer.from(template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? ''));
}

function contentType(name: string): string {
  const types: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css', ttf: 'font/ttf' };
  return types[name.split('.').pop() ?? ''] ?? 'application/octet-stream';
}

export const model: ModelSummary = {
  id: 'a1b2c3', name: 'array-update', task: 'array-update', status: 'finished', progress: { step: 1000, steps: 1000 },
  metrics: { trainLoss: 0.002, testLoss: 0.003, testAccuracy: 0.9996 }, n_layers: 1, n_heads: 2, attn_only: true,
  createdAt: 0, path: '/models/a1b2c3', resumable: false,
};

/** A task of three numbers and their sum. */
export const words: ModelWords = {
  positions: ['a', 'b', '=', 'answer'], answerPositions: [2], vocabulary: ['0', '1', '2', '3', '4', '='], corruptions: ['another a', 'another b'],
};

export const analysis: AnalysisInfo = {
  id: 'attention',
  title: 'Attention',
  description: 'Where each head looks: weights from destination to source positions.',
  group: 'Attention',
  params: {},
  scalars: {},
  badges: false,
  live: false,
  atCheckpoint: true,
};

/** Shows figures as the extension would: the panel's state, then a result. */
export async function showFigures(panel: OpenPanel, figures: readonly Figure[], over: Partial<Extract<ToPanel, { kind: 'show' }>> = {}): Promise<void> {
  await panel.next('ready');
  await panel.post({
    kind: 'show', state: { model: model.id, analysis: analysis.id, params: {} }, analysis, model, words, applicable: [analysis], checkpoints: [], ...over,
  });
  await panel.post({ kind: 'result', partial: false, result: { figures, scalars: {} } });
  await panel.page.locator('section.figure').nth(figures.length - 1).waitFor();
  await drawn(panel);
}

/** Resolves once every chart on the page has been drawn. */
export async function drawn({ page }: Pick<OpenPanel, 'page'>): Promise<void> {
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}

