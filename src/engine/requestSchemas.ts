import * as v from 'valibot';
import { devices, sweepControls } from '../protocol/engine';
import { experimentFileLimit } from '../protocol/experiment';
import { curvesLimit, runsLimit, sweepMetrics } from '../protocol/sweep';
import { SweepOptionsSchema } from '../protocol/sweepOptions';

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
});

export const modelReference = v.strictObject({ model: id });

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

export const controlRequest = v.strictObject({ model: id, action: v.picklist(['stop', 'pause', 'resume', 'retrain', 'delete']) });

export const renameRequest = v.strictObject({ model: id, name: text });

/** Longer texts than an experiment may have get an answer of their own, and so come this far. */
export const checkRequest = v.strictObject({ text: v.pipe(v.string(), v.maxLength(64 * experimentFileLimit)), folder });

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

export const sweepRequest = v.strictObject({ ...experimentEntries, options: SweepOptionsSchema, confirmed: v.exactOptional(v.boolean()) });

export const sweepReference = v.strictObject({ sweep: id });

export const curvesRequest = v.strictObject({
  sweep: id,
  metric: v.picklist(sweepMetrics),
  runs: v.pipe(v.array(whole(0, runsLimit)), v.maxLength(curvesLimit)),
});

export const sweepControlRequest = v.strictObject({ sweep: id, action: v.picklist(sweepControls) });
