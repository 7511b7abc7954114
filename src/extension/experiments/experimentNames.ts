import { findNodeAtLocation, type Node } from 'jsonc-parser';
import type { Span } from './experimentOutline';
import { treeOf } from './experimentProblems';

/** An experiment file for a comparison with others. */
export interface NamedFile {
  readonly file: string;
  readonly text: string;
  /** The name that its text gives. */
  readonly name: string | undefined;
  /** How it is called in messages. */
  readonly path: string;
}

/** Another file claims the same name, or is the same altogether. */
export interface NameClash {
  /** The name in the text, or its beginning where the text gives none. */
  readonly span: Span;
  readonly message: string;
  /** A name that no file has, to take the place of that; absent where the text gives none. */
  readonly free?: string;
}

/** What other files of the workspace have in common with this one that they should not: whichever is trained last is "the" model of the name. */
export function nameClash({ file, text, name }: NamedFile, all: readonly NamedFile[]): NameClash | undefined {
  const others = all.filter(other => other.file !== file);
  const same = others.filter(other => other.text === text && text.trim() !== '');
  const alike = name === undefined ? [] : others.filter(other => other.name === name);
  const [first, ...more] = same.length > 0 ? same : alike;
  if (!first) return undefined;
  const which = more.length === 0 ? first.path : `${first.path} and ${more.length} more`;
  const message = same.length > 0 ? `This file says the same as ${which}.` : `The name "${name}" is also that of ${which}; models are told apart by their names.`;
  const node = nameNode(text);
  if (!node || name === undefined) return { span: { start: 0, end: 1 }, message };
  const span = { start: node.offset, end: node.offset + node.length };
  return { span, message, free: freeName(name, all.flatMap(other => other.name ?? [])) };
}

/** The name that an experiment's text gives, as far as it can be read. */
export function nameIn(text: string): string | undefined {
  const value: unknown = nameNode(text)?.value;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function nameNode(text: string): Node | undefined {
  const root = treeOf(text);
  return root && findNodeAtLocation(root, ['name']);
}

/** The name itself if nothing has it, or with the lowest number that makes it one: `clock-2`. */
export function freeName(name: string, taken: readonly string[]): string {
  const [, stem = name] = /^(.*?)(?:-\d+)?$/su.exec(name) ?? [];
  for (let number = 1, candidate = name; ; candidate = `${stem}-${++number}`) if (!taken.includes(candidate)) return candidate;
}
