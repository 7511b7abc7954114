import { createMessageConnection, ResponseError } from 'vscode-jsonrpc';
import { IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { parameterNames } from './fakeParameters';
import type { AnalysisInfo, AnalysisResult } from '../../src/protocol/analysis';
import * as protocol from '../../src/protocol/engine';
import type { ModelDetails, ModelSummary } from '../../src/protocol/model';
import type { SweepSummary } from '../../src/protocol/sweep';

/**
 * A process that speaks the engine's protocol with made-up models, so that the extension can be tested without training.
 * Experiments named `crash`, `refuse`, `slow`, `unconfigured` and `untrained` do what they say.
 */
const connection = createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process));
const models = new Map<string, ModelSummary>();
const timers = new Map<string, NodeJS.Timeout>();

const analyses: readonly AnalysisInfo[] = [
  {
    id: 'training-curves', title: 'Training curves', description: 'Losses by step.', group: 'Training', badges: false, live: true, atCheckpoint: false,
    params: {}, scalars: { steps: 'steps done' },
  },
  {
    id: 'attention', title: 'Attention', description: 'Where every head looks.', group: 'Attention', badges: false, live: false, atCheckpoint: true,
    params: { prompt: { kind: 'prompt', default: '', title: 'Prompt', description: 'Tokens separated by spaces.' } },
    scalars: { entropy: 'mean entropy of the rows, in nats' },
  },
];

function put(change: Partial<ModelSummary> & Pick<ModelSummary, 'id'>): ModelSummary {
  const model: ModelSummary = { ...(models.get(change.id) ?? blank(change.id)), ...change };
  models.set(model.id, model);
  void connection.sendNotification(protocol.modelsChanged, { changed: [model], removed: [] });
  return model;
}

function blank(id: string): ModelSummary {
  return {
    id, name: id, task: 'array-update', status: 'training', progress: { step: 0, steps: 100 }, metrics: {}, n_layers: 2,
    n_heads: 4, attn_only: true, createdAt: 1_700_000_000_000, path: `/models/${id}`, resumable: false,
  };
}

function known(id: string): ModelSummary {
  const model = models.get(id);
  if (!model) throw new ResponseError(protocol.userErrorCode, `There is no model "${id}".`);
  return model;
}

function details(id: string): ModelDetails {
  const summary = known(id);
  return {
    summary,
    experiment: { name: summary.name, seed: 0, task: { name: summary.task, parameters: {} } } as unknown as ModelDetails['experiment'],
    config: { n_layers: summary.n_layers, n_heads: summary.n_heads } as ModelDetails['config'],
    parameters: parameterNames(summary.n_layers).map(name => ({ name, shape: [4, 8], trainable: true })),
    checkpoints: Array.from({ length: Math.floor(summary.progress.step / 10) }, (_, i) => (i + 1) * 10),
  };
}

function advance(id: string): void {
  const { progress } = known(id);
  const step = Math.min(progress.steps, progress.step + 1);
  const done = step === progress.steps;
  if (done) halt(id);
  put({ id, progress: { ...progress, step }, metrics: { trainLoss: 4 / (1 + step) }, status: done ? 'finished' : 'training' });
}

function run(id: string): void {
  halt(id);
  timers.set(id, setInterval(() => advance(id), 20));
}

function halt(id: string): void {
  clearInterval(timers.get(id));
  timers.delete(id);
}

connection.onRequest(protocol.initialize, settings => {
  if (settings.store.includes('refuse')) return new ResponseError<void>(protocol.userErrorCode, 'The models folder cannot be written.');
  if (settings.store.includes('crash')) process.exit(3);
  return {
    version: '0.1.0', processId: process.pid, analyses, tasks: [], experiments: ['array-update', 'modular-subtraction'],
  };
});
connection.onRequest(protocol.listDevices, () => [
  { device: 'cpu', available: true, description: 'ONNX Runtime' },
  { device: 'webgpu', available: false, description: 'No adapter was found.' },
  { device: 'tensorflow', available: false, description: 'Run Circuits: Set Up TensorFlow GPU.' },
]);
connection.onRequest(protocol.listModels, () => [...models.values()]);
connection.onRequest(protocol.getModel, ({ model }) => details(model));
connection.onRequest(protocol.getWords, ({ model }) => {
  known(model);
  return { positions: ['BOS', '0', '1'], answerPositions: [2], vocabulary: ['BOS', 'a', 'b'], corruptions: ['swap'] };
});
connection.onRequest(protocol.getBadges, ({ model }) => {
  known(model);
  return [{ layer: 0, head: 1, text: 'previous 0.98' }];
});
connection.onRequest(protocol.train, ({ experiment, steps }) => {
  const name = 'bundled' in experiment ? experiment.bundled : 'from-text';
  if (name === 'crash') process.exit(3);
  if (name === 'refuse') return new ResponseError<void>(protocol.userErrorCode, 'There is no experiment "refuse".');
  if (name === 'unconfigured') return new ResponseError<void>(protocol.configCode, 'Nothing tells n_ctx.');
  if (name === 'slow') return new ResponseError<void>(protocol.tooLongCode, 'It would take about 35 hours.');
  if (name === 'untrained') return new ResponseError(protocol.untrainedOriginCode, 'It starts from "base".', { id: 'b', name: 'base' }) as ResponseError<unknown> as ResponseError<void>;
  if (name === 'defect') throw new TypeError('undefined is not a function');
  const model = put({ id: `${name}-${models.size}`, name, progress: { step: 0, steps: steps ?? 100 } });
  run(model.id);
  return { model, cached: false };
});
connection.onRequest(protocol.controlModel, ({ model, action }) => {
  known(model);
  halt(model);
  if (action === 'stop') put({ id: model, status: 'stopped', resumable: true });
  if (action === 'pause') put({ id: model, status: 'paused' });
  if (action === 'resume' || action === 'retrain') {
    put({ id: model, status: 'training', resumable: false });
    run(model);
  }
  if (action === 'delete') {
    models.delete(model);
    void connection.sendNotification(protocol.modelsChanged, { changed: [], removed: [model] });
  }
  return null;
});
connection.onRequest(protocol.renameModel, ({ model, name }) => put({ id: known(model).id, name }));
connection.onRequest(protocol.applicableAnalyses, () => analyses);
connection.onRequest(protocol.analyze, async ({ model, analysis, progress }, token) => {
  const { step } = known(model).progress;
  if (progress !== undefined) void connection.sendProgress(protocol.analysisProgress, progress, { fraction: 0.5 });
  await new Promise(resolve => setTimeout(resolve, 10));
  if (token.isCancellationRequested) return new ResponseError<void>(-32800, 'Cancelled.');
  return analysis === 'attention' ? attention() : curves(step);
});
connection.onRequest(protocol.startSweep, () => {
  const row = { index: 0, values: { seed: 0 }, model: 'run-0', status: 'training', progress: { step: 0, steps: 100 }, metrics: {} } as const;
  const summary: SweepSummary = {
    id: 'fake-sweep', name: 'seeds', status: 'running', fields: ['seed'], options: { executor: 'local', parallel: 1 }, createdAt: 1_700_000_000_000, counts: { training: 1 },
  };
  void connection.sendNotification(protocol.sweepChanged, { summary, rows: [row] });
  return { ...summary, rows: [row] };
});
connection.listen();
process.on('disconnect', () => process.exit(0));

function attention(): AnalysisResult {
  const tokens = ['BOS', 'a', 'b'];
  const pattern = Float32Array.from([1, 0, 0, 0.25, 0.75, 0, 0.5, 0.25, 0.25]);
  const heads = [0, 1].flatMap(layer => [0, 1, 2, 3].map(head => ({ layer, head, pattern })));
  const allowed = Uint8Array.from([1, 0, 0, 1, 1, 0, 1, 1, 1]);
  return { figures: [{ kind: 'attention', title: 'Attention', tokens, heads, allowed }], scalars: { entropy: 0.5 } };
}

function curves(step: number): AnalysisResult {
  const x = Float64Array.from({ length: step + 1 }, (_, i) => i);
  const series = [{ name: 'train', x, y: x.map(at => 4 / (1 + at)) }];
  const axes = { x: { title: 'step' }, y: { title: 'loss (nats)', logarithmic: true } };
  return { figures: [{ kind: 'lines', title: 'Loss', ...axes, series }], scalars: { steps: step } };
}
