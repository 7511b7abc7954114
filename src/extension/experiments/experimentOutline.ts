import { getNodeValue, parseTree, type Node } from 'jsonc-parser';
import { nestingLimit, nestingOf } from '../../protocol/nesting';

/** A piece of a text: `[start, end)`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A field at the top of an experiment: its name, and its name with its value. */
export interface OutlinedField {
  readonly name: Span;
  readonly whole: Span;
  readonly value: unknown;
}

/** An item of a list at the top, such as a claim: as far as it is written. */
export interface OutlinedItem {
  readonly index: number;
  readonly span: Span;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Where the parts of an experiment stand in its text. */
export interface ExperimentOutline {
  readonly fields: ReadonlyMap<string, OutlinedField>;
  readonly claims: readonly OutlinedItem[];
  readonly breakpoints: readonly OutlinedItem[];
}

const nothing: ExperimentOutline = { fields: new Map(), claims: [], breakpoints: [] };

/** Finds the parts of an experiment in its text, which may be half typed: what can be read is found. */
export function outlineOf(text: string): ExperimentOutline {
  const root = nestingOf(text) > nestingLimit ? undefined : parseTree(text, [], { allowTrailingComma: true });
  if (root?.type !== 'object') return nothing;
  const fields = new Map((root.children ?? []).flatMap(({ children: [name, value] = [], ...property }) => {
    if (typeof name?.value !== 'string' || !value) return [];
    return [[name.value, { name: spanOf(name), whole: spanOf(property), value: getNodeValue(value) as unknown }] as const];
  }));
  const items = (list: string) => {
    const node = (root.children ?? []).find(({ children: [name] = [] }) => name?.value === list)?.children?.[1];
    return node?.type === 'array' ? (node.children ?? []).flatMap(outlined) : [];
  };
  return { fields, claims: items('claims'), breakpoints: items('breakpoints') };
}

function outlined(node: Node, index: number): readonly OutlinedItem[] {
  return node.type === 'object' ? [{ index, span: spanOf(node), value: getNodeValue(node) as OutlinedItem['value'] }] : [];
}

function spanOf({ offset, length }: Pick<Node, 'offset' | 'length'>): Span {
  return { start: offset, end: offset + length };
}
