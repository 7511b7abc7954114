import * as v from 'valibot';
import { comparisonViews, exportFormats, type FromPanel, type PanelState } from '../../protocol/panel';
import { parameterSchema, type Parameters } from '../../protocol/parameter';

const natural = v.pipe(v.number(), v.integer(), v.minValue(0));
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(1000));
/** The parameters that a panel shows something with, by their names. */
export const Params = v.record(v.string(), v.union([v.pipe(v.number(), v.finite()), v.boolean(), v.pipe(v.string(), v.maxLength(100_000))]));

const FromPanelSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('ready') }),
  v.strictObject({ kind: v.literal('change'), params: Params, checkpoint: v.optional(natural) }),
  v.strictObject({ kind: v.literal('move'), checkpoint: v.optional(natural) }),
  v.strictObject({ kind: v.literal('link'), linked: v.boolean() }),
  v.strictObject({ kind: v.literal('compare') }),
  v.strictObject({ kind: v.literal('stopComparing') }),
  v.strictObject({ kind: v.literal('view'), view: v.picklist(comparisonViews) }),
  v.strictObject({ kind: v.literal('select'), layer: natural, head: natural }),
  v.strictObject({ kind: v.literal('open'), analysis: name, params: Params }),
  v.strictObject({ kind: v.literal('claim'), figure: natural }),
  v.strictObject({ kind: v.literal('code'), figure: natural }),
  v.strictObject({
    kind: v.literal('save'),
    name,
    format: v.picklist(exportFormats),
    content: v.union([v.string(), v.instance(Uint8Array)]),
  }),
  v.strictObject({ kind: v.literal('cancel') }),
  v.strictObject({ kind: v.literal('failed'), message: v.string() }),
]);
/** What a panel may say, once it has been checked. */
export type PanelMessage = v.InferOutput<typeof FromPanelSchema>;

// Every kind of message that panels send is checked here, and nothing else is let in.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
const complete: Same<PanelMessage['kind'], FromPanel['kind']> = true;
void complete;

/** The message if it is one; a panel that sends anything else is not believed. */
export function readPanelMessage(message: unknown): PanelMessage | undefined {
  const result = v.safeParse(FromPanelSchema, message);
  return result.success ? result.output : undefined;
}

const PanelStateSchema = v.object({
  model: name, analysis: name, params: v.fallback(Params, {}), checkpoint: v.optional(natural), linked: v.optional(v.boolean()),
  against: v.fallback(v.optional(v.strictObject({ model: name, checkpoint: v.exactOptional(natural) })), undefined),
  view: v.fallback(v.optional(v.picklist(comparisonViews)), undefined),
});

/** What VS Code kept of a panel, if it still makes sense. */
export function readPanelState(state: unknown): PanelState | undefined {
  const result = v.safeParse(PanelStateSchema, state);
  if (!result.success) return undefined;
  const { model, analysis, params, checkpoint, linked, against, view } = result.output;
  return {
    ...panelState(model, analysis, params, checkpoint), ...(linked === undefined ? {} : { linked }), ...(against && { against }), ...(view && { view }),
  };
}

export function panelState(model: string, analysis: string, params: PanelState['params'], checkpoint: number | undefined): PanelState {
  return { model, analysis, params, ...(checkpoint === undefined ? {} : { checkpoint }) };
}

/** Those of the values that an analysis with these parameters takes. */
export function fittingParams(parameters: Parameters, values: PanelState['params']): PanelState['params'] {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    return parameter !== undefined && v.is(parameterSchema(parameter), value);
  }));
}

/** A file name made of a figure's: nothing that leads out of the folder or that a file system refuses. */
export function exportFileName(figure: string, format: string): string {
  const base = figure
    .replace(new RegExp(`\\.${format}$`, 'i'), '')
    // Separators, what Windows forbids, and control characters.
    .replace(/[\\/:*?"<>|\p{Cc}]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '')
    .slice(0, 120);
  return `${base === '' ? 'figure' : base}.${format}`;
}
