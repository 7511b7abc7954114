import type { ModelConfig } from '../protocol/config';
import type { TableFigure } from '../protocol/figure';
import { onCommonScale } from './commonScale';
import { measuresOf } from './answerMeasures';
import { attributeSites } from './patching/attributedSites';
import { pearson } from './patching/correlation';
import { defineAnalysis } from './define';
import { allHeads, componentName, headOf } from './heads';
import { pairParameters, pairPositions, promptPairs } from './pairs';
import { patchSites, type Site } from './patching/patching';
import { activationTitles, allSweeps, headSweeps, sweepFigures, type Sweep } from './patching/patchingSweeps';
import { attributedLines, disagreementLines, estimateLines, pairLines, sweepLines } from './python/patching';

/** How many sites the table of disagreements names. */
const mostRows = 20;

/**
 * Attribution patching (Nanda 2023, "Attribution patching: activation patching at industrial scale"): what activation patching
 * would give to first order, for all sites at the cost of one backward pass.
 */
export const attributionPatching = defineAnalysis({
  id: 'attribution-patching',
  title: 'Attribution patching',
  description: 'Estimates activation patching by gradients: for each site, the gradient of the metric in the corrupted run times what would change there; beside it the exact patching.',
  group: 'Interventions',
  params: {
    ...pairParameters,
    head: { kind: 'head', title: 'Head', description: 'Show this head alone.', default: '' },
    exact: { kind: 'boolean', title: 'Exact too', description: 'Also patch every site, to compare; on a large model this takes far longer than the estimate.', default: true },
  },
  scalars: {
    largest: 'largest estimated share of one site of a head',
    correlation: 'correlation of the estimate with exact patching, over the sites of heads (Pearson; 0 where one of them is the same everywhere)',
    largestError: 'largest distance of the estimate from exact patching, over the sites of heads',
    cleanDifference: 'logit of the clean answer less that of the corrupted one, in the clean run; where answers are numbers, the number predicted there',
    corruptedDifference: 'the same in the corrupted run',
  },
  needsAnswers: true,
  appliesTo: () => true,
  python(context, { head, exact, ...wanted }) {
    const pairs = promptPairs(context, wanted);
    const sweeps = sweepsOf(context.details.config, head, pairPositions(context.task, pairs));
    const sweep = sweeps[exact ? Math.floor(context.index / 2) : context.index];
    if (!sweep) return [...pairLines(pairs), ...disagreementLines(sweeps, mostRows)];
    return [...pairLines(pairs), ...(exact && context.index % 2 === 1 ? sweepLines(sweep) : [...estimateLines, ...attributedLines(sweep)])];
  },
  async run(context, { head, exact: wantsExact, ...wanted }) {
    const { details: { config }, model, task, signal } = context;
    const pairs = promptPairs(context, wanted);
    const positions = pairPositions(task, pairs);
    const { between } = measuresOf(task);
    const sweeps = sweepsOf(config, head, positions);
    const sites = sweeps.flatMap(sweep => sweep.sites);
    const share = (from: number, to: number) => ({ signal, progress: (fraction: number) => context.progress(from + fraction * (to - from)) });

    const { recovered: estimates, clean, corrupted } = await attributeSites(model, pairs, sites, share(0, wantsExact ? 0.1 : 1));
    const estimated = sweepFigures(sweeps, estimates, { caption: `Estimated share of ${between} that a patch would bring back, by gradients.`, scalar: 'largest' });
    const ofHeads = sites.flatMap(({ head }, at) => (head === undefined ? [] : [at]));
    const of = (values: Float64Array) => ofHeads.map(at => values[at] ?? 0);
    const scalars = { largest: Math.max(...of(estimates)), cleanDifference: clean, corruptedDifference: corrupted };
    if (!wantsExact) return { figures: estimated, scalars };

    const { recovered } = await patchSites(model, pairs, sites, share(0.1, 1));
    const exact = sweepFigures(sweeps, recovered, { caption: `Share of ${between} that the patch brings back: 0 as corrupted, 1 as clean.` });
    const [xs, ys] = [of(recovered), of(estimates)];
    const figures = estimated.flatMap((figure, at) => [figure, ...exact.slice(at, at + 1).map(other => ({ ...other, title: `${other.title}, exact` }))]);
    return {
      figures: [...onCommonScale(figures), disagreements(sites, estimates, recovered, positions)],
      scalars: { ...scalars, correlation: pearson(xs, ys) ?? 0, largestError: Math.max(...xs.map((x, at) => Math.abs(x - (ys[at] ?? 0)))) },
    };
  },
});

function sweepsOf(config: ModelConfig, head: string, positions: readonly string[]): readonly Sweep[] {
  return head === '' ? allSweeps(config, allHeads(config), positions) : headSweeps([headOf(config, head)], positions);
}

function disagreements(sites: readonly Site[], estimates: Float64Array, exact: Float64Array, positions: readonly string[]): TableFigure {
  const order = sites.map((site, at) => ({ site, estimate: estimates[at] ?? 0, exact: exact[at] ?? 0 }))
    .toSorted((a, b) => Math.abs(b.estimate - b.exact) - Math.abs(a.estimate - a.exact)).slice(0, mostRows);
  return {
    kind: 'table', title: 'Where they differ most', scalar: 'correlation',
    caption: 'Sites by the distance of the estimate from exact patching, in shares of what the clean run has more.',
    columns: [
      { title: 'Site', numeric: false }, { title: 'Position', numeric: false },
      { title: 'Estimate', numeric: true }, { title: 'Exact', numeric: true }, { title: 'Difference', numeric: true },
    ],
    rows: order.map(({ site, estimate, exact }) => [siteName(site), positions[site.position ?? -1] ?? '', estimate, exact, estimate - exact]),
    subjects: order.map(({ site: { layer, head, position } }) => ({ layer, ...(head !== undefined && { head }), ...(position !== undefined && { position }) })),
  };
}

function siteName({ activation, layer, head }: Site): string {
  return `${activationTitles[activation]} ${head === undefined ? layer : componentName({ layer, head })}`;
}
