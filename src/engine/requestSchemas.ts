import * as v from 'valibot';
import { processingSteps, TaskBindingSchema } from '../protocol/checkpointFile';
import { sliceLimit } from '../protocol/checkpointFile';
import { devices, sweepControls } from '../protocol/engine';
import { BreakpointSchema, experimentFileLimit } from '../protocol/experiment';
import { curvesLimit, runsLimit, sweepMetrics } from '../protocol/sweep';
import { SweepOptionsSchema } from '../protocol/sweepOptions';
import { toolNames } from '../protocol/tools';

// What the engine's requests may hold. Every text and list has a longest, so that no message is larger than its work.

const text = v.pipe(v.string(), v.maxLength(1000));
const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const id = v.pipe(v.string(), v.regex(/^[\w.-]{1,128}$/));
const step = whole(0, 1e9);
const folder = v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(10_000)));
const experimentText = v.pipe(v.string(), v.maxLength(experimentFileLimit));

export const settings = v.strictObject({
  store: v.pipe(v.string(), v.minLength(1), v.maxLength(10_000)),
  device: v.picklist(devices),
  threads: whole(0, 1024),
  trusted: v.boolean(),
});

export const modelReference = v.strictObject({ model: id });

/** An absolute path. */
const file = v.pipe(v.string(), v.minLength(1), v.maxLength(10_000));
export const importOrder = v.strictObject({
  file,
  name: v.exactOptional(text),
  configFile: v.exactOptional(file),
  config: v.exactOptional(v.pipe(v.record(text, v.unknown()), v.check(fields => Object.keys(fields).length <= 100, 'a config has fewer fields'))),
  binding: v.exactOptional(TaskBindingSchema),
});

export const processRequest = v.strictObject({
  model: id,
  checkpoint: v.exactOptional(step),
  steps: v.pipe(v.array(v.picklist(processingSteps)), v.maxLength(processingSteps.length)),
  name: v.exactOptional(text),
});

export const exportRequest = v.strictObject({ model: id, checkpoint: v.exactOptional(step), file });

export const pictureRequest = v.strictObject({ model: id, name: text, head: v.exactOptional(whole(0, 256)) });

/** An experiment and what is changed in it. */
const experimentEntries = {
  experiment: v.union([v.strictObject({ text: experimentText, folder }), v.strictObject({ bundled: text })]),
  seed: v.exactOptional(whole(0, 0x7fffffff)),
  steps: v.exactOptional(step),
  set: v.exactOptional(v.pipe(v.array(text), v.maxLength(100))),
};

export const trainRequest = v.strictObject({
  ...experimentEntries,
  retrain: v.exactOptional(v.boolean()),
  device: v.exactOptional(v.picklist(devices)),
  force: v.exactOptional(v.boolean()),
});

const { experiment, seed } = experimentEntries;
export const verifyRequest = v.strictObject({
  experiment,
  seed,
  force: v.exactOptional(v.boolean()),
  claims: v.exactOptional(v.pipe(v.array(whole(0, 100_000)), v.maxLength(100_000))),
  checkpoint: v.exactOptional(step),
  train: v.boolean(),
  progress: v.exactOptional(text),
});

export const controlRequest = v.strictObject({ model: id, action: v.picklist(['stop', 'pause', 'resume', 'step', 'retrain', 'delete']) });

export const setBreakpointsRequest = v.strictObject({ model: id, breakpoints: v.pipe(v.array(BreakpointSchema), v.maxLength(100)) });

export const renameRequest = v.strictObject({ model: id, name: text });

/** Longer texts than an experiment may have get an answer of their own, and so come this far. */
export const standingRequest = v.strictObject({ text: v.pipe(v.string(), v.maxLength(64 * experimentFileLimit)), folder });

export const analysisRequest = v.strictObject({
  model: id,
  analysis: text,
  params: v.pipe(
    v.record(v.pipe(v.string(), v.maxLength(200)), v.union([v.number(), v.boolean(), v.pipe(v.string(), v.maxLength(100_000))])),
    v.check(values => Object.keys(values).length <= 100, 'an analysis has fewer parameters'),
  ),
  checkpoint: v.exactOptional(step),
  against: v.exactOptional(v.strictObject({ model: id, checkpoint: v.exactOptional(step) })),
  progress: v.exactOptional(text),
});

/** A figure of a result, by its place. */
const { progress: _, ...analysisEntries } = analysisRequest.entries;
export const codeRequest = v.strictObject({ ...analysisEntries, figure: whole(0, 100_000) });

export const sweepRequest = v.strictObject({ ...experimentEntries, options: SweepOptionsSchema, confirmed: v.exactOptional(v.boolean()) });

export const bindRequest = v.strictObject({ model: id, binding: TaskBindingSchema });

export const sweepReference = v.strictObject({ sweep: id });

export const curvesRequest = v.strictObject({
  sweep: id,
  metric: v.picklist(sweepMetrics),
  runs: v.pipe(v.array(whole(0, runsLimit)), v.maxLength(curvesLimit)),
});

export const sweepControlRequest = v.strictObject({ sweep: id, action: v.picklist(sweepControls) });

export const toolCall = v.strictObject({ tool: v.picklist(toolNames), input: v.unknown(), folder });

const filePath = v.pipe(v.string(), v.minLength(1), v.maxLength(10_000));
const tensorName = v.pipe(v.string(), v.maxLength(100_000));
const place = whole(0, Number.MAX_SAFE_INTEGER);
const range = v.strictObject({ from: place, count: whole(1, sliceLimit) });

export const fileReference = v.strictObject({ file: filePath });

export const tensorReference = v.strictObject({ file: filePath, tensor: tensorName });

export const sliceRequest = v.strictObject({ file: filePath, tensor: tensorName, index: v.pipe(v.array(place), v.maxLength(100)), rows: range, columns: range });
