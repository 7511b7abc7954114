/** What a text is written in, as far as strings and comments go. */
export type Dialect = 'python' | 'javascript' | 'json';

/** What a line begins in: nothing, or the delimiter that ends what an earlier line has begun. */
export type LineState = '' | '"""' | "'''" | '*/' | '`';

/** A string that begins and ends in one line. */
export interface StringToken {
  /** Of its content, `[start, end)`. */
  readonly start: number;
  readonly end: number;
  /** Of all of it, with its quotes and the letters before them. */
  readonly outerStart: number;
  readonly outerEnd: number;
  /** Whether `{…}` in it is code. */
  readonly formatted: boolean;
  readonly quote: string;
  /** Whether its closing quote is there. */
  readonly closed: boolean;
}

export interface LexedLine {
  readonly end: LineState;
  readonly strings: readonly StringToken[];
  /** Stretches that are neither code nor a string of one line: comments, docstrings. `[start, end)` pairs. */
  readonly prose: readonly (readonly [number, number])[];
}

const noStrings: readonly StringToken[] = [];
const noProse: LexedLine['prose'] = [];
/** Lines that hold none of these are nothing but code. */
const special: Readonly<Record<Dialect, RegExp>> = { python: /["'#]/, javascript: /["'`/]/, json: /["/]/ };
/** Longer lines are data; nobody writes names of hooks there. */
const longest = 2000;

/** Finds the strings of a line that begins in `state`. */
export function lexLine(text: string, state: LineState, dialect: Dialect): LexedLine {
  if (state === '' && !special[dialect].test(text)) return { end: '', strings: noStrings, prose: noProse };
  const strings: StringToken[] = [];
  const prose: (readonly [number, number])[] = [];
  let at = 0;
  let open = state;
  for (;;) {
    if (open !== '') {
      const end = endOf(text, at, open);
      prose.push([at, end ?? text.length]);
      if (end === undefined) return { end: open, strings, prose };
      [at, open] = [end, ''];
    }
    const found = text.length > longest ? undefined : nextToken(text, at, dialect);
    if (!found) return { end: '', strings, prose };
    if (found.kind === 'string') {
      strings.push(found.token);
      at = found.token.outerEnd;
    } else if (found.kind === 'open') [at, open] = [found.at, found.state];
    else if (found.kind === 'regex') at = found.at;
    else {
      prose.push([found.at, text.length]);
      return { end: '', strings, prose };
    }
  }
}

function endOf(text: string, from: number, delimiter: Exclude<LineState, ''>): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\' && delimiter !== '*/') at++;
    else if (text.startsWith(delimiter, at)) return at + delimiter.length;
  }
  return undefined;
}

type Found =
  | { readonly kind: 'string'; readonly token: StringToken }
  | { readonly kind: 'open'; readonly at: number; readonly state: LineState }
  | { readonly kind: 'comment' | 'regex'; readonly at: number };

function nextToken(text: string, from: number, dialect: Dialect): Found | undefined {
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (dialect === 'python') {
      if (character === '#') return { kind: 'comment', at };
      if (character !== '"' && character !== "'") continue;
      const triple = character === '"' ? '"""' : "'''";
      return text.startsWith(triple, at) ? { kind: 'open', at: at + 3, state: triple } : { kind: 'string', token: pythonString(text, from, at) };
    }
    if (character === '/') {
      if (text[at + 1] === '/') return { kind: 'comment', at };
      if (text[at + 1] === '*') return { kind: 'open', at: at + 2, state: '*/' };
      const end = dialect === 'javascript' ? endOfRegex(text, at) : undefined;
      if (end !== undefined) return { kind: 'regex', at: end };
    } else if (character === '"' || (dialect === 'javascript' && character === "'")) {
      return { kind: 'string', token: stringAt(text, at, at, false) };
    } else if (character === '`' && dialect === 'javascript') {
      const token = stringAt(text, at, at, true);
      return token.closed ? { kind: 'string', token } : { kind: 'open', at: text.length, state: '`' };
    }
  }
  return undefined;
}

function pythonString(text: string, from: number, at: number): StringToken {
  let start = at;
  while (start > from && at - start < 2 && /[a-zA-Z]/.test(text[start - 1] ?? '')) start--;
  const prefix = text.slice(start, at);
  const isPrefix = /^(?:[rbuf]|rb|br|rf|fr)$/i.test(prefix) && !/\w/.test(text[start - 1] ?? ' ');
  return stringAt(text, at, isPrefix ? start : at, isPrefix && /f/i.test(prefix));
}

function stringAt(text: string, at: number, outerStart: number, formatted: boolean): StringToken {
  const quote = text[at] ?? '';
  let end = at + 1;
  while (end < text.length && text[end] !== quote) {
    if (text[end] === '\\') end += 2;
    else if (formatted && text[end] === '{') end = endOfHole(text, end);
    else end++;
  }
  const closed = end < text.length;
  end = Math.min(end, text.length);
  return { start: at + 1, end, outerStart, outerEnd: closed ? end + 1 : end, formatted, quote, closed };
}

/** Behind the `}` that belongs to a `{`, or only behind the `{` where there is none. */
function endOfHole(text: string, at: number): number {
  let depth = 0;
  for (let end = at; end < text.length; end++) {
    if (text[end] === '{') depth++;
    else if (text[end] === '}' && --depth === 0) return end + 1;
  }
  return at + 1;
}

/** Behind a regular expression that begins at `at`, where an expression can begin. */
function endOfRegex(text: string, at: number): number | undefined {
  if (!/(?:^|[(,=:[!&|?{};])\s*$/.test(text.slice(0, at))) return undefined;
  let inClass = false;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '\\') end++;
    else if (text[end] === '[') inClass = true;
    else if (text[end] === ']') inClass = false;
    else if (text[end] === '/' && !inClass) return end + 1;
  }
  return undefined;
}
