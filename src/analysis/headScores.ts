import { int32, type HostTensor } from '../common/tensor';
import { blindPosition } from '../model/mask';
import type { HeadBadge } from '../protocol/analysis';
import type { HeatmapFigure, TableFigure } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { answerSources, attentionKinds, expectedAttention, type ExpectedSources } from './attentionScores';
import { defineAnalysis, type AnalysisContext } from './define';
import { examplesFor, exampleParameters } from './examples';
import { allHeads, componentName, headOf, type Head } from './heads';
import { patternsOf } from './patterns';
import { fromAnswersLines, headScoreLines } from './python/patterns';
import { circuitAxes } from './weights/circuit';
import { wholeBlock } from './weights/circuitScores';
import { copyingLeftOut, copyingOfAll, ovPath } from './weights/copying';

// B batch · T positions · H heads · L layers · N heads of all layers

/** Scores in the order of the figures: what columns and badges call them. */
const titles = {
  previous: 'previous', current: 'current', first: 'first', duplicate: 'duplicate',
  induction: 'induction', exampleInduction: 'induction in examples', answer: 'answer', copying: 'copying',
} as const;
type ScoreName = keyof typeof titles;
/** By head, layer by layer; absent where nothing can be measured. */
type Scores = Partial<Readonly<Record<ScoreName, readonly number[]>>>;

/** What each kind of head is known by, and how much of it each head is. */
export const headScores = defineAnalysis({
  id: 'head-scores',
  title: 'Head scores',
  description: 'How far each head looks at the previous, the current or the first token, at duplicates, behind them (induction) or at the answer, and how far it copies (TransformerLens: head_detector; Olsson et al. 2022).',
  group: 'Attention',
  badges: true,
  params: {
    ...exampleParameters,
    head: { kind: 'head', title: 'Head', description: 'The head that the scalars measure; empty for the largest of each score.', default: '', otherwise: 'Largest of each score' },
  },
  scalars: {
    previous: 'mean weight on the token before, over destinations with a choice of sources; of the chosen head, otherwise the largest of any head',
    current: 'mean weight on the destination itself',
    first: 'mean weight on the first token, from later ones',
    duplicate: 'mean weight on all earlier occurrences of the destination\'s token, where there are any',
    induction: 'on random tokens written twice, mean weight on the token after the earlier occurrence of the destination\'s (Olsson et al. 2022); not measured where the context has less than 4 positions',
    exampleInduction: 'on the examples, mean weight on the tokens after earlier occurrences of the destination\'s token, where there are any',
    answer: 'from the positions where an answer is read, mean weight on all positions that hold its token, where there are any',
    copying: 'fraction of the tokens that are also outputs whose own logit is the largest of the OV circuit W_E W_V W_O W_U',
  },
  appliesTo: () => true,
  python(context, { head: _, ...wanted }) {
    const { details: { config }, task, figure } = context;
    const { tokens } = examplesFor(context, wanted);
    if (context.index === 1 && figure.kind === 'heatmap') return fromAnswersLines(tokens, task.answerPositions.filter(position => position < (tokens.shape[1] ?? 0)));
    const names = figure.kind === 'table' ? figure.columns.slice(1).map(({ title }) => title) : figure.kind === 'heatmap' ? figure.x.labels ?? [] : [];
    const copied = wholeBlock(circuitAxes(context, ovPath({ layer: 0, head: 0 })), []).diagonal;
    return headScoreLines({ config, task, tokens, answerTokens: answerTokens(task, tokens), once: randomTokens(context), copied, names }, figure.kind === 'table');
  },
  async run(context, { head, ...wanted }) {
    const { details: { config }, model } = context;
    const heads = allHeads(config);
    const chosen = head === '' ? undefined : headOf(config, head);
    const { tokens, positions, title } = examplesFor(context, wanted);
    const patterns = await patternsOf(model, tokens);
    const on = (sources: ExpectedSources) => expectedAttention(config, tokens, patterns, sources);
    const { previous, current, first, duplicate, afterDuplicate } = attentionKinds;
    const all: Readonly<Record<ScoreName, readonly number[] | undefined>> = {
      previous: on(previous), current: on(current), first: on(first), duplicate: on(duplicate),
      induction: await inductionScores(context), exampleInduction: on(afterDuplicate),
      answer: on(answerSources(context.task)), copying: await copyingOfAll(context, heads, []),
    };
    const scores: Scores = Object.fromEntries(Object.entries(all).filter(([, values]) => values !== undefined));
    const at = chosen && heads.findIndex(({ layer, head: index }) => layer === chosen.layer && index === chosen.head);
    const missing = copyingLeftOut(context, heads, []);
    const towards = fromAnswers(context.task, patterns, config.n_heads);
    return {
      figures: [
        scoresHeatmap(heads, scores, title, missing),
        ...(towards ? [positionsHeatmap(heads, positions, towards, title)] : []),
        scoresTable(heads, scores, title),
      ],
      scalars: Object.fromEntries(Object.entries(scores).map(([name, values]) => [name, at === undefined ? Math.max(...values) : values[at] ?? 0])),
      badges: badgesOf(heads, scores),
    };
  },
});

/** Sequences of random tokens that the induction score is measured on. */
const repeatedSequences = 32;
/** Tokens of them that are written twice. */
const mostRepeated = 64;

/** Induction as it is usually measured: on random tokens written twice, so that nothing else tells what comes next. */
async function inductionScores(context: AnalysisContext): Promise<readonly number[] | undefined> {
  const { details: { config }, model } = context;
  const once = randomTokens(context);
  if (!once) return undefined;
  const [rows = 0, half = 0] = once.shape;
  const twice = int32([rows, 2 * half]);
  twice.data.forEach((_, at) => (twice.data[at] = once.data[Math.floor(at / (2 * half)) * half + (at % half)] ?? 0));
  return expectedAttention(config, twice, await patternsOf(model, twice), (_, destination) => (destination >= half ? [destination - half + 1] : []));
}

/** Random tokens to be written twice, as many rows as are measured; undefined where the context has no room, or the mask no sources, for that. */
function randomTokens({ details: { config }, task, random }: Pick<AnalysisContext, 'details' | 'task' | 'random'>): HostTensor<'int32'> | undefined {
  const half = Math.min(mostRepeated, Math.floor(config.n_ctx / 2));
  if (half < 2 || blindPosition(config, 2 * half) !== undefined) return undefined;
  const words = [...task.vocabulary.keys()].filter(token => token !== task.padding);
  return int32([repeatedSequences, half], Int32Array.from({ length: repeatedSequences * half }, () => words[random.integer(words.length)] ?? 0));
}

/** The tokens `[B, A]` that are the right answers, as far as a prompt reaches them; −1 where there is none. */
function answerTokens({ vocabulary, outputs, answerPositions, answers }: Task, { shape: [B = 0, T = 0], data }: HostTensor<'int32'>): HostTensor<'int32'> {
  const read = answerPositions.flatMap((position, answer) => (position < T ? [answer] : []));
  const rows = Array.from({ length: B }, (_, row) => {
    const right = answers([...data.subarray(row * T, (row + 1) * T)]);
    return read.map(answer => (right?.[answer] === undefined ? -1 : vocabulary.indexOf(outputs[right[answer]] ?? '')));
  });
  return int32([B, read.length], Int32Array.from(rows.flat()));
}

/** Mean weights `[N, T]` from the positions where an answer is read; undefined for a prompt that ends before the first of them. */
function fromAnswers({ answerPositions }: Task, patterns: readonly HostTensor<'float32'>[], H: number): Float32Array | undefined {
  const [B = 0, , T = 0] = patterns[0]?.shape ?? [];
  const destinations = answerPositions.filter(position => position < T);
  if (destinations.length === 0) return undefined;
  const means = new Float64Array(patterns.length * H * T);
  patterns.forEach(({ data }, layer) => {
    for (let row = 0; row < B * H; row++) {
      for (const destination of destinations) {
        for (let source = 0; source < T; source++) {
          const into = (layer * H + (row % H)) * T + source;
          means[into] = (means[into] ?? 0) + (data[(row * T + destination) * T + source] ?? 0) / (B * destinations.length);
        }
      }
    }
  });
  return Float32Array.from(means);
}

const headAxis = (heads: readonly Head[]) => ({ title: 'Head', labels: heads.map(componentName), subjects: heads });

function namesOf(scores: Scores): readonly ScoreName[] {
  return (Object.keys(titles) as readonly ScoreName[]).filter(name => scores[name] !== undefined);
}

function scoresHeatmap(heads: readonly Head[], scores: Scores, title: string, missing: string): HeatmapFigure {
  const names = namesOf(scores);
  return {
    kind: 'heatmap', title: `Head scores ${title}`,
    caption: `Mean attention weight on the sources that each kind of head is known by${missing === '' ? '; copying is a fraction of tokens.' : `.${missing}`}`,
    x: { title: 'Score', labels: names.map(name => titles[name]) }, y: headAxis(heads), rows: heads.length, columns: names.length,
    values: Float32Array.from(heads.flatMap((_, head) => names.map(name => scores[name]?.[head] ?? 0))), scale: 'sequential', unit: 'score',
  };
}

function positionsHeatmap(heads: readonly Head[], positions: readonly string[], values: Float32Array, title: string): HeatmapFigure {
  return {
    kind: 'heatmap', title: `Attention from where answers are read ${title}`,
    caption: 'Mean attention weight from the positions where an answer is read to each position; rows sum to 1.',
    x: { title: 'Source', labels: positions, subjects: positions.map((_, position) => ({ position })) }, y: headAxis(heads),
    rows: heads.length, columns: positions.length, values, scale: 'sequential', unit: 'attention weight',
  };
}

function scoresTable(heads: readonly Head[], scores: Scores, title: string): TableFigure {
  const names = namesOf(scores);
  return {
    kind: 'table', title: `Scores of each head ${title}`, caption: 'As above; a score that nothing can be measured by has no column.',
    columns: [{ title: 'Head', numeric: false }, ...names.map(name => ({ title: titles[name], numeric: true }))],
    rows: heads.map((head, at) => [componentName(head), ...names.map(name => scores[name]?.[at] ?? 0)]), subjects: heads,
  };
}

/** Scores below this say little of a head, and more than two are not telling. */
const leastBadge = 0.4;
const mostBadges = 2;

function badgesOf(heads: readonly Head[], scores: Scores): readonly HeadBadge[] {
  return heads.flatMap(({ layer, head }, at) => namesOf(scores)
    .filter(name => name !== 'exampleInduction') // it says again what induction says
    .map(name => ({ text: titles[name], score: scores[name]?.[at] ?? 0 }))
    .filter(({ score }) => score >= leastBadge)
    .sort((a, b) => b.score - a.score)
    .slice(0, mostBadges)
    .map(({ text, score }) => ({ layer, head, text: `${text} ${score.toFixed(2)}` })));
}
