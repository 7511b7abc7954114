import type { EngineState } from './engine';
import type { DeviceStatus } from '../protocol/engine';
import type { ModelSummary } from '../protocol/model';
import { modelDescription } from './models/modelRows';

export interface DiagnosticsFacts {
  readonly version: string;
  readonly editor: string;
  readonly system: string;
  readonly activationMilliseconds: number;
  /** Delays of the extension host's event loop while the facts were collected, in milliseconds. */
  readonly loopDelay: { readonly median: number; readonly percentile99: number; readonly longest: number };
  readonly settings: Readonly<Record<string, unknown>>;
  readonly trusted: boolean;
  readonly engine: EngineState;
  readonly devices: readonly DeviceStatus[];
  readonly models: readonly ModelSummary[];
}

/** A page of Markdown for a report of a problem: what runs where, without names of folders or people. */
export function diagnosticsReport(facts: DiagnosticsFacts): string {
  const { loopDelay, models } = facts;
  const milliseconds = (value: number) => `${value.toFixed(1)} ms`;
  const lines = [
    '# Circuit Explorer diagnostics',
    '',
    `- Extension: ${facts.version}, activated in ${milliseconds(facts.activationMilliseconds)}`,
    `- Editor: ${facts.editor}`,
    `- System: ${facts.system}`,
    `- Workspace: ${facts.trusted ? 'trusted' : 'restricted'}`,
    `- Event loop delay: median ${milliseconds(loopDelay.median)}, 99th percentile ${milliseconds(loopDelay.percentile99)}, longest ${milliseconds(loopDelay.longest)}`,
    '',
    '## Settings',
    '',
    ...Object.entries(facts.settings).map(([name, value]) => `- \`${name}\`: ${JSON.stringify(value)}`),
    '',
    '## Engine',
    '',
    ...engineLines(facts),
    '',
    '## Models',
    '',
    ...(models.length === 0 ? ['None.'] : models.map(model => `- ${model.id}: ${model.status}, ${modelDescription(model)}${model.problem === undefined ? '' : `, ${model.problem}`}`)),
    '',
  ];
  return lines.join('\n');
}

function engineLines({ engine, devices }: DiagnosticsFacts): readonly string[] {
  if (engine.kind === 'failed') return [`It failed: ${engine.problem}`];
  if (engine.kind !== 'ready') return [`It is ${engine.kind}.`];
  const { version, processId, analyses, tasks } = engine.info;
  return [
    `- Version ${version}, process ${processId}`,
    ...devices.map(({ device, available, description }) => `- Device ${device}${available ? '' : ' (not there)'}: ${description}`),
    `- Analyses: ${analyses.map(({ id }) => id).join(', ')}`,
    `- Tasks: ${tasks.map(({ id }) => id).join(', ')}`,
  ];
}
