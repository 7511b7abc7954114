import { findNodeAtLocation, parseTree } from 'jsonc-parser';
import * as v from 'valibot';
import { TrainingSchema, type Training } from '../../protocol/experiment';
import type { ModelDetails } from '../../protocol/model';
import { countText, formatCount } from '../format';

/** An experiment that goes on from a model, for the user to change and train. */
export interface FineTuneDraft {
  readonly name: string;
  readonly text: string;
  /** Where the value of the task's first parameter stands, `[start, end)`; of a task without any, where its name does. */
  readonly place: readonly [start: number, end: number];
}

/** The most characters that an experiment's name has, less those of the ending. */
const longestBase = 94;

/** The fewest steps to go on for, unless the model itself had fewer. */
const fewestSteps = 100;

/** The most characters that are written between the brackets on one line. */
const longestLine = 100;

/** Written for the newest weights, or for those of a checkpoint. */
export function fineTuneDraft({ summary, experiment }: ModelDetails, checkpoint: number | undefined): FineTuneDraft {
  const name = `${summary.name.slice(0, longestBase)}-tuned`;
  const { seed, task, training } = experiment;
  const content = {
    name,
    from: { model: summary.id, ...(checkpoint === undefined ? {} : { checkpoint }) },
    // What a task keeps for its tests must stay unseen.
    seed,
    task: { name: task.name, ...(task.module !== undefined && { module: task.module }), ...task.parameters },
    training: tuning(training),
  };
  const weights = checkpoint === undefined ? 'where its training ended' : `as it was after step ${formatCount(checkpoint)}`;
  const comment = [
    `Goes on from the model ${JSON.stringify(summary.name)}, ${weights}.`,
    'Change the parameters of the task to what it is to learn now. It keeps',
    'its shape: the task needs as many tokens and positions as before.',
    `It takes ${countText(tunedSteps(training.steps), 'step')} (${formatCount(training.steps)} before) at a tenth of the learning rate;`,
    'change them as well. Train… above starts it, saved or not.',
  ];
  const text = written(content).replace('{\n', () => `{\n${comment.map(line => `  // ${line}\n`).join('')}`);
  return { name, text: `${text}\n`, place: placeOf(text, ['task', Object.keys(task.parameters)[0] ?? 'name']) };
}

/** As the model was trained, but shorter and in smaller steps; measured and kept as often on the way. */
function tuning({ steps, batch, learningRate, schedule: _, stopWhen: __, evaluateEvery, checkpointEvery, ...same }: Training): object {
  const tuned = tunedSteps(steps);
  const shortened = (every: number) => steps === 0 ? every : Math.max(1, Math.round((every * tuned) / steps));
  const shown = {
    steps: tuned,
    batch,
    // In decimals a tenth has no more digits; in binary it may.
    learningRate: Number((learningRate / 10).toPrecision(12)),
    schedule: { kind: 'constant' },
  };
  const every = { evaluateEvery: shortened(evaluateEvery), ...(checkpointEvery === 0 ? {} : { checkpointEvery: shortened(checkpointEvery) }) };
  const defaults: Readonly<Record<string, unknown>> = v.parse(TrainingSchema, { steps: 1 });
  const isOwn = ([field, value]: [string, unknown]) => JSON.stringify(value) !== JSON.stringify(defaults[field]);
  return { ...shown, ...Object.fromEntries(Object.entries({ ...same, ...every }).filter(isOwn)) };
}

/** A hundredth of the steps, where that is enough. A model written by hand has had none. */
function tunedSteps(steps: number): number {
  return Math.max(Math.round(steps / 100), steps === 0 ? fewestSteps : Math.min(steps, fewestSteps));
}

/** JSON with what holds single values alone on a line of its own, as far as lines go. */
function written(content: object): string {
  return JSON.stringify(content, undefined, 2).replace(/(?<=([[{]))\n[^[\]{}]*\n *(?=[\]}])/g, (lines, opening) => {
    const line = lines.trim().split(/\n */).join(' ');
    return line.length > longestLine ? lines : opening === '{' ? ` ${line} ` : line;
  });
}

function placeOf(text: string, path: readonly string[]): readonly [number, number] {
  const tree = parseTree(text);
  const node = tree && findNodeAtLocation(tree, [...path]);
  return node ? [node.offset, node.offset + node.length] : [0, 0];
}
