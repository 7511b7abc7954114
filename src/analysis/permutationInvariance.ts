import { UserError } from '../common/errors';
import { int32 } from '../common/tensor';
import type { ModelConfig } from '../protocol/config';
import type { BarsFigure, HeatmapFigure, TableFigure } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { positionNames, positionOf } from '../tasks/words';
import { mean } from './attribution/logitContrast';
import { cosinesOf } from './cosines';
import { defineAnalysis, knownScalars } from './define';
import { answeredExamples, exampleParameters } from './examples';
import { chosenLayer, layerParameter } from './fourier/neurons';
import { allHeads, componentName, headOf, type Head } from './heads';
import { answerInputs, inputPositions, isOrderFree, orderCount, orderFreeNeeds, ordersOf, taskOf } from './numberInputs';
import { attentionToAnswer, runInOrders, spreadOverOrders, valuesAmong, type OrderedRun, type Spread } from './orderedRuns';
import { orderLines } from './python/orders';

// T positions · N orders · H heads of all layers

/** Of how many heads attention is drawn where none is chosen. */
const mostDrawn = 4;

/**
 * Whether a model makes nothing of the order of its inputs where the answers do not depend on it, and where each head finds the
 * answer among them.
 */
export const permutationInvariance = defineAnalysis({
  id: 'permutation-invariance',
  title: 'Permutation invariance',
  description: 'Activations and attention at one position for an input in all of its orders: how alike they are, and how far each head attends to the answer wherever it stands.',
  group: 'Attention',
  params: {
    prompt: exampleParameters.prompt,
    examples: { ...exampleParameters.examples, description: 'Inputs drawn from the task, each of which is run in all of its orders; the first is drawn.', default: 16, maximum: 256 },
    sample: exampleParameters.sample,
    position: { kind: 'position', title: 'Position', description: 'Where activations are read and from where heads attend; empty for the last that reads an answer.', default: '' },
    layer: { ...layerParameter.layer, description: 'The layer whose activations are compared, counted from 0; −1 for the last one.' },
    head: { kind: 'head', title: 'Head', description: 'The head whose attention is drawn; empty for the first four.', default: '', otherwise: 'First four heads' },
    keys: { kind: 'choice', title: 'Keys', description: 'Whether attention to the inputs is drawn in the order of their values, or by where they stand.', options: ['by value', 'by place'], default: 'by value' },
  },
  scalars: {
    smallestCosine: 'smallest cosine of the activations for an input in two orders: of the layer\'s neurons before the nonlinearity, or of the residual stream where there are no neurons',
    meanCosine: 'mean of that cosine over all pairs of orders, and over inputs',
    smallestAttentionCosine: 'smallest cosine of the attention of a head, by the value attended to, for an input in two orders; of the head where it is smallest',
    meanAttentionCosine: 'mean of that cosine over all pairs of orders, heads and inputs',
    answerAttention: 'attention from the position to the numbers that are the answer read there; mean over orders, and over those inputs whose numbers hold it, of the head where it is smallest',
    answerAttentionBest: 'the same of the head where it is largest',
  },
  needs: orderFreeNeeds,
  appliesTo(details) {
    const task = taskOf(details);
    return task !== undefined && isOrderFree(task);
  },
  python(context, { position: where, layer, head: _, keys, ...wanted }) {
    const { details: { config }, task, random, figure } = context;
    const { tokens, tokens: { shape: [B = 0, T = 0], data } } = answeredExamples(context, wanted);
    const [inputs, position] = [inputPositions(task), chosenPosition(task, where, T)];
    const prompts = Array.from({ length: B }, (__, row) => data.slice(row * T, (row + 1) * T));
    const answers = prompts.map(prompt => prompt[answerInputs(task)(prompt, position)[0] ?? -1] ?? -1);
    const orders = ordersOf(inputs.length, random);
    return orderLines({
      tokens, inputs, orders, isDrawn: orders.length < orderCount(inputs.length), position, hook: activationOf(config, chosenLayer(config, layer)).hook,
      answers: int32([B], Int32Array.from(answers)), values: valuesAmong(task, prompts[0] ?? []), keysByValue: keys === 'by value',
    }, figure);
  },
  async run(context, { position, layer, head, keys, ...wanted }) {
    const { details: { config }, task, random, progress } = context;
    const { tokens: { shape: [B = 0, T = 0], data } } = answeredExamples(context, wanted);
    const activation = activationOf(config, chosenLayer(config, layer));
    const site = { hook: activation.hook, position: chosenPosition(task, position, T) };
    const heads = allHeads(config);
    const drawn = head === '' ? heads.slice(0, mostDrawn) : [headOf(config, head)];
    const n = inputPositions(task).length;
    const orders = ordersOf(n, random);
    let first: OrderedRun | undefined;
    const measured: MeasuredInput[] = [];
    for (let row = 0; row < B; row++) {
      const run = await runInOrders(context, [...data.subarray(row * T, (row + 1) * T)], orders, site);
      first ??= run;
      measured.push(measuredInput(run));
      progress((row + 1) / B);
    }
    if (!first) throw new Error('there is no input');
    const where = positionNames(task)[site.position] ?? '';
    const inOrders = `in ${orders.length} orders`;
    const over = `over ${inputsOf(B)} ${inOrders}`;
    const activations = overInputs(measured.map(input => input.activations));
    const attention = heads.map((_, index) => overInputs(measured.map(input => input.attention[index])));
    const answered = measured.flatMap(({ answer }) => (answer ? [answer] : []));
    const ofAnswered = answered.length < B ? `over ${answered.length} of ${inputsOf(B)}, those that hold it, ${inOrders}` : over;
    const toAnswer = answered.length === 0 ? undefined : heads.map((_, index) => mean(answered.map(byHead => byHead[index] ?? 0)));
    return {
      figures: [
        cosineHeatmap(first, `${activation.name} at ${where}`, orderCount(n)),
        ...drawn.map(each => attentionHeatmap(first, heads, each, keys === 'by value', task, where)),
        ...(toAnswer ? [answerBars(heads, toAnswer, where, ofAnswered)] : []),
        cosineTable(heads, attention, where, over),
      ],
      scalars: knownScalars({
        smallestCosine: activations.smallest,
        meanCosine: activations.mean,
        smallestAttentionCosine: Math.min(...attention.map(({ smallest }) => smallest)),
        meanAttentionCosine: mean(attention.map(each => each.mean)),
        answerAttention: toAnswer && Math.min(...toAnswer),
        answerAttentionBest: toAnswer && Math.max(...toAnswer),
      }),
    };
  },
});

function inputsOf(count: number): string {
  return `${count} ${count === 1 ? 'input' : 'inputs'}`;
}

function activationOf({ attn_only }: ModelConfig, layer: number): { readonly hook: string; readonly name: string } {
  if (attn_only) return { hook: `blocks.${layer}.hook_resid_post`, name: `Residual stream behind layer ${layer}` };
  return { hook: `blocks.${layer}.mlp.hook_pre`, name: `Neurons of layer ${layer} before the nonlinearity` };
}

/** @throws UserError for a position that not all inputs stand before, or that the prompt does not reach. */
function chosenPosition(task: Task, text: string, T: number): number {
  const names = positionNames(task);
  const position = text.trim() === '' ? task.answerPositions.at(-1) ?? 0 : positionOf(task, text);
  const last = inputPositions(task).at(-1) ?? 0;
  if (position <= last) throw new UserError(`The position ${names[position] ?? ''} does not stand behind all inputs; choose one behind ${names[last] ?? ''}, such as ${names[last + 1] ?? ''}.`);
  if (position >= T) throw new UserError(`The prompt has ${T} tokens, so that it ends before position ${position} (${names[position] ?? ''}); choose another position, or a longer prompt.`);
  return position;
}

/** What is measured of one input in all of its orders. */
interface MeasuredInput {
  /** Cosines over pairs of orders; undefined where all inputs are equal. */
  readonly activations: Spread | undefined;
  /** The same of each head's attention by value. */
  readonly attention: readonly (Spread | undefined)[];
  /** Attention of each head to the answer. */
  readonly answer: readonly number[] | undefined;
}

function measuredInput(run: OrderedRun): MeasuredInput {
  return {
    activations: spreadOverOrders(run.activations, run.names),
    attention: run.byValue.map(pattern => spreadOverOrders(pattern, run.names)),
    answer: attentionToAnswer(run),
  };
}

/** @throws UserError where no input has two orders. */
function overInputs(spreads: readonly (Spread | undefined)[]): Spread {
  const known = spreads.flatMap(spread => spread ?? []);
  if (known.length === 0) throw new UserError('All inputs of the prompt are equal, so that there is only one order; choose a prompt with different numbers.');
  return { smallest: Math.min(...known.map(({ smallest }) => smallest)), mean: mean(known.map(spread => spread.mean)) };
}

function cosineHeatmap({ names, activations }: OrderedRun, what: string, count: number): HeatmapFigure {
  const N = names.length;
  const drawn = N < count ? ` They are ${N} of the ${count.toLocaleString('en')} orders, drawn at random.` : '';
  const axis = { title: 'Order of the inputs', labels: names };
  return {
    kind: 'heatmap', title: `Cosine similarity in ${N} orders: ${what}`, scalar: 'smallestCosine',
    caption: `Of the activations for two orders of the inputs ${names[0] ?? ''}, two at a time. Where the order makes no difference all are 1.${drawn}`,
    x: axis, y: axis, rows: N, columns: N, values: Float32Array.from(cosinesOf(activations).to1DArray()), scale: 'diverging', reach: 1, unit: 'cosine',
  };
}

function attentionHeatmap({ names, byValue, byPlace, keys }: OrderedRun, heads: readonly Head[], head: Head, isByValue: boolean, task: Task, where: string): HeatmapFigure {
  const index = heads.findIndex(each => each.layer === head.layer && each.head === head.head);
  const pattern = (isByValue ? byValue : byPlace)[index];
  if (!pattern) throw new Error(`${componentName(head)} has no pattern`);
  const places = positionNames(task).slice(0, pattern.columns);
  return {
    kind: 'heatmap', title: `Attention of ${componentName(head)} from ${where} in ${names.length} orders`, scalar: 'answerAttention', subject: head,
    caption: isByValue ? 'A row for each order of the inputs; the inputs attended to are in the order of their values, wherever they stand, before the other positions.' : 'A row for each order of the inputs; the inputs attended to are where they stand.',
    y: { title: 'Order of the inputs', labels: names },
    x: isByValue ? { title: 'Value attended to', labels: keys } : { title: 'Position attended to', labels: places, subjects: places.map((_, position) => ({ position })) },
    rows: pattern.rows, columns: pattern.columns, values: Float32Array.from(pattern.to1DArray()), scale: 'sequential', reach: 1, unit: 'attention weight',
  };
}

function answerBars(heads: readonly Head[], values: readonly number[], where: string, over: string): BarsFigure {
  return {
    kind: 'bars', title: `Attention from ${where} to the answer ${over}`, scalar: 'answerAttention',
    caption: 'Mean attention weight on all the numbers that are the answer read there, over the inputs that hold it.',
    x: { title: 'Head', labels: heads.map(componentName), subjects: heads }, y: { title: 'Attention weight' },
    series: [{ name: 'attention to the answer', values: Float64Array.from(values) }],
  };
}

function cosineTable(heads: readonly Head[], attention: readonly Spread[], where: string, over: string): TableFigure {
  return {
    kind: 'table', title: `Cosine similarity of the attention from ${where} ${over}`, scalar: 'smallestAttentionCosine',
    caption: 'Of the attention by value for two orders of the same input, two at a time.',
    columns: [{ title: 'Head', numeric: false }, { title: 'Smallest', numeric: true }, { title: 'Mean', numeric: true }],
    rows: heads.map((head, at) => [componentName(head), attention[at]?.smallest ?? 0, attention[at]?.mean ?? 0]), subjects: heads,
  };
}
