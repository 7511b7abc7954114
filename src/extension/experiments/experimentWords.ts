import { findNodeAtLocation, getLocation, getNodeValue, type Location, type Node } from 'jsonc-parser';
import type { AnalysisInfo } from '../../protocol/analysis';
import type { EngineInfo } from '../../protocol/engine';
import type { Parameter, Parameters } from '../../protocol/parameter';
import type { Span } from './experimentOutline';
import { treeOf } from './experimentProblems';
import { formatCount, formatLoss } from '../format';

/** What an experiment file may name, beyond what its JSON schema knows. */
export interface KnownWords extends Pick<EngineInfo, 'tasks' | 'analyses' | 'experiments'> {
  /** Paths of the other experiment files of the workspace, as seen from this one. */
  readonly files: readonly string[];
  /** Names of the stored models. */
  readonly models: readonly string[];
  /** What was last measured of a scalar on the model that this experiment trains. */
  measured(analysis: string, scalar: string, params: unknown): number | undefined;
}

/** A word that may stand at a place, and what it means. */
export interface ExperimentWord {
  readonly word: string;
  /** `field` names what a value follows, whose beginning is `value`. */
  readonly is: 'field' | 'value';
  readonly value?: unknown;
  /** In a few words, beside the word. */
  readonly detail: string;
  readonly documentation: string;
}

export interface WordsHere {
  /** What a word that is chosen takes the place of, quotes and all. */
  readonly span: Span;
  /** Whether a field that is chosen has its colon already. */
  readonly hasValue: boolean;
  /** Whether another field follows, with no comma before it. */
  readonly needsComma: boolean;
  readonly words: readonly ExperimentWord[];
}

/** The words that may stand at an offset of a text, which may be half typed; nothing where the JSON schema knows all. */
export function wordsAt(text: string, offset: number, known: KnownWords): WordsHere | undefined {
  const root = treeOf(text);
  if (!root) return undefined;
  const location = getLocation(text, offset);
  const words = wordsOf(root, location, known);
  if (words.length === 0) return undefined;
  const span = spanHere(location, offset);
  const after = text.slice(span.end);
  // Behind a field that lacks its value or its comma the tree ends, and what is written there is found by its form.
  const others = location.isAtPropertyKey ? [...fieldsOf(root, location.path.slice(0, -1)), ...fieldsBehind(after)] : [];
  const typed = text.slice(span.start, span.end);
  return { span, hasValue: /^\s*:/.test(after), needsComma: /^\s*"/.test(after), words: words.filter(({ word }) => !others.includes(word) || JSON.stringify(word) === typed) };
}

/** The names of fields up to the next brace. */
function fieldsBehind(text: string): readonly string[] {
  return [...text.slice(0, text.search(/[{}]|$/)).matchAll(/"([^"\\]*)"\s*:/g)].map(([, name = '']) => name);
}

/** What the word at an offset means. */
export function wordAt(text: string, offset: number, known: KnownWords): { readonly span: Span; readonly word: ExperimentWord } | undefined {
  const root = treeOf(text);
  const location = root && getLocation(text, offset);
  if (!root || location?.previousNode?.type !== 'string' && location?.previousNode?.type !== 'property') return undefined;
  const { previousNode } = location;
  const word = wordsOf(root, location, known).find(candidate => candidate.word === previousNode.value);
  return word && { span: { start: previousNode.offset, end: previousNode.offset + previousNode.length }, word };
}

function spanHere({ previousNode }: Location, offset: number): Span {
  if (!previousNode || previousNode.offset > offset || previousNode.offset + previousNode.length < offset) return { start: offset, end: offset };
  return { start: previousNode.offset, end: previousNode.offset + previousNode.length };
}

function wordsOf(root: Node, { path, isAtPropertyKey }: Location, known: KnownWords): readonly ExperimentWord[] {
  const [section, ...rest] = path;
  const last = path.at(-1);
  switch (section) {
    case 'task': return taskWords(root, rest, isAtPropertyKey, known);
    case 'from': return !isAtPropertyKey && (rest.length === 0 || (rest.length === 1 && last === 'model')) ? originWords(known, true) : [];
    case 'sweep': return isAtPropertyKey && rest.filter(part => typeof part === 'string').length === 1 ? sweptTaskWords(root, known) : [];
    case 'claims':
    case 'breakpoints': {
      const owner = lastIndex(path);
      return owner === undefined ? [] : measurementWords(root, path.slice(0, owner + 1), path.slice(owner + 1), isAtPropertyKey, known);
    }
    default: return [];
  }
}

/** Where the path of the innermost item of a list ends. */
function lastIndex(path: Location['path']): number | undefined {
  const at = path.findLastIndex(part => typeof part === 'number');
  return at === -1 ? undefined : at;
}

function taskWords(root: Node, path: Location['path'], isKey: boolean, { tasks }: KnownWords): readonly ExperimentWord[] {
  const [field] = path;
  if (!isKey && (path.length === 0 || field === 'name')) {
    return tasks.map(({ id, title, description }) => ({ word: id, is: 'value', detail: title, documentation: description }));
  }
  const params = tasks.find(({ id }) => id === taskOf(root))?.params ?? {};
  return parameterWords(params, path, isKey);
}

/** The name of the experiment's task. */
function taskOf(root: Node): unknown {
  const task = findNodeAtLocation(root, ['task']);
  return task?.type === 'object' ? findNodeAtLocation(task, ['name'])?.value : task?.value;
}

function parameterWords(params: Parameters, path: Location['path'], isKey: boolean): readonly ExperimentWord[] {
  const [name] = path;
  if (path.length !== 1 || typeof name !== 'string') return [];
  if (isKey) return Object.entries(params).map(([word, parameter]) => ({ word, is: 'field', value: parameter.default, detail: rangeText(parameter), documentation: aboutParameter(parameter) }));
  const parameter = Object.hasOwn(params, name) ? params[name] : undefined;
  if (parameter?.kind !== 'choice') return [];
  return parameter.options.map(word => ({ word, is: 'value', detail: word === parameter.default ? 'default' : '', documentation: aboutParameter(parameter) }));
}

/** The parameters of the task as a sweep names them; what it may vary besides is in the schema. */
function sweptTaskWords(root: Node, { tasks }: KnownWords): readonly ExperimentWord[] {
  const params = tasks.find(({ id }) => id === taskOf(root))?.params ?? {};
  return Object.entries(params).map(([name, parameter]) => (
    { word: `task.${name}`, is: 'field', value: [parameter.default], detail: rangeText(parameter), documentation: aboutParameter(parameter) }));
}

/** What a measurement, a claim's or a breakpoint's, may have in its fields. */
function measurementWords(root: Node, owner: Location['path'], [field, ...rest]: Location['path'], isKey: boolean, known: KnownWords): readonly ExperimentWord[] {
  const valueOf = (name: string) => {
    const node = findNodeAtLocation(root, [...owner, name]);
    return node ? (getNodeValue(node) as unknown) : undefined;
  };
  const analysis = known.analyses.find(({ id }) => id === valueOf('analysis'));
  if (field === 'params') return parameterWords(analysis?.params ?? {}, rest, isKey);
  if (isKey) return [];
  switch (field) {
    case 'analysis': return known.analyses.map(({ id, title, description }) => ({ word: id, is: 'value', detail: title, documentation: description }));
    case 'of': return originWords(known, false);
    case 'scalar': return analysis ? scalarWords(analysis, valueOf('params'), known) : [];
    case 'expect':
    case 'when': {
      const scalar = valueOf('scalar');
      const measured = analysis && typeof scalar === 'string' ? known.measured(analysis.id, scalar, valueOf('params')) : undefined;
      return boundWords(measured);
    }
    default: return [];
  }
}

function scalarWords({ id, scalars }: AnalysisInfo, params: unknown, known: KnownWords): readonly ExperimentWord[] {
  return Object.entries(scalars).map(([word, meaning]) => {
    const measured = known.measured(id, word, params);
    return { word, is: 'value', detail: measured === undefined ? '' : `last ${formatLoss(measured)}`, documentation: measured === undefined ? meaning : `${meaning}\n\nLast measured: ${formatLoss(measured)}` };
  });
}

function boundWords(measured: number | undefined): readonly ExperimentWord[] {
  const near = measured === undefined ? [] : [`>= ${formatBound(measured)}`, `<= ${formatBound(measured)}`];
  const about = 'A bound is a comparison and a number: >=, <=, >, < or ==.';
  return [...new Set([...near, '>= 0.99', '> 0.5', '<= 0.01', '== 1'])].map(word => ({ word, is: 'value', detail: near.includes(word) ? 'at what was measured last' : '', documentation: about }));
}

/** Three digits, without what a bound cannot have in it. */
function formatBound(measured: number): string {
  return String(Number(measured.toPrecision(3)));
}

function originWords({ experiments, files, models }: KnownWords, withModels: boolean): readonly ExperimentWord[] {
  const word = (name: string, detail: string): ExperimentWord => ({ word: name, is: 'value', detail, documentation: '' });
  const named = new Set(experiments);
  return [
    ...files.map(file => word(file, 'experiment of the workspace')),
    ...experiments.map(name => word(name, 'bundled experiment')),
    ...(withModels ? [...new Set(models)].filter(name => !named.has(name)).map(name => word(name, 'stored model')) : []),
  ];
}

function aboutParameter(parameter: Parameter): string {
  return `${parameter.description}\n\n${rangeText(parameter)}`;
}

/** `integer from 2 to 500, default 113` */
function rangeText(parameter: Parameter): string {
  const byDefault = parameter.default === '' ? '' : `, default ${typeof parameter.default === 'number' ? formatCountOf(parameter.default) : String(parameter.default)}`;
  switch (parameter.kind) {
    case 'integer':
    case 'number': {
      const { minimum, maximum } = parameter;
      const from = minimum === undefined ? '' : ` from ${formatCountOf(minimum)}`;
      const to = maximum === undefined ? '' : ` to ${formatCountOf(maximum)}`;
      return `${parameter.kind}${from}${to}${byDefault}`;
    }
    case 'choice': return `${parameter.options.join(' | ')}${byDefault}`;
    default: return `${parameter.kind}${byDefault}`;
  }
}

function formatCountOf(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : String(value);
}

function fieldsOf(root: Node, path: Location['path']): readonly string[] {
  const node = path.length === 0 ? root : findNodeAtLocation(root, [...path]);
  return (node?.children ?? []).flatMap(({ children: [name] = [] }) => (typeof name?.value === 'string' ? [name.value] : []));
}
