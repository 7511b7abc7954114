import { lexLine, type Dialect, type LexedLine, type LineState, type StringToken } from './lexer';
import { fullName } from './shortNames';

/** `[start, end)` in a line, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Index extends Span {
  readonly value: number;
}

/** What in a line names a hook point or a parameter. */
export interface Reference extends Span {
  /** A whole name as a string; the short one of `cache["pattern", 0]`; or `model.blocks[0].attn.W_Q`. */
  readonly form: 'string' | 'short' | 'attribute';
  /** The name with `*` for what is computed, as in `blocks.*.attn.hook_z`, and layers counted from the end below 0. */
  readonly name: string;
  /** The parts that are computed, as they are written. */
  readonly holes: readonly string[];
  /** The number of the layer, where it is written out. */
  readonly layer?: Index;
  /** Of the short name: the layer and what follows it. */
  readonly short?: { readonly name: string; readonly layer?: string; readonly layerType?: string };
  /** Of an attribute: its last part. */
  readonly leaf?: Span;
  /** What is in brackets behind an attribute; undefined for what is no number. */
  readonly indices: readonly (Index | undefined)[];
  /** Whether it is wrong where the model has nothing of that name: always, where a name of the model is nearly the same, or never. */
  readonly wrong: 'always' | 'near' | 'never';
}

export interface ScannedLine {
  readonly begin: LineState;
  readonly end: LineState;
  readonly references: readonly Reference[];
}

const none: readonly Reference[] = [];
const attributeHint = /(?:odel|\bht)\./;

/** Finds the references in a line that begins in `state`. Comments, docstrings and prose have none. */
export function scanLine(text: string, state: LineState, dialect: Dialect): ScannedLine {
  const lexed = lexLine(text, state, dialect);
  const strings = lexed.strings.flatMap(token => referenceOfString(text, token, dialect) ?? []);
  const attributes = dialect !== 'json' && attributeHint.test(text) ? attributesOf(text, lexed) : none;
  const references = attributes.length === 0 ? strings : [...strings, ...attributes].sort((a, b) => a.start - b.start);
  return { begin: state, end: lexed.end, references: references.length === 0 ? none : references };
}

/** What is computed within a string. */
const holePattern: Readonly<Record<Dialect, RegExp>> = { python: /\{[^{}]*\}|%[dsi]/g, javascript: /\$\{[^{}]*\}/g, json: /\*/g };

const hookLeaf = String.raw`hook_[\w*]*[a-z\d*]`;
const weightLeaf = String.raw`[Wb]_[\w*]+`;
const layer = String.raw`blocks\.(?:\d+|\*)\.`;
const certain = new RegExp(`^(?:${layer}(?:[\\w*]+\\.)*(?:${hookLeaf}|${weightLeaf}|(?<=ln[12*]\\.)[wb])|(?:embed|pos_embed|unembed|ln_final)\\.(?:${hookLeaf}|${weightLeaf})|ln_final\\.[wb])$`);
const likely = new RegExp(`^(?:${layer}[\\w.*]*\\w|(?:(?:\\*|attn|mlp|ln[12])\\.)*${hookLeaf}|(?:\\*\\.)?(?:attn|mlp)\\.${weightLeaf})$`);
const weight = /^(?:W_(?:Q|K|V|O|E|U|pos|in|out)|b_(?:Q|K|V|O|U|in|out))$/;
const longestName = 200;

function referenceOfString(text: string, token: StringToken, dialect: Dialect): Reference | undefined {
  const { start, end } = token;
  if (!token.closed || end === start || end - start > longestName) return undefined;
  const content = text.slice(start, end);
  const short = dialect === 'python' ? shortReference(text, token, content) : undefined;
  if (short) return short;
  if (!/blocks\.|hook_|embed\.|ln_final\.|[Wb]_/.test(content)) return undefined;
  const holes: string[] = [];
  const withHoles = dialect !== 'javascript' || token.formatted;
  const name = withHoles ? content.replace(holePattern[dialect], hole => (holes.push(hole), '*')) : content;
  const wrong = certain.test(name) ? 'always' : likely.test(name) ? 'near' : weight.test(name) ? 'never' : undefined;
  // A pattern that anything fits names nothing.
  if (wrong === undefined || !/[a-z]{2}|[Wb]_/.test(name.replace(/hook_|blocks/g, ''))) return undefined;
  const number = /^blocks\.(\d+)\./.exec(name)?.[1];
  return {
    form: 'string', name, holes, start, end, indices: [], wrong: isConcatenated(text, token) ? 'never' : wrong,
    ...(number !== undefined && { layer: { value: Number(number), start: start + 7, end: start + 7 + number.length } }),
  };
}

function isConcatenated(text: string, { outerStart, outerEnd }: StringToken): boolean {
  return /\+\s*$/.test(text.slice(Math.max(0, outerStart - 10), outerStart)) || /^\s*(?:\+|%(?!\s*$))/.test(text.slice(outerEnd, outerEnd + 10));
}

const cacheBefore = /(?:^|[^\w.])(?:\w+\.)*(?:\w+_)?cache\[\s*$/;
const functionBefore = /\bget_act_name\(\s*(?:name\s*=\s*)?$/;
const argumentsBehind = /^\s*(?:,\s*(?:layer\s*=\s*)?([^,\])]+?)\s*(?:,\s*(?:layer_type\s*=\s*)?(?:["'](\w+)["']|\w+)\s*)?,?\s*)?[\])]/;

/** Whether a string behind this code is a short name. */
export function takesShortName(before: string): boolean {
  return functionBefore.test(before) || cacheBefore.test(before);
}

/** `cache["pattern", 0]`, `cache["scale", 0, "ln1"]`, `get_act_name("k", 6)`. */
function shortReference(text: string, { start, end, outerStart, outerEnd }: StringToken, content: string): Reference | undefined {
  if (!/^[a-z][a-z_]*\w*$/.test(content) || content.startsWith('hook_')) return undefined;
  const before = text.slice(Math.max(0, outerStart - 80), outerStart);
  if (!takesShortName(before)) return undefined;
  const behind = argumentsBehind.exec(text.slice(outerEnd, outerEnd + 200));
  if (!behind) return undefined;
  const given = behind[1] === 'None' ? undefined : behind[1];
  const isNumber = given !== undefined && /^-?\d+$/.test(given);
  const layer = given === undefined ? undefined : isNumber ? given : '*';
  const layerType = behind[2];
  const together = /^[a-z]+(\d+)/.exec(content)?.[1];
  const layerStart = together !== undefined ? start + content.indexOf(together) : outerEnd + behind[0].indexOf(given ?? '', 1);
  const number = together ?? (isNumber ? given : undefined);
  return {
    form: 'short', name: fullName(content, layer, layerType), holes: layer === '*' && given !== undefined ? [given] : [], start, end, indices: [],
    short: { name: content, ...(layer !== undefined && { layer }), ...(layerType !== undefined && { layerType }) },
    ...(number !== undefined && { layer: { value: Number(number), start: layerStart, end: layerStart + number.length } }),
    // A dictionary called cache may hold anything; with a layer behind the name it is one of activations.
    wrong: functionBefore.test(before) || isNumber ? 'always' : layer === '*' ? 'near' : 'never',
  };
}

/** A model as people call it: `model`, `toy_model`, `ht`, `self.model`, `toyModel`. What else holds one is not guessed. */
export const receiverPattern = String.raw`(?<![\w.$])(?:(?:self|this)\.)?(?:model|[A-Za-z]\w*_model|[a-z]\w*Model|ht)\.`;
const receiver = new RegExp(String.raw`${receiverPattern}(?=blocks\[|W_|b_|embed\.|pos_embed\.|unembed\.|ln_final\.|hook_)`, 'g');
const attributePath = /(?:blocks\[\s*([^\][]*?)\s*\]\.(?:(attn|mlp|ln1|ln2)\.)?|(embed|pos_embed|unembed|ln_final)\.)?(\w+)/y;
const indexPattern = /\[([^\][]*)\]/y;

function attributesOf(text: string, { strings, prose }: LexedLine): readonly Reference[] {
  const isCode = (at: number) => !strings.some(({ outerStart, outerEnd }) => at >= outerStart && at < outerEnd) && !prose.some(([from, to]) => at >= from && at < to);
  return [...text.matchAll(receiver)].flatMap(match => {
    const start = match.index + match[0].length;
    return isCode(match.index) ? attributeAt(text, start) ?? [] : [];
  });
}

function attributeAt(text: string, start: number): Reference | undefined {
  attributePath.lastIndex = start;
  const match = attributePath.exec(text);
  if (!match) return undefined;
  const [whole, layerText, part, module, leaf = ''] = match;
  const inNorm = part === 'ln1' || part === 'ln2' || module === 'ln_final';
  if (!/^(?:hook_\w+|[Wb]_\w+)$/.test(leaf) && !(inNorm && /^[wb]$/.test(leaf))) return undefined;
  const end = start + whole.length;
  if (/^\s*\(/.test(text.slice(end))) return undefined;
  const inBlock = layerText !== undefined;
  const isNumber = inBlock && /^-?\d+$/.test(layerText);
  const layerName = isNumber ? String(Number(layerText)) : '*';
  const name = [...(inBlock ? ['blocks', layerName] : []), ...(part === undefined ? [] : [part]), ...(module === undefined ? [] : [module]), leaf].join('.');
  const layerStart = start + whole.indexOf(layerText ?? '', 'blocks['.length);
  return {
    form: 'attribute', name, holes: inBlock && !isNumber ? [layerText] : [], start, end, leaf: { start: end - leaf.length, end },
    ...(isNumber && { layer: { value: Number(layerText), start: layerStart, end: layerStart + layerText.length } }),
    indices: indicesAt(text, end), wrong: inBlock || module !== undefined ? 'always' : 'never',
  };
}

/** The numbers in the brackets behind an attribute: `[1, 3]` as `[1][3]`. */
function indicesAt(text: string, from: number): readonly (Index | undefined)[] {
  const indices: (Index | undefined)[] = [];
  let at = from;
  for (;;) {
    indexPattern.lastIndex = at;
    const match = indexPattern.exec(text);
    if (!match) return indices;
    let place = at + 1;
    for (const part of (match[1] ?? '').split(',')) {
      const number = part.trim();
      const start = place + part.indexOf(number);
      indices.push(/^-?\d+$/.test(number) ? { value: Number(number), start, end: start + number.length } : undefined);
      place += part.length + 1;
    }
    at += match[0].length;
    // What is behind a slice counts its axes from another place.
    if (!/^\[\s*-?\d+(?:\s*,\s*-?\d+)*\s*\]$/.test(match[0])) return indices;
  }
}
