/** The report's look, light and dark. Text keeps a contrast of at least 4.5 to 1 on its background in both. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --surface: #ffffff; --ink: #1c2330; --quiet: #5a6475; --line: #dfe3ea; --grid: #e9ecf1;
  --accent: #3450d1; --band: linear-gradient(120deg, #1f2a5c, #3a49b5 60%, #5a58cf); --missing: #c9ced8; --problem: #b3261e; --found: #dfe6ff;
  --s0: #2f5fd8; --s1: #c8500a; --s2: #0c7a5b; --s3: #8a35c9; --s4: #9a6a00; --s5: #b3246b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12151c; --card: #1a1f29; --surface: #1a1f29; --ink: #e5e9f0; --quiet: #a1abbd; --line: #2d3543; --grid: #262d39;
    --accent: #9db0ff; --band: linear-gradient(120deg, #171d3d, #262f70 60%, #3b3a86); --missing: #3d4757; --problem: #ff9e95; --found: #2b3666;
    --s0: #7ea6ff; --s1: #ff9d5c; --s2: #4fd1a5; --s3: #cf9bff; --s4: #e6c15a; --s5: #ff8dbd;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
.width { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
code, pre { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .92em; }
header { background: var(--band); color: #fff; padding: 40px 0 34px; }
.product { margin: 0; font-size: 12px; letter-spacing: .14em; text-transform: uppercase; color: #d4daff; }
h1 { margin: 4px 0 6px; font-size: 34px; line-height: 1.2; font-weight: 650; overflow-wrap: anywhere; }
.subtitle { margin: 0; color: #e4e8ff; max-width: 110ch; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 26px 0 0; }
.tiles div { background: rgb(8 12 48 / .38); border: 1px solid rgb(255 255 255 / .16); border-radius: 10px; padding: 10px 14px; }
.tiles dt { font-size: 12.5px; color: #d4daff; }
.tiles dd { margin: 0; font-size: 21px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
nav { padding: 26px 0 4px; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav > ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 18px 24px; }
nav > ul > li { font-size: 12.5px; letter-spacing: .06em; text-transform: uppercase; color: var(--quiet); border-top: 2px solid var(--line); padding-top: 6px; }
nav li li { font-size: 15px; letter-spacing: 0; text-transform: none; }
nav .finding, nav .problem { display: block; font-size: 12.5px; line-height: 1.35; color: var(--quiet); background: none; padding: 0; }
a { color: var(--accent); text-underline-offset: 3px; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
section { padding: 34px 0 6px; }
h2 { margin: 0; font-size: 24px; line-height: 1.3; }
.analysis { margin: 10px 0 0; border-top: 1px solid var(--line); }
.analysis > summary { width: auto; padding: 10px 0; color: var(--ink); }
.analysis > summary:hover h3 { text-decoration: underline; text-underline-offset: 4px; }
.analysis > summary h3 { display: inline; font-size: 18px; font-weight: 600; }
.analysis > summary > span { margin-left: 10px; font-size: 13.5px; }
.inside { scroll-margin-top: 56px; padding-bottom: 10px; }
.finding { color: var(--ink); background: var(--found); border-radius: 6px; padding: 2px 9px; }
.left-out { color: var(--quiet); font-size: 13.5px; margin: 4px 0; }
.description { margin: 0 0 18px; color: var(--quiet); max-width: 80ch; }
.problem { color: var(--problem); }
.figures { display: flex; flex-wrap: wrap; gap: 20px; margin-bottom: 20px; }
.figure { flex: 1 1 100%; min-width: 0; margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px 14px; break-inside: avoid; }
.figure.narrow { flex: 1 1 310px; }
.figure > figcaption h4 { margin: 0; font-size: 16.5px; }
.figure > figcaption p { margin: 2px 0 0; color: var(--quiet); }
.picture { margin-top: 12px; overflow-x: auto; }
svg { display: block; width: 100%; height: auto; font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
.chart { min-width: 480px; }
@media (max-width: 760px) { .chart, .chart .axis { font-size: 14px; } }
.pixels { image-rendering: pixelated; }
.surface { fill: var(--surface); }
.frame { fill: none; stroke: var(--line); }
.missing { fill: var(--missing); opacity: .45; }
.cell { fill: transparent; }
.cell:hover { stroke: var(--ink); stroke-width: 1.5; }
.tick { fill: var(--quiet); font-variant-numeric: tabular-nums; }
.axis { fill: var(--ink); font-size: 12px; }
.middle { text-anchor: middle; }
.end { text-anchor: end; }
.value { pointer-events: none; font-variant-numeric: tabular-nums; }
.ink { fill: var(--ink); } .on-dark { fill: #fff; } .on-light { fill: #10141d; }
.grid { stroke: var(--grid); } .baseline { stroke: var(--quiet); stroke-width: 1; }
.line { fill: none; stroke: var(--series); stroke-width: 1.8; stroke-linejoin: round; stroke-dasharray: var(--dash, none); }
.dot, .bar { fill: var(--series); }
.mark { fill: var(--quiet); opacity: .75; } .mark.leader { stroke: var(--quiet); }
.mark-label { fill: var(--ink); stroke: var(--card); stroke-width: 3px; paint-order: stroke; stroke-linejoin: round; }
.s0 { --series: var(--s0); } .s1 { --series: var(--s1); } .s2 { --series: var(--s2); } .s3 { --series: var(--s3); } .s4 { --series: var(--s4); } .s5 { --series: var(--s5); }
.d1 { --dash: 7 3; } .d2 { --dash: 2.5 2.5; } .d3 { --dash: 9 3 2 3; } .d4 { --dash: 4 2; } .d5 { --dash: 12 4; }
.edge { fill: none; stroke-linecap: round; opacity: .75; } .edge.positive { stroke: var(--s0); } .edge.negative { stroke: var(--s1); stroke-dasharray: 6 5; }
.node { fill: var(--card); stroke: var(--quiet); }
.network .link { fill: none; stroke: var(--quiet); stroke-width: 1.25; } .network .marked { stroke: var(--s0); stroke-width: 2.5; } .network .link.marked { stroke-width: 5; stroke-linecap: round; }
.network .shaft { fill: none; stroke: var(--s1); } .network .tip { fill: var(--s1); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; align-items: center; margin: 0 0 8px; padding: 0; list-style: none; font-size: 13px; color: var(--quiet); }
.legend li { display: flex; align-items: center; gap: 7px; } .legend b { color: var(--ink); font-variant-numeric: tabular-nums; }
.key { width: auto; flex: none; }
.heads { display: flex; flex-wrap: wrap; gap: 14px 22px; margin-bottom: 14px; }
.head { margin: 0; flex: 1 1 230px; max-width: 330px; } .head.few { flex-basis: 320px; max-width: 490px; }
.head figcaption { font-size: 13px; font-weight: 600; margin-bottom: 4px; }
.scalars, .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 0 26px; margin: 0 0 20px; }
.scalars div, .facts div { display: flex; justify-content: space-between; gap: 14px; border-bottom: 1px solid var(--line); padding: 6px 0; }
.scalars dt span { display: block; font-size: 12.5px; color: var(--quiet); }
.scalars dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts dt { color: var(--quiet); min-width: 0; overflow-wrap: anywhere; } .facts dd { margin: 0; min-width: 45%; text-align: right; overflow-wrap: anywhere; }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--quiet); width: max-content; max-width: 100%; }
.values a { display: inline-block; margin-top: 6px; font-size: 13.5px; }
.scroll { overflow: auto; max-height: 420px; margin-top: 8px; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; background: var(--card); text-align: left; font-weight: 600; }
th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); white-space: nowrap; } .number { text-align: right; }
section > details:not(.analysis) table th { background: var(--page); }
pre { margin: 0; padding: 14px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; width: max-content; min-width: 100%; }
footer { padding: 22px 24px 46px; color: var(--quiet); font-size: 13px; }
@media print { .scroll { max-height: none; } .analysis::details-content { display: block; content-visibility: visible; block-size: auto; } }
`;
