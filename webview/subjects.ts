import type { AnalysisInfo } from '../src/protocol/analysis';
import type { Subject } from '../src/protocol/figure';
import type { ModelWords } from '../src/protocol/model';
import type { ParameterKind, ParameterValue } from '../src/protocol/parameter';
import type { PanelState } from '../src/protocol/panel';

export interface HeadName {
  readonly layer: number;
  readonly head: number;
}

/** What a cell is about, made of what its figure, its row and its column are about. */
export function joined(...parts: readonly (Subject | undefined)[]): Subject {
  return Object.assign({}, ...parts);
}

export function headIn({ layer, head }: Subject): HeadName | undefined {
  return layer === undefined || head === undefined ? undefined : { layer, head };
}

export function sameHead(a: HeadName | undefined, b: HeadName | undefined): boolean {
  return a?.layer === b?.layer && a?.head === b?.head;
}

/** Whether the last of the parts names the picked head, with what the ones before it leave open. */
export function isPicked(picked: HeadName | undefined, ...parts: readonly (Subject | undefined)[]): boolean {
  return picked !== undefined && parts.at(-1)?.head !== undefined && sameHead(headIn(joined(...parts)), picked);
}

export function headTitle({ layer, head }: HeadName): string {
  return `L${layer}H${head}`;
}

/** `L1H0` and `1.0` are the same head; empty for a text that is none. */
export function plainHead(text: string): string {
  const [layer, head] = text.match(/\d+/g) ?? [];
  return layer === undefined || head === undefined ? '' : `${Number(layer)}.${Number(head)}`;
}

/** The name of a position that is written by its name or its number; empty for one that is not there. */
export function plainPosition(text: string, positions: readonly string[]): string {
  return positions.includes(text) ? text : positions[text === '' ? -1 : Number(text)] ?? '';
}

/** An analysis that a part of the model can be opened in. */
export interface Opening {
  readonly title: string;
  readonly analysis: string;
  readonly params: Readonly<Record<string, ParameterValue>>;
}

interface Shown {
  readonly applicable: readonly AnalysisInfo[];
  readonly state: PanelState | undefined;
  readonly words: ModelWords | undefined;
}

/** The analyses with parameters that a subject fills in, but for the one that is shown where that would change nothing. */
export function openingsOf(subject: Subject, { applicable, state, words }: Shown): readonly Opening[] {
  const [head, { position }] = [headIn(subject), subject];
  const positions = words?.positions ?? [];
  return applicable.flatMap(analysis => {
    const nameOf = (kind: ParameterKind) => Object.keys(analysis.params).find(name => analysis.params[name]?.kind === kind);
    const [headParameter, positionParameter] = [head && nameOf('head'), position === undefined ? undefined : nameOf('position')];
    const filled: Record<string, ParameterValue> = {
      ...(head && headParameter !== undefined ? { [headParameter]: `${head.layer}.${head.head}` } : {}),
      ...(position === undefined || positionParameter === undefined ? {} : { [positionParameter]: String(position) }),
    };
    const now = (name: string | undefined) => name === undefined ? '' : String(state?.params[name] ?? analysis.params[name]?.default ?? '');
    const changes = analysis.id !== state?.analysis
      || (head && headParameter !== undefined && plainHead(now(headParameter)) !== filled[headParameter])
      || (position !== undefined && positionParameter !== undefined && plainPosition(now(positionParameter), positions) !== plainPosition(String(position), positions));
    if (Object.keys(filled).length === 0 || !changes) return [];
    const title = [
      analysis.title,
      ...(head && headParameter !== undefined ? [`of ${headTitle(head)}`] : []),
      ...(position === undefined || positionParameter === undefined ? [] : [`at ${positions[position] ?? position}`]),
    ].join(' ');
    // The analysis that is shown keeps what else is set.
    return [{ title, analysis: analysis.id, params: analysis.id === state?.analysis ? { ...definedOf(state.params), ...filled } : filled }];
  });
}

function definedOf(params: PanelState['params']): Record<string, ParameterValue> {
  return Object.fromEntries(Object.entries(params).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]));
}
