import type { AnalysisInfo, AnalysisResult } from '../../protocol/analysis';
import type { MetricName, ModelDetails } from '../../protocol/model';
import { formatNumber, formatPercent, formatSeconds } from '../numbers';
import { drawFigure, drawTable } from './figure';
import { markup, Markup } from './markup';
import { style } from './style';

export interface ReportSection {
  readonly analysis: AnalysisInfo;
  /** What it showed, or why it could not. */
  readonly outcome: AnalysisResult | { readonly problem: string };
}

export interface Report {
  readonly details: ModelDetails;
  readonly sections: readonly ReportSection[];
  /** Seconds of training. */
  readonly seconds: number;
  readonly version: string;
  readonly madeAt: Date;
}

/** One self-contained page: no scripts, nothing loaded, the figures drawn into it. */
export function reportPage(report: Report): string {
  const { details, sections } = report;
  const { summary } = details;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${summary.name} · Circuit Explorer</title>
<style>${new Markup(style)}</style>
</head>
<body>
<header><div class="width">
  <p class="product">Circuit Explorer</p>
  <h1>${summary.name}</h1>
  <p class="subtitle">${sentenceOf(details)}</p>
  ${drawTiles(report)}
</div></header>
<main class="width">
  ${sections.length > 1 ? drawContents(sections) : undefined}
  ${sections.map(drawSection)}
  ${drawModel(details)}
</main>
<footer class="width">Made by Circuit Explorer ${report.version} on ${report.madeAt.toISOString().slice(0, 16).replace('T', ' ')} UTC · model <code>${summary.id}</code></footer>
</body>
</html>
`.text;
}

function sentenceOf({ summary, config, experiment }: ModelDetails): string {
  const layers = `${config.n_layers} ${config.n_layers === 1 ? 'layer' : 'layers'}`;
  const heads = `${config.n_heads} ${config.n_heads === 1 ? 'head' : 'heads'}`;
  const kind = summary.attn_only ? 'attention-only transformer' : 'transformer';
  const { step, steps } = summary.progress;
  const done = step === steps ? `${formatNumber(step)} steps` : `${formatNumber(step)} of ${formatNumber(steps)} steps (${summary.status})`;
  return `${summary.attn_only ? 'An' : 'A'} ${kind} of ${layers} with ${heads} each, trained on ${experiment.task.name} for ${done}, seed ${experiment.seed}.`;
}

const metricTitles = {
  testAccuracy: 'test accuracy',
  testExactMatch: 'examples right whole',
  testLoss: 'test loss',
  trainLoss: 'training loss',
} satisfies Record<MetricName, string>;

function drawTiles({ details: { summary, parameters }, seconds }: Report): Markup {
  const tiles: [string, string][] = [];
  for (const [name, title] of Object.entries(metricTitles) as [MetricName, string][]) {
    const value = summary.metrics[name];
    if (value !== undefined) tiles.push([title, name.endsWith('Loss') ? formatNumber(value) : formatPercent(value)]);
  }
  const size = parameters.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
  tiles.push(['parameters', formatNumber(size)]);
  if (seconds > 0) tiles.push(['training time', formatSeconds(seconds)]);
  return markup`<dl class="tiles">${tiles.map(([title, value]) => markup`<div><dt>${title}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function drawContents(sections: readonly ReportSection[]): Markup {
  return markup`<nav aria-label="Contents"><ul>${sections.map(({ analysis }) => markup`<li><a href="#${analysis.id}">${analysis.title}</a></li>`)}<li><a href="#model">Model</a></li></ul></nav>`;
}

function drawSection({ analysis, outcome }: ReportSection): Markup {
  return markup`<section id="${analysis.id}">
    <h2>${analysis.title}</h2>
    <p class="description">${analysis.description}</p>
    ${'problem' in outcome ? markup`<p class="problem">${outcome.problem}</p>` : [drawScalars(analysis, outcome), outcome.figures.map(drawFigure)]}
  </section>`;
}

function drawScalars(analysis: AnalysisInfo, { scalars }: AnalysisResult): Markup | undefined {
  const names = Object.keys(scalars);
  if (names.length === 0) return undefined;
  return markup`<dl class="scalars">${names.map(name => markup`<div><dt>${name}<span>${analysis.scalars[name] ?? ''}</span></dt><dd>${formatNumber(scalars[name] ?? 0)}</dd></div>`)}</dl>`;
}

function drawModel({ config, parameters, experiment }: ModelDetails): Markup {
  const table = {
    columns: ['parameter', 'shape', 'values', 'trained'],
    rows: parameters.map(({ name, shape, trainable }) => [name, shape.join(' × ') || '1', shape.reduce((a, b) => a * b, 1), trainable ? 'yes' : 'no']),
  };
  return markup`<section id="model">
    <h2>Model</h2>
    <dl class="facts">${Object.entries(config).map(([name, value]) => markup`<div><dt><code>${name}</code></dt><dd>${factOf(value)}</dd></div>`)}</dl>
    <details><summary>Parameters</summary>${drawTable(table, 'Parameters')}</details>
    <details><summary>Experiment</summary><div class="scroll" role="group" aria-label="Experiment" tabindex="0"><pre>${JSON.stringify(experiment, undefined, 2)}</pre></div></details>
  </section>`;
}

function factOf(value: unknown): string {
  if (value === null) return 'none';
  if (value === true) return 'yes';
  if (value === false) return 'no';
  if (typeof value === 'number') return formatNumber(value);
  return typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') || 'none' : JSON.stringify(value);
}
