import { formatNumber, formatPercent, formatSeconds } from '../../common/numbers';
import { sourceText } from '../../engine/words/source';
import { byAnalysisGroup, type AnalysisInfo, type AnalysisResult } from '../../protocol/analysis';
import type { MetricName, ModelDetails } from '../../protocol/model';
import { drawFigure, drawTable } from './figure';
import { markup, Markup } from './markup';
import { Pieces } from './pieces';
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

/** Bytes that a page may have, so that it can be sent by mail and opened at once. */
const pageLimit = 6_000_000;

/**
 * One self-contained page: no scripts, nothing loaded, the figures drawn into it. What would make it larger than `limit`
 * bytes gives way to a sentence.
 */
export function reportPage(report: Report, limit = pageLimit): string {
  const pieces = new Pieces();
  return pieces.fill(drawPage(report, pieces), limit);
}

function drawPage(report: Report, pieces: Pieces): string {
  const { details, sections } = report;
  const { summary } = details;
  const groups = byAnalysisGroup(sections, ({ analysis }) => analysis.group);
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
  ${drawContents(groups)}
  ${groups.map(group => drawGroup(group, pieces))}
  ${drawModel(details, pieces)}
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
  const start = `${summary.attn_only ? 'An' : 'A'} ${kind} of ${layers} with ${heads} each`;
  if (summary.source) return `${start}, ${sourceText(summary.source)}; its task is ${experiment.task.name}.`;
  const { step, steps } = summary.progress;
  const done = step === steps ? `${formatNumber(step)} steps` : `${formatNumber(step)} of ${formatNumber(steps)} steps (${summary.status})`;
  return `${start}, trained on ${experiment.task.name} for ${done}, seed ${experiment.seed}.`;
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

type Group = ReturnType<typeof byAnalysisGroup<ReportSection>>[number];

function drawContents(groups: readonly Group[]): Markup {
  return markup`<nav aria-label="Contents"><ul>${groups.map(({ group, members }) => markup`<li>${group}<ul>${
    members.map(({ analysis, outcome }) => markup`<li><a href="#${analysis.id}">${analysis.title}</a>${drawFinding(outcome)}</li>`)
  }</ul></li>`)}<li>Model<ul><li><a href="#model">Configuration and parameters</a></li></ul></li></ul></nav>`;
}

/** The first analysis of a group that has something to show is open; the others unfold. */
function drawGroup({ group: name, members: sections }: Group, pieces: Pieces): Markup {
  const first = sections.find(({ outcome }) => !('problem' in outcome));
  return markup`<section>
    <h2>${name}</h2>
    ${sections.map(section => drawSection(section, section === first, pieces))}
  </section>`;
}

/** The place that links lead to lies inside of what folds, so that a browser unfolds it. */
function drawSection({ analysis, outcome }: ReportSection, open: boolean, pieces: Pieces): Markup {
  return markup`<details class="analysis"${open ? new Markup(' open') : undefined}><summary><h3>${analysis.title}</h3>${drawFinding(outcome)}</summary>
    <div id="${analysis.id}" class="inside">
    <p class="description">${analysis.description}</p>
    ${'problem' in outcome ? markup`<p class="problem">${outcome.problem}</p>` : [drawScalars(analysis, outcome), markup`<div class="figures">${outcome.figures.map(figure => drawFigure(figure, pieces))}</div>`]}
    </div></details>`;
}

function drawFinding(outcome: ReportSection['outcome']): Markup | undefined {
  if ('problem' in outcome) return markup` <span class="problem">could not be shown</span>`;
  return outcome.finding === undefined ? undefined : markup` <span class="finding">${outcome.finding}</span>`;
}

function drawScalars(analysis: AnalysisInfo, { scalars }: AnalysisResult): Markup | undefined {
  const names = Object.keys(scalars);
  if (names.length === 0) return undefined;
  return markup`<dl class="scalars">${names.map(name => markup`<div><dt>${name}<span>${analysis.scalars[name] ?? ''}</span></dt><dd>${formatNumber(scalars[name] ?? 0)}</dd></div>`)}</dl>`;
}

function drawModel({ config, parameters, experiment, summary: { source } }: ModelDetails, pieces: Pieces): Markup {
  const table = {
    columns: ['parameter', 'shape', 'values', 'trained'],
    rows: parameters.map(({ name, shape, trainable }) => [name, shape.join(' × ') || '1', shape.reduce((a, b) => a * b, 1), trainable ? 'yes' : 'no']),
  };
  const whence = { title: source ? 'Source' : 'Experiment', value: source ?? experiment };
  const whenceText = markup`<div class="scroll" role="group" aria-label="${whence.title}" tabindex="0"><pre>${JSON.stringify(whence.value, undefined, 2)}</pre></div>`;
  const tooMany = markup`<p class="left-out">Left out, because the page would be too large; <code>circuits show --json</code> has all of it.</p>`;
  return markup`<section id="model">
    <h2>Model</h2>
    <dl class="facts">${Object.entries(config).map(([name, value]) => markup`<div><dt><code>${name}</code></dt><dd>${factOf(value)}</dd></div>`)}</dl>
    <details><summary>Parameters</summary>${pieces.place('values', drawTable(table, 'Parameters'), tooMany)}</details>
    <details><summary>${whence.title}</summary>${pieces.place('values', whenceText, tooMany)}</details>
  </section>`;
}

function factOf(value: unknown): string {
  if (value === null) return 'none';
  if (value === true) return 'yes';
  if (value === false) return 'no';
  if (typeof value === 'number') return formatNumber(value);
  return typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') || 'none' : JSON.stringify(value);
}
