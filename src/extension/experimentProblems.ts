import { findNodeAtLocation, parseTree, type Node, type ParseError } from 'jsonc-parser';
import type { ExperimentProblem } from '../protocol/experiment';
import { nestingLimit, nestingOf } from '../protocol/nesting';

/** A problem at its place in the text: `[start, end)`, in UTF-16 units. */
export interface PlacedProblem {
  readonly start: number;
  readonly end: number;
  readonly message: string;
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
 * Finds what each problem is about: the whole field of a single value, the name of a longer one, and for what is missing
 * the name of what it is missing from.
 */
export function placeProblems(text: string, problems: readonly ExperimentProblem[]): readonly PlacedProblem[] {
  const root = nestingOf(text) > nestingLimit ? undefined : parseTree(text, [], { allowTrailingComma: true });
  return problems.map(({ path, message }) => ({ ...rangeOf(nearest(root, path)), message }));
}

/** The node at the path, or at as much of it as there is. */
function nearest(root: Node | undefined, path: ExperimentProblem['path']): Node | undefined {
  for (let length = path.length; root && length > 0; length--) {
    const found = findNodeAtLocation(root, path.slice(0, length));
    if (found) return found;
  }
  return root;
}

function rangeOf(node: Node | undefined): { readonly start: number; readonly end: number } {
  if (!node) return { start: 0, end: 0 };
  const name = node.parent?.type === 'property' ? node.parent.children?.[0] : undefined;
  const isLong = node.type === 'object' || node.type === 'array';
  const end = node.offset + node.length;
  if (name) return { start: name.offset, end: isLong ? name.offset + name.length : end };
  return { start: node.offset, end: isLong ? node.offset + 1 : end };
}
