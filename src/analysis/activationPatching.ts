import { UserError } from '../common/errors';
import type { ModelConfig } from '../protocol/config';
import { measuresOf } from './answerMeasures';
import { defineAnalysis } from './define';
import { allHeads, headOf } from './heads';
import { pairParameters, pairPositions, promptPairs } from './pairs';
import { patchSites } from './patching/patching';
import { pairLines, sweepLines } from './python/patching';
import { expectedSites, judgeSites } from './patching/patchingExpectations';
import { allSweeps, headSweeps, layerSweep, sweepFigures, wholeHeadSweep, type Sweep } from './patching/patchingSweeps';

const sweeps = ['by position', 'layers by position', 'whole heads', 'residual stream'] as const;

/**
 * Activation patching (Meng et al. 2022; TransformerLens' `patching`): what of the clean run, put into the corrupted one,
 * brings the clean answer back.
 */
export const activationPatching = defineAnalysis({
  id: 'activation-patching',
  title: 'Activation patching',
  description: 'Carries activations from a clean run into a corrupted one and shows how much of the clean answer each brings back.',
  group: 'Interventions',
  params: {
    ...pairParameters,
    patch: { kind: 'choice', title: 'Patch', description: 'What is carried over: everything by position, layers without their heads, each head at all positions, or the residual stream alone.', options: sweeps, default: 'by position' },
    head: { kind: 'head', title: 'Head', description: 'Patch this head alone; empty for all of them.', default: '' },
    expected: {
      kind: 'text', title: 'Expected sites', default: '',
      description: 'Sites that should carry the answer, as in "keys: z 0.0 elt, k 1.0 elt"; several such circuits are separated by "|". "answer" stands for the position where the answer is read.',
    },
  },
  scalars: {
    largest: 'largest share of the clean answer that one site of a head brings back',
    least: 'smallest share that an expected site brings back',
    elsewhere: 'largest share that a site of a head brings back which is not expected; 0 where none brings any back',
    circuit: 'which of the expected circuits was found, from 1: the one whose sites bring back most',
    cleanDifference: 'logit of the clean answer less that of the corrupted one, in the clean run; where answers are numbers, the number predicted there',
    corruptedDifference: 'the same in the corrupted run',
  },
  needsAnswers: true,
  appliesTo: () => true,
  python(context, { patch, head, expected: _, ...wanted }) {
    const pairs = promptPairs(context, wanted);
    const sweep = sweepsOf(context.details.config, head, patch, pairPositions(context.task, pairs))[context.index];
    return sweep ? [...pairLines(pairs), ...sweepLines(sweep)] : { reason: 'nothing there patches that' };
  },
  async run(context, { patch, head, expected, ...wanted }) {
    const { details: { config }, model, task, signal } = context;
    const pairs = promptPairs(context, wanted);
    const [pair] = pairs;
    if (!pair) throw new Error('there is no pair');
    const all = sweepsOf(config, head, patch, pairPositions(task, pairs));
    const sites = all.flatMap(sweep => sweep.sites);
    const circuits = expectedSites(expected, { task, config, answer: pair.position });
    const { recovered, clean, corrupted } = await patchSites(model, pairs, sites, { signal, progress: fraction => context.progress(fraction) });

    const { scalars, finding } = judgeSites(circuits, sites, recovered);
    const shown = ['least', 'largest'].find(name => Object.hasOwn(scalars, name));
    const figures = sweepFigures(all, recovered, {
      caption: `Share of ${measuresOf(task).between} that the patch brings back: 0 as corrupted, 1 as clean.`,
      ...(shown !== undefined && { scalar: shown }),
    });
    return { figures, scalars: { ...scalars, cleanDifference: clean, corruptedDifference: corrupted }, ...(finding !== undefined && { finding }) };
  },
});

/** @throws UserError for a head that does not exist, or where what is patched is not of heads. */
function sweepsOf(config: ModelConfig, head: string, patch: string, positions: readonly string[]): readonly Sweep[] {
  const heads = head === '' ? allHeads(config) : [headOf(config, head)];
  if (head !== '' && (patch === 'residual stream' || patch === 'layers by position')) {
    throw new UserError(`"${patch}" patches nothing of a single head; choose "by position" or "whole heads", or no head.`);
  }
  switch (patch) {
    case 'residual stream': return [layerSweep(config, 'resid_pre', positions)];
    case 'layers by position': return allSweeps(config, [], positions).filter(({ sites }) => sites.length > 0);
    case 'whole heads': return [wholeHeadSweep(heads)];
    default: return head === '' ? allSweeps(config, heads, positions) : headSweeps(heads, positions);
  }
}
