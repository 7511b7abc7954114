import type { AnalysisResult, Compared } from '../protocol/analysis';
import { checkFigure, type Figure } from '../protocol/figure';
import { onCommonScale } from './commonScale';
import { difference, type Names } from './difference';

/** A result beside what the same analysis gave of another model or checkpoint, in colours that can be compared. */
export function compare(one: AnalysisResult, other: AnalysisResult, names: Names): AnalysisResult {
  const partners = matched(one.figures, other.figures);
  const pairs = one.figures.map((figure, at) => {
    const partner = other.figures[partners[at] ?? -1];
    return partner ? inOneScale(figure, partner) : [figure, null] as const;
  });
  const differences = togetherScaled(one.figures, pairs.map(([figure, partner]) => (partner ? difference(figure, partner, names) : [])));
  differences.flat().forEach(checkFigure);
  const compared: Compared = {
    names,
    figures: pairs.map(([, partner]) => partner),
    differences,
    others: other.figures.filter((_, at) => !partners.includes(at)),
    scalars: other.scalars,
    ...(other.finding !== undefined && { finding: other.finding }),
  };
  return { ...one, figures: pairs.map(([figure]) => figure), comparison: compared };
}

/**
 * Which figure of `others` shows the same as each of `figures`: one of its kind with its title, at its place if it can be;
 * or the one of its kind at its place whose title differs in numbers only, as a count that was found does.
 */
export function matched(figures: readonly Figure[], others: readonly Figure[]): readonly (number | undefined)[] {
  const taken = new Set<number>();
  const take = (fits: (other: Figure) => boolean, places: readonly number[]): number | undefined => {
    const found = places.find(place => !taken.has(place) && others[place] !== undefined && fits(others[place]));
    if (found !== undefined) taken.add(found);
    return found;
  };
  const everywhere = others.map((_, place) => place);
  const partners: (number | undefined)[] = figures.map(() => undefined);
  const pass = (places: (at: number) => readonly number[], titleOf: (title: string) => string) => figures.forEach((figure, at) => {
    partners[at] ??= take(other => other.kind === figure.kind && titleOf(other.title) === titleOf(figure.title), places(at));
  });
  pass(at => [at], title => title);
  pass(() => everywhere, title => title);
  pass(at => [at], title => title.replace(/[-−]?\d[\d.,]*(e[-−]?\d+)?/g, '#'));
  return partners;
}

/** The pair, heatmaps in colours that end at the same value. */
function inOneScale(one: Figure, other: Figure): readonly [Figure, Figure] {
  if (one.kind !== 'heatmap' || other.kind !== 'heatmap') return [one, other];
  const least = Math.max(one.reach ?? 0, other.reach ?? 0);
  const hasSigns = [one, other].some(({ values, scale }) => scale === 'diverging' || values.some(value => value < 0));
  const scale = hasSigns ? 'diverging' : 'sequential';
  const [first = one, second = other] = onCommonScale([{ ...one, scale }, { ...other, scale }], least);
  return [first, second];
}

/** What is drawn of the differences of `figures`; those of heatmaps that are read together are on one scale again. */
function togetherScaled(figures: readonly Figure[], differences: readonly (readonly Figure[])[]): readonly (readonly Figure[])[] {
  const readTogether = figures.map(figure => figure.kind === 'heatmap' && figure.reach !== undefined);
  const heatmaps = differences.flatMap((drawn, at) => readTogether[at] ? drawn.filter(each => each.kind === 'heatmap') : []);
  const reach = onCommonScale(heatmaps)[0]?.reach;
  if (reach === undefined) return differences;
  return differences.map((drawn, at) => readTogether[at] ? drawn.map(each => each.kind === 'heatmap' ? { ...each, reach } : each) : drawn);
}
