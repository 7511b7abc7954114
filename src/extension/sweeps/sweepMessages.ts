import * as v from 'valibot';
import { exportFormats } from '../../protocol/panel';
import { curvesLimit, runsLimit, sweepMetrics } from '../../protocol/sweep';
import { tableFormats, type FromSweepPanel, type SweepPanelState } from '../../protocol/sweepPanel';

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(1000));

const Sorting = v.strictObject({ column: name, direction: v.picklist(['ascending', 'descending']) });
const StateSchema = v.strictObject({
  sweep: name, metric: v.exactOptional(v.picklist(sweepMetrics)), field: v.exactOptional(name), sorting: v.exactOptional(Sorting),
});
const FromSweepPanelSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('ready') }),
  v.strictObject({ kind: v.literal('state'), state: StateSchema }),
  v.strictObject({ kind: v.literal('control'), action: v.picklist(['cancel', 'resume']) }),
  v.strictObject({
    kind: v.literal('curves'),
    metric: v.picklist(sweepMetrics),
    runs: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(runsLimit))), v.maxLength(curvesLimit)),
  }),
  v.strictObject({ kind: v.literal('open'), model: name }),
  v.strictObject({
    kind: v.literal('save'),
    name,
    format: v.picklist([...exportFormats, ...tableFormats]),
    content: v.union([v.string(), v.instance(Uint8Array)]),
  }),
  v.strictObject({ kind: v.literal('failed'), message: v.string() }),
]) satisfies v.GenericSchema<unknown, FromSweepPanel>;

/** The message if it is one; a panel that sends anything else is not believed. */
export function readSweepMessage(message: unknown): FromSweepPanel | undefined {
  const result = v.safeParse(FromSweepPanelSchema, message);
  return result.success ? result.output : undefined;
}

const KeptSchema = v.object({
  sweep: name,
  metric: v.fallback(v.optional(v.picklist(sweepMetrics)), undefined),
  field: v.fallback(v.optional(name), undefined),
  sorting: v.fallback(v.optional(Sorting), undefined),
});

/** What VS Code kept of a sweep's panel, as far as it still makes sense. */
export function readSweepState(state: unknown): SweepPanelState | undefined {
  const result = v.safeParse(KeptSchema, state);
  if (!result.success) return undefined;
  const { sweep, metric, field, sorting } = result.output;
  return { sweep, ...(metric && { metric }), ...(field && { field }), ...(sorting && { sorting }) };
}
