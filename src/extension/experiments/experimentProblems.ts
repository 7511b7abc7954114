import { findNodeAtLocation, parseTree, type Node, type ParseError } from 'jsonc-parser';
import type { ExperimentProblem, SourcePlace } from '../../protocol/experiment';
import { nestingLimit, nestingOf } from '../../protocol/nesting';
import type { Span } from './experimentOutline';

/** A problem at its place in the text: `[start, end)`, in UTF-16 units. */
export interface PlacedProblem extends Span {
  readonly message: string;
  /** Where in another file it comes from. */
  readonly source?: SourcePlace;
}

/**
 * Whether the text is JSON at all (comments and trailing commas allowed); where it is not, VS Code itself says so. A text
 * that is nested too deep to be parsed counts as JSON, since it is the engine that says what is wrong with it.
 */
export function isJson(text: string): boolean {
  if (nestingOf(text) > nestingLimit) return true;
  const errors: ParseError[] = [];
  return parseTree(text, errors, { allowTrailingComma: true }) !== undefined && errors.length === 0;
}

/**
 * Finds what each problem is about: a name that does not exist, by itself; otherwise the whole field of a single value, the
 * name of a longer one, and for what is missing the name of what it is missing from.
 */
export function placeProblems(text: string, problems: readonly ExperimentProblem[]): readonly PlacedProblem[] {
  const root = treeOf(text);
  return problems.map(problem => {
    const { path, message, source } = problem;
    const unknown = unknownName(root, problem);
    return { ...(unknown ? spanOf(unknown) : rangeOf(nearestNode(root, path))), message, ...(source && { source }) };
  });
}

/** The text as a tree; nothing where it is nested too deep, or says nothing. */
export function treeOf(text: string): Node | undefined {
  return nestingOf(text) > nestingLimit ? undefined : parseTree(text, [], { allowTrailingComma: true });
}

/** Where the name stands that does not exist: that of a field, or a single value. */
export function unknownName(root: Node | undefined, { path, nearest }: ExperimentProblem): Node | undefined {
  const found = root && nearest && findNodeAtLocation(root, [...path]);
  if (!found) return undefined;
  if (nearest.of === 'name') return found.parent?.type === 'property' ? found.parent.children?.[0] : undefined;
  // An object that stands for a name, as "from" may be, has it in here.
  return found.type === 'object' ? findNodeAtLocation(found, ['model']) : found;
}

/** The node at the path, or at as much of it as there is. */
function nearestNode(root: Node | undefined, path: ExperimentProblem['path']): Node | undefined {
  for (let length = path.length; root && length > 0; length--) {
    const found = findNodeAtLocation(root, path.slice(0, length));
    if (found) return found;
  }
  return root;
}

function spanOf({ offset, length }: Node): Span {
  return { start: offset, end: offset + length };
}

function rangeOf(node: Node | undefined): Span {
  if (!node) return { start: 0, end: 0 };
  const name = node.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
  const isLong = node.type === 'object' || node.type === 'array';
  const end = node.offset + node.length;
  if (name) return { start: name.offset, end: isLong ? name.offset + name.length : end };
  return { start: node.offset, end: isLong ? node.offset + 1 : end };
}
