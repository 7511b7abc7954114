import { basename } from 'node:path';
import { mkdirSync } from 'node:fs';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { AxeBuilder } from '@axe-core/playwright';
import type { AnalysisInfo } from '../../src/protocol/analysis';
import type { Figure } from '../../src/protocol/figure';
import type { ModelSummary, ModelWords } from '../../src/protocol/model';
import type { FromPanel, ToPanel } from '../../src/protocol/panel';
import { panelBuildOptions } from '../../webview/build.mjs';
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

type PanelMessage<K extends FromPanel['kind']> = Extract<FromPanel, { kind: K }>;

/** A panel in a real page, under the page policy and the theme of VS Code, with the test as its extension. */
export interface OpenPanel {
  readonly page: Page;
  post(message: ToPanel): Promise<void>;
  /** The first message of a kind that has not been taken yet, as soon as there is one. */
  next<K extends FromPanel['kind']>(kind: K): Promise<PanelMessage<K>>;
  /** Messages of a kind that have not been taken. */
  waiting<K extends FromPanel['kind']>(kind: K): Promise<readonly PanelMessage<K>[]>;
  /** What the page kept for a reload. */
  kept(): Promise<unknown>;
  setTheme(theme: ThemeName): Promise<void>;
  picture(name: string): Promise<void>;
  /** Everything that went wrong in the page: refused by its policy, logged as an error, or thrown. */
  readonly complaints: readonly string[];
  /** Accessibility violations that are serious or worse, as text. */
  violations(): Promise<string[]>;
}

/** Builds the bundle and starts the browser, once for the test file. */
export function usePanels(): { open(options?: { theme?: ThemeName; width?: number; height?: number; reducedMotion?: boolean }): Promise<OpenPanel> } {
  let browser: Browser;
  let files: ReadonlyMap<string, Uint8Array>;
  beforeAll(async () => {
    mkdirSync(pictureFolder, { recursive: true });
    const [built, launched] = await Promise.all([
      build({ ...panelBuildOptions, outdir: 'dist', write: false, logLevel: 'error' }),
      chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: chromiumFlags }),
    ]);
    files = new Map((built.outputFiles ?? []).map(file => [basename(file.path), file.contents]));
    browser = launched;
  }, 60_000);
  afterAll(() => browser.close());

  return {
    async open({ theme = 'lightModern', width = 1000, height = 800, reducedMotion = false } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, reducedMotion: reducedMotion ? 'reduce' : 'no-preference' });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', message => { if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text()); });
      page.on('pageerror', error => complaints.push(error.message));
      await page.route(`${origin}/**`, route => {
        const name = basename(new URL(route.request().url()).pathname);
        const body = name === 'index.html' ? pageText(files) : files.get(name);
        return body === undefined ? route.fulfill({ status: 404 }) : route.fulfill({ body: Buffer.from(body), contentType: contentType(name) });
      });
      await page.addInitScript(extensionSide, { ...themes[theme], defaults: defaultStyles });
      await page.goto(`${origin}/index.html`);
      return driver(page, complaints);
    },
  };
}

function driver(page: Page, complaints: readonly string[]): OpenPanel {
  const waiting: OpenPanel['waiting'] = kind => page.evaluate(kind => globalThis.fromPanel.filter(message => message.kind === kind), kind) as Promise<never>;
  return {
    page,
    complaints,
    waiting,
    post: message => page.evaluate(message => { window.postMessage(message, '*'); }, message),
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
  var fromPanel: FromPanel[];
  var keptState: unknown;
  var applyTheme: (theme: AppliedTheme) => void;
  var acquireVsCodeApi: () => unknown;
}

/** Runs in the page before its own scripts: what VS Code brings to a webview. */
function extensionSide(theme: AppliedTheme & { readonly defaults: string }): void {
  globalThis.fromPanel = [];
  globalThis.acquireVsCodeApi = () => ({
    postMessage: (message: FromPanel) => { globalThis.fromPanel.push(structuredClone(message)); },
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

function pageText(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const values: Readonly<Record<string, string>> = {
    nonce: 'dGVzdA==', cspSource: origin, script: `${origin}/panel.js`, style: `${origin}/panel.css`,
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
export async function drawn({ page }: OpenPanel): Promise<void> {
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true]'));
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}

