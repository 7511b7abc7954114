import { findNodeAtLocation, modify, type Edit, type Node } from 'jsonc-parser';
import type { ExperimentProblem } from '../../protocol/experiment';
import { treeOf, unknownName } from './experimentProblems';
import { missingValue } from './experimentSkeletons';

/** A change of the text that mends a problem. */
export interface ExperimentFix {
  readonly title: string;
  readonly edits: readonly Edit[];
}

const formatting = { formattingOptions: { tabSize: 2, insertSpaces: true, eol: '\n' } };

/** The ways to mend a problem of a text: another name in place of one that does not exist, or the field that is missing. */
export function fixesOf(text: string, problem: ExperimentProblem): readonly ExperimentFix[] {
  const root = treeOf(text);
  const unknown = unknownName(root, problem);
  if (unknown) {
    return (problem.nearest?.names ?? []).map(name => ({
      title: `Change to "${name}"`,
      edits: [{ offset: unknown.offset, length: unknown.length, content: JSON.stringify(name) }],
    }));
  }
  return root ? missingField(text, root, problem.path) : [];
}

function missingField(text: string, root: Node, path: ExperimentProblem['path']): readonly ExperimentFix[] {
  const field = path.at(-1);
  const parent = path.length === 1 ? root : findNodeAtLocation(root, path.slice(0, -1));
  if (typeof field !== 'string' || parent?.type !== 'object' || findNodeAtLocation(parent, [field])) return [];
  const value = missingValue(path);
  return value === undefined ? [] : [{ title: `Add "${field}"`, edits: modify(text, [...path], value, formatting) }];
}
