import { lexLine, type Dialect, type LineState } from './lexer';
import { receiverPattern, takesShortName, type Span } from './references';
import type { KnownTensors } from './resolve';
import { fullName, shortNames } from './shortNames';
import { axesText } from './hover';

export interface Completion extends Span {
  readonly text: string;
  /** What is there, or nothing where more is to follow. */
  readonly detail?: string;
  readonly description?: string;
  /** Whether it is only a part, after which the next one is offered. */
  readonly partial: boolean;
}

const receiverBefore = new RegExp(String.raw`${receiverPattern}((?:[\w.]|\[[^\][]*\])*)$`);
const namesExpected = /(?:cache\[|get_act_name\(|names_filter\s*=\s*\[?|fwd_hooks\s*=\s*\[\s*\(|bwd_hooks\s*=\s*\[\s*\(|hook_dict\[)\s*(?:["'][^"']*["']\s*,\s*)*$/;

/** Where more whole names fit than this, as in a model of many layers, only the next parts are offered. */
const mostWhole = 500;

/** Where in a line a name of a model is being written, as can be told without knowing any. */
export interface CompletionPlace {
  offer(known: KnownTensors): readonly Completion[];
}

/** Nothing where no name of a model is being written. */
export function completionPlace(text: string, at: number, state: LineState, dialect: Dialect): CompletionPlace | undefined {
  const { strings, prose } = lexLine(text, state, dialect);
  const token = strings.find(({ start, end }) => at >= start && at <= end);
  if (token) {
    const written = text.slice(token.start, at);
    const before = text.slice(0, token.outerStart);
    const expected = dialect !== 'json' && namesExpected.test(before);
    if (!expected && !/^(?:bl|hook_|ho|embed\.|unembed\.|pos_embed\.|ln_final\.)/.test(written)) return undefined;
    // Before it is closed, a string reaches to the end of the line.
    const end = token.closed ? token.end : at;
    return { offer: known => inString(written, { start: token.start, end }, before, dialect, known) };
  }
  if (dialect === 'json' || prose.some(([from, to]) => at > from && at <= to)) return undefined;
  const path = receiverBefore.exec(text.slice(0, at))?.[1];
  // A layer is in brackets in code.
  return path === undefined || path.startsWith('blocks.') ? undefined : { offer: known => afterReceiver(path, at, text, known) };
}

function inString(written: string, span: Span, before: string, dialect: Dialect, known: KnownTensors): readonly Completion[] {
  const whole = known.model.tensors.filter(({ name }) => name.startsWith(written)).map(({ name, axes, description }): Completion => (
    { ...span, text: name, detail: axesText(axes), description, partial: false }));
  const names = new Set(whole.map(({ text }) => text));
  const parts = [...new Set(whole.flatMap(({ text }) => {
    const dot = text.indexOf('.', written.length);
    return dot < 0 ? [] : [text.slice(0, dot + 1)];
  }))].filter(part => !names.has(part)).map((text): Completion => ({ ...span, text, partial: true }));
  const short = dialect === 'python' && takesShortName(before) && !written.includes('.') ? shortCompletions(written, span, known) : [];
  return [...short, ...parts, ...(whole.length > mostWhole ? [] : whole)];
}

function shortCompletions(written: string, span: Span, known: KnownTensors): readonly Completion[] {
  return shortNames.filter(name => name.startsWith(written)).flatMap(name => {
    const [tensor] = [fullName(name), fullName(name, '*'), fullName(name, '*', 'ln1')].flatMap(each => known.matching(each));
    return tensor ? [{ ...span, text: name, detail: axesText(tensor.axes), description: tensor.description, partial: false }] : [];
  });
}

/** After `model.`: its attributes, one part at a time; `path` is what is written behind it. */
function afterReceiver(path: string, at: number, text: string, known: KnownTensors): readonly Completion[] {
  const parent = path.slice(0, path.lastIndexOf('.') + 1);
  const span = { start: at - (path.length - parent.length), end: at + (/^\w*/.exec(text.slice(at))?.[0].length ?? 0) };
  const written = path.slice(parent.length);
  const block = /^blocks\[\s*(-?\d+|[^\][]*)\s*\]\./.exec(parent);
  const layer = block ? (/^\d+$/.test(block[1] ?? '') ? block[1] : '0') : undefined;
  const prefix = block ? `blocks.${layer ?? '0'}.${parent.slice(block[0].length)}` : parent;
  const offered = new Map<string, Completion>();
  for (const { name, axes, description } of known.model.tensors) {
    if (prefix === '' && name.startsWith('blocks.') && /\.[Wb]_\w+$/.test(name)) {
      const leaf = name.slice(name.lastIndexOf('.') + 1);
      offered.set(leaf, { ...span, text: leaf, detail: axesText([{ name: 'layer', size: known.model.n_layers }, ...axes]), description, partial: false });
    }
    if (!name.startsWith(prefix)) continue;
    const rest = name.slice(prefix.length);
    const dot = rest.indexOf('.');
    const part = dot < 0 ? rest : rest.slice(0, dot);
    if (!offered.has(part)) offered.set(part, dot < 0 ? { ...span, text: part, detail: axesText(axes), description, partial: false } : { ...span, text: part, partial: true });
  }
  return [...offered.values()].filter(({ text: offer }) => offer.startsWith(written));
}
