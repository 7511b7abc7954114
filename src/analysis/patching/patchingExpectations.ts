import { UserError } from '../../common/errors';
import { unknownName } from '../../common/nearest';
import type { ModelConfig } from '../../protocol/config';
import type { Task } from '../../tasks/task';
import { positionOf } from '../../tasks/words';
import { headOf } from '../heads';
import { headActivations, type HeadActivation, type Site } from './patching';

/** Sites that should carry the answer together, under a name. */
export interface ExpectedCircuit {
  readonly name: string;
  readonly sites: readonly Site[];
}

/**
 * Reads circuits such as `keys: z 0.0 elt, k 1.0 elt | queries: q 1.0 answer`: an activation, a head and a position each.
 * @throws UserError for a site that is written otherwise, or a head or position that does not exist.
 */
export function expectedSites(
  text: string, { task, config, answer }: { readonly task: Pick<Task, 'positions'>; readonly config: ModelConfig; readonly answer: number },
): readonly ExpectedCircuit[] {
  return parts(text, '|').map(circuit => {
    const colon = circuit.indexOf(':');
    const name = circuit.slice(0, Math.max(0, colon)).trim();
    const sites = parts(circuit.slice(colon + 1), ',');
    if (sites.length === 0) throw new UserError(`The circuit "${name}" names no site; write an activation, a head and a position, as in "z 0.0 elt".`);
    return {
      name,
      sites: sites.map(site => {
        const [, activation = '', head = '', position = ''] = /^(\S+)\s+(L?\d+[.H]\d+)\s+(.+)$/.exec(site) ?? [];
        if (activation === '') throw new UserError(`"${site}" is not a site; write an activation, a head and a position, as in "z 0.0 elt".`);
        if (!isHeadActivation(activation)) throw unknownName('activation of a head', activation, headActivations);
        return { activation, ...headOf(config, head), position: position === 'answer' ? answer : positionOf(task, position) };
      }),
    };
  });
}

/** How the sites of a sweep compare with what was expected. */
export function judgeSites(
  circuits: readonly ExpectedCircuit[], sites: readonly Site[], recovered: ArrayLike<number>,
): { readonly scalars: Readonly<Record<string, number>>; readonly finding?: string } {
  // The residual stream carries everything, and an attention output what its heads do: neither says which part it is.
  const shares = sites.flatMap((site, at) => (isHeadActivation(site.activation) ? [{ site, share: recovered[at] ?? 0 }] : []));
  const largest = shares.length > 0 ? { largest: Math.max(...shares.map(({ share }) => share)) } : {};
  if (circuits.length === 0) return { scalars: largest };
  const judged = circuits.map(({ name, sites: expected }, index) => {
    const [inside, outside] = [expected.map(wanted => shares.find(({ site }) => isSame(site, wanted))), shares.filter(({ site }) => !expected.some(wanted => isSame(site, wanted)))];
    const missing = inside.findIndex(found => !found);
    if (missing >= 0) throw new UserError('The expected sites are of heads by position; patch by position, and every head, to look for them.');
    return {
      name, circuit: index + 1,
      least: Math.min(...inside.flatMap(found => found?.share ?? [])),
      elsewhere: Math.max(0, ...outside.map(({ share }) => share)),
    };
  });
  const [best] = judged.toSorted((a, b) => b.least - a.least);
  if (!best) return { scalars: largest };
  const { name, circuit, least, elsewhere } = best;
  return { scalars: { ...largest, circuit, least, elsewhere }, ...(name !== '' && { finding: name }) };
}

function isSame(a: Site, b: Site): boolean {
  return a.activation === b.activation && a.layer === b.layer && a.head === b.head && a.position === b.position;
}

function isHeadActivation(text: string): text is HeadActivation {
  return headActivations.some(activation => activation === text);
}

function parts(text: string, separator: string): string[] {
  return text.split(separator).map(part => part.trim()).filter(part => part !== '');
}
