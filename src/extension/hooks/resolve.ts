import { nearestNames, editDistance } from '../../common/nearest';
import type { ModelTensors, NamedTensor } from '../../protocol/tensors';
import type { Index, Reference, Span } from './references';
import { fullName, shortNames } from './shortNames';

/** What a reference names in the pinned model. */
export interface Found {
  readonly kind: 'found';
  /** One, or those of all layers that fit. */
  readonly tensors: readonly [NamedTensor, ...NamedTensor[]];
  /** Whether it is all of them at once, stacked: `model.W_Q`, whose first axis is the layer. */
  readonly stacked: boolean;
  readonly head?: number;
}

export interface Wrong extends Span {
  readonly kind: 'wrong';
  readonly message: string;
  /** What to write at its place, the nearest first. */
  readonly nearest: readonly string[];
}

/** What is there under the names of a model, looked up quickly. */
export class KnownTensors {
  private readonly byName: ReadonlyMap<string, NamedTensor>;
  private readonly reasons: ReadonlyMap<string, string>;
  private readonly found = new Map<string, readonly NamedTensor[]>();
  /** Names with `*` for the layer, each once. */
  readonly patterns: readonly string[];

  constructor(readonly modelName: string, readonly model: ModelTensors) {
    this.byName = new Map(model.tensors.map(tensor => [tensor.name, tensor]));
    this.reasons = new Map(model.missing.map(({ name, reason }) => [name, reason]));
    this.patterns = [...new Set(model.tensors.map(({ name }) => withoutLayer(name)))];
  }

  /** Those of that name, in which `*` stands for anything between dots and a name may be the end of a longer one. */
  matching(name: string): readonly NamedTensor[] {
    const exact = this.byName.get(name);
    if (exact) return [exact];
    const known = this.found.get(name);
    if (known) return known;
    // Names that begin as whole ones do are whole.
    const isWhole = /^(?:blocks|embed|pos_embed|unembed|ln_final)\./.test(name);
    const fitting = new RegExp(`${isWhole ? '^' : String.raw`(?:^|\.)`}${name.replace(/[.]/g, '\\.').replace(/\*/g, '[^.]*')}$`);
    const found = isWhole && !name.includes('*') ? [] : this.model.tensors.filter(tensor => fitting.test(tensor.name));
    if (this.found.size > mostKept) this.found.clear();
    this.found.set(name, found);
    return found;
  }

  /** Why the model does not have what others have under this name. */
  reasonOf(name: string): string | undefined {
    return this.reasons.get(name.replace('*', '0'));
  }
}

const mostKept = 1000;

/** What a reference names, or what is wrong with it; nothing where it may be something else altogether. */
export function resolve(reference: Reference, known: KnownTensors): Found | Wrong | undefined {
  const { n_layers } = known.model;
  const { layer, wrong } = reference;
  const fromEnd = layer !== undefined && layer.value < 0;
  const name = fromEnd ? reference.name.replace(/^blocks\.-\d+\./, `blocks.${n_layers + layer.value}.`) : reference.name;
  if (layer && wrong !== 'never' && (layer.value >= n_layers || layer.value < -n_layers)) {
    const inFirst = name.replace(/^blocks\.-?\d+\./, 'blocks.0.');
    if (known.matching(inFirst).length > 0 || known.reasonOf(inFirst) !== undefined) return wrongLayer(layer, known);
  }
  const [first, ...more] = known.matching(name);
  if (first) return foundOrOutOfRange(reference, [first, ...more], known);
  if (wrong === 'never') return undefined;
  const place = reference.leaf ?? reference;
  const shown = reference.form === 'short' ? shownShort(reference) : `"${name}"`;
  const reason = known.reasonOf(name);
  const nearest = nearestTo(reference, name, known);
  if (reason !== undefined) return { kind: 'wrong', start: place.start, end: place.end, message: `${known.modelName} has no ${shown}: ${reason}.`, nearest: [] };
  if (wrong === 'near' && !nearest.some(({ pattern }) => isSlip(withoutLayer(name), pattern))) return undefined;
  const texts = nearest.map(({ text }) => text);
  const hint = texts.length === 0 ? '' : `; the nearest ${texts.length > 1 ? 'are' : 'is'} ${texts.map(text => `"${text}"`).join(', ')}`;
  return { kind: 'wrong', start: place.start, end: place.end, message: `${known.modelName} has no ${shown}${hint}.`, nearest: texts };
}

/** How a name that the model has is written; language servers know where the attributes of code are defined, and strings are nothing to them. */
export function onTensor(reference: Reference | undefined, known: KnownTensors | undefined): 'string' | 'attribute' | false {
  if (!reference || !known || resolve(reference, known)?.kind !== 'found') return false;
  return reference.form === 'attribute' ? 'attribute' : 'string';
}

function wrongLayer({ value, start, end }: Index, { modelName, model: { n_layers } }: KnownTensors): Wrong {
  const layers = n_layers === 1 ? 'one layer, 0' : `${n_layers} layers, 0 to ${n_layers - 1}`;
  return { kind: 'wrong', start, end, message: `${modelName} has no layer ${value}: it has ${layers}.`, nearest: [String(value < 0 ? -n_layers : n_layers - 1)] };
}

function foundOrOutOfRange(reference: Reference, tensors: readonly [NamedTensor, ...NamedTensor[]], known: KnownTensors): Found | Wrong {
  const [first] = tensors;
  const isBare = reference.form === 'attribute' && reference.leaf?.start === reference.start;
  const stacked = isBare && first.kind === 'parameter' && first.name.startsWith('blocks.');
  const axes = stacked ? [{ name: 'layer', size: known.model.n_layers }, ...first.axes] : first.axes;
  if (first.kind === 'parameter') {
    for (const [at, index] of reference.indices.entries()) {
      const axis = axes[at];
      if (!index || axis?.size === undefined || (index.value < axis.size && index.value >= -axis.size)) continue;
      const { start, end, value } = index;
      const whole = axis.size === 1 ? 'only 0' : `0 to ${axis.size - 1}`;
      return { kind: 'wrong', start, end, message: `There is no ${axis.name} ${value} of ${reference.name} in ${known.modelName}: it has ${whole}.`, nearest: [String(value < 0 ? -axis.size : axis.size - 1)] };
    }
  }
  const [layer, head] = stacked ? reference.indices : [undefined, reference.indices[0]];
  const ofLayer = layer && tensors.at(layer.value);
  const hasHeads = first.kind === 'parameter' && first.axes[0]?.name === 'head';
  const chosen = head && hasHeads ? (head.value < 0 ? known.model.n_heads + head.value : head.value) : undefined;
  return { kind: 'found', tensors: ofLayer ? [ofLayer] : tensors, stacked: stacked && !ofLayer, ...(chosen !== undefined && { head: chosen }) };
}

interface Near {
  readonly text: string;
  readonly pattern: string;
}

/** The names of the model nearest to one that it does not have, as they would be written in its place. */
function nearestTo(reference: Reference, name: string, known: KnownTensors): readonly Near[] {
  const { form, short, holes } = reference;
  if (form === 'short' && short) {
    const names = shortNames.filter(candidate => known.matching(fullName(candidate, short.layer?.startsWith('-') ? '*' : short.layer, short.layerType)).length > 0);
    return nearestNames(short.name, names).map(text => ({ text, pattern: text }));
  }
  const pattern = withoutLayer(name);
  const written = /^blocks\.(\d+|\*)\./.exec(name)?.[1];
  if (form === 'attribute') {
    const parent = pattern.slice(0, pattern.lastIndexOf('.') + 1);
    const leaf = pattern.slice(parent.length);
    const leaves = known.patterns.filter(candidate => candidate.startsWith(parent) && !candidate.slice(parent.length).includes('.')).map(candidate => candidate.slice(parent.length));
    return nearestNames(leaf, leaves).map(text => ({ text, pattern: parent + text }));
  }
  // The end of a name is near to ends of names.
  const isWhole = /^(?:blocks|embed|pos_embed|unembed|ln_final)\./.test(pattern);
  const parts = pattern.split('.').length;
  const candidates = isWhole ? known.patterns : [...new Set([...known.patterns, ...known.patterns.map(each => each.split('.').slice(-parts).join('.'))])];
  return nearestNames(pattern, candidates).map(candidate => {
    const inLayer = written === undefined || written === '*' ? candidate : candidate.replace('*', written);
    let hole = 0;
    return { text: inLayer.replace(/\*/g, () => holes[hole++] ?? '0'), pattern: candidate };
  });
}

function shownShort({ short, name }: Reference): string {
  const layer = short?.layer;
  return `"${short?.name ?? name}"${layer === undefined || layer === '*' ? '' : ` in layer ${layer}`}`;
}

/** Whether one name is the other with a slip of the pen or two. */
function isSlip(name: string, known: string): boolean {
  return name.length > 7 && editDistance(name, known) <= 2;
}

export function withoutLayer(name: string): string {
  return name.replace(/^blocks\.\d+\./, 'blocks.*.');
}
