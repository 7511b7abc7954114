import { unknownName } from '../common/nearest';
import type { ModelWords } from '../protocol/model';
import type { Task } from './task';

/** What the task's positions are called, each by a name of its own: `↵ (4)` where several have one. */
export function positionNames({ positions }: Pick<Task, 'positions'>): readonly string[] {
  return positions.map((name, at) => (positions.indexOf(name) === positions.lastIndexOf(name) ? name : `${name} (${at})`));
}

/**
 * The position of that name, or of that number from 0.
 * @throws UserError for one that the task does not have, with the nearest names.
 */
export function positionOf(task: Pick<Task, 'positions'>, text: string): number {
  const names = positionNames(task);
  const at = names.indexOf(text.trim());
  if (at >= 0) return at;
  const number = /^\d+$/.test(text.trim()) ? Number(text) : names.length;
  if (number < names.length) return number;
  throw unknownName('position', text.trim(), names);
}

export function modelWords(task: Task): ModelWords {
  const { vocabulary, answerPositions, corruptions, graphs } = task;
  return {
    positions: positionNames(task), answerPositions, vocabulary, corruptions: Object.keys(corruptions),
    ...(graphs && { graph: { vertices: graphs.vertices, maximumEdges: graphs.maximumEdges } }),
  };
}
