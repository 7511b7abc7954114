import { UserError } from '../common/errors';
import type { ModelConfig } from '../protocol/config';
import type { BarsFigure, HeatmapFigure } from '../protocol/figure';
import { measuresOf } from './answerMeasures';
import { onCommonScale } from './commonScale';
import { defineAnalysis } from './define';
import { componentsOf, headOf } from './heads';
import { pairParameters, pairPositions, promptPairs } from './pairs';
import { patchPaths, senderName, sendersBefore, type PathRow, type Receiver, type Sender } from './patching/patchedPaths';
import { pathPatchingLines } from './python/paths';

const inputs = { queries: 'q', keys: 'k', values: 'v' } as const;
type Input = keyof typeof inputs;
const inputNames: readonly Input[] = ['queries', 'keys', 'values'];

/**
 * Path patching (Wang et al. 2022, "Interpretability in the wild"; Goldowsky-Dill et al. 2023): what a sender tells a receiver
 * directly, through the residual stream alone, and how much of the clean answer that brings back.
 */
export const pathPatching = defineAnalysis({
  id: 'path-patching',
  title: 'Path patching',
  description: 'Carries what a head, an MLP or the embedding writes from a clean run into one input of one head, or into the logits, by the direct path alone.',
  group: 'Interventions',
  params: {
    ...pairParameters,
    receiver: { kind: 'head', title: 'Receiver', description: 'The head that is told. Leave it empty for the logits.', default: '', otherwise: 'Logits' },
    input: { kind: 'choice', title: 'Input', description: 'Which input of the receiving head: what it looks for, what it is found by, or what it copies.', options: inputNames, default: 'queries' },
    senders: { kind: 'components', title: 'Senders', description: 'Heads and MLPs that tell it, as in "0.0, mlp 0". Leave it empty for all that come before it, and the embedding.', default: '' },
    throughMlps: { kind: 'boolean', title: 'Through MLPs', description: 'Whether MLPs between the two take part in the path; otherwise they are held as in the corrupted run, as other heads always are.', default: false },
    byPosition: { kind: 'boolean', title: 'By position', description: 'Also carry each position over by itself.', default: true },
  },
  scalars: {
    largest: 'largest share of the clean answer that one sender brings back, at all positions',
    largestAtPosition: 'the same at one position',
    cleanDifference: 'logit of the clean answer less that of the corrupted one, in the clean run; where answers are numbers, the number predicted there',
    corruptedDifference: 'the same in the corrupted run',
  },
  needsAnswers: true,
  appliesTo: () => true,
  python(context, { receiver: text, input, senders, throughMlps, byPosition: _, ...wanted }) {
    const { details: { config }, index } = context;
    const receiver = receiverOf(config, text, input);
    return pathPatchingLines({ pairs: promptPairs(context, wanted), receiver, senders: sendersOf(config, senders, receiver), throughMlps }, index === 1);
  },
  async run(context, { receiver: receiverText, input, senders: sendersText, throughMlps, byPosition, ...wanted }) {
    const { details: { config }, model, task, signal } = context;
    const receiver = receiverOf(config, receiverText, input);
    const senders = sendersOf(config, sendersText, receiver);
    const pairs = promptPairs(context, wanted);
    const positions = pairPositions(task, pairs);
    const atPositions = byPosition ? senders.flatMap(sender => positions.map((_, position): PathRow => ({ sender, position }))) : [];
    const paths = { receiver, throughMlps, rows: [...senders.map((sender): PathRow => ({ sender })), ...atPositions] };
    const { recovered, clean, corrupted } = await patchPaths(model, pairs, paths, { signal, progress: fraction => context.progress(fraction) });

    const [whole, each] = [recovered.subarray(0, senders.length), recovered.subarray(senders.length)];
    const target = receiver ? `the ${input} of ${senderName({ kind: 'component', component: receiver.head })}` : 'the logits';
    const axis = { title: 'Sender', labels: senders.map(senderName), subjects: senders.map(subjectOf) };
    const bars: BarsFigure = {
      kind: 'bars', title: `To ${target}`, caption: `Share of ${measuresOf(task).between} that a sender brings back by its direct path, at all positions.`, scalar: 'largest',
      x: axis, y: { title: 'Share' }, series: [{ name: 'share', values: Float64Array.from(whole) }],
    };
    const heatmap: HeatmapFigure = {
      kind: 'heatmap', title: `To ${target}, by position`, caption: 'The same with one position of the sender carried over.', scalar: 'largestAtPosition',
      y: axis, x: { title: 'Position', labels: positions, subjects: positions.map((_, position) => ({ position })) },
      rows: senders.length, columns: positions.length, values: Float32Array.from(each), scale: 'diverging', unit: '',
    };
    return {
      figures: byPosition ? [bars, ...onCommonScale([heatmap], 1)] : [bars],
      scalars: {
        largest: Math.max(...whole), ...(byPosition && { largestAtPosition: Math.max(...each) }),
        cleanDifference: clean, corruptedDifference: corrupted,
      },
    };
  },
});

function receiverOf(config: ModelConfig, text: string, input: string): Receiver | undefined {
  if (text === '') return undefined;
  return { head: headOf(config, text), input: inputs[inputNames.find(name => name === input) ?? 'queries'] };
}

/** @throws UserError for a component that does not come before the receiver. */
function sendersOf(config: ModelConfig, text: string, receiver: Receiver | undefined): readonly Sender[] {
  const possible = sendersBefore(config, receiver);
  const chosen = componentsOf(config, text);
  if (chosen.length === 0) return possible;
  return chosen.map(component => {
    const name = senderName({ kind: 'component', component });
    const sender = possible.find(candidate => senderName(candidate) === name);
    if (sender) return sender;
    const before = possible.map(senderName).join(', ');
    throw new UserError(`${name} does not come before ${receiver ? senderName({ kind: 'component', component: receiver.head }) : 'the logits'}, so that it cannot tell it anything; leave the senders empty for all that do: ${before}.`);
  });
}

function subjectOf(sender: Sender): { readonly layer?: number; readonly head?: number } {
  if (sender.kind === 'embedding') return {};
  const { layer, head } = sender.component;
  return head === undefined ? { layer } : { layer, head };
}
