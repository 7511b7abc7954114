import type { Report } from '../../../../src/cli/report/page';
import { Random } from '../../../../src/common/random';
import type { AnalysisGroup, AnalysisInfo } from '../../../../src/protocol/analysis';
import type { AttentionFigure, Figure } from '../../../../src/protocol/figure';
import type { ModelDetails } from '../../../../src/protocol/model';
import { onCircle } from '../../../../src/protocol/network/circle';

/** A report with a figure of every kind, and texts that would break a page that does not escape them. */
export function sampleReport(): Report {
  return {
    details: sampleDetails,
    seconds: 14.2,
    version: '0.1.0',
    madeAt: new Date('2026-11-21T12:00:00Z'),
    sections: [
      { analysis: info('training-curves', 'Training curves', 'Training', { final: 'last <loss>' }), outcome: { figures: [curves(), bars()], scalars: { final: 1.25e-5 } } },
      { analysis: info('attention', 'Attention', 'Attention'), outcome: { figures: [attention()], scalars: {} } },
      { analysis: info('broken', 'Broken', 'Weights'), outcome: { problem: 'The model has no <MLP>.' } },
      { analysis: info('composition', 'Composition', 'Weights'), outcome: { figures: [graph(), large()], scalars: {}, finding: 'composes through the <keys>' } },
      { analysis: info('patching', 'Patching', 'Interventions'), outcome: { figures: [heatmap('diverging'), heatmap('sequential')], scalars: {} } },
      { analysis: info('others', 'Others', 'Interventions'), outcome: { figures: [histogram(), network(), table()], scalars: {}, finding: 'nothing else' } },
    ],
  };
}

export const sampleDetails: ModelDetails = {
  summary: {
    id: '3f9a52c1d0', name: 'array-update <script>alert(1)</script>', task: 'array-update', status: 'finished',
    progress: { step: 1000, steps: 1000, secondsPerStep: 0.0142 },
    metrics: { trainLoss: 0.00042, testLoss: 0.00091, testAccuracy: 0.99987, testExactMatch: 0.9996 },
    n_layers: 2, n_heads: 4, attn_only: false, createdAt: 0, path: '/models/array-update', resumable: false,
  },
  experiment: {
    name: 'array-update', seed: 0, task: { name: 'array-update', parameters: { length: 3 } },
    model: {
      n_layers: 2, n_heads: 4, d_model: 64, d_head: 16, d_mlp: 256, attn_only: false, act_fn: 'relu', normalization_type: null, eps: 1e-5,
      positional_embedding_type: 'standard', attention_dir: 'causal', use_attn_scale: true, biases: true, frozen: [], identity: [], init_mode: 'gpt2',
    },
    training: {
      steps: 1000, batch: 128, optimizer: 'adamw', learningRate: 1e-3, weightDecay: 0, weightDecayGroups: [], betas: [0.9, 0.999], epsilon: 1e-8,
      schedule: { kind: 'constant' }, evaluateEvery: 100, evaluationExamples: 10_000, checkpointEvery: 100,
    },
    claims: [],
  },
  config: {
    n_layers: 2, n_heads: 4, d_model: 64, d_head: 16, d_mlp: 256, attn_only: false, act_fn: 'relu', normalization_type: null, eps: 1e-5,
    positional_embedding_type: 'standard', attention_dir: 'causal', use_attn_scale: true, biases: true, frozen: [], identity: [], init_mode: 'gpt2',
    initializer_range: 0.1, d_vocab: 53, d_vocab_out: 53, n_ctx: 13,
  },
  parameters: [
    { name: 'embed.W_E', shape: [53, 64], trainable: true },
    { name: 'blocks.0.attn.W_Q', shape: [4, 64, 16], trainable: true },
    { name: 'unembed.b_U', shape: [53], trainable: false },
  ],
  checkpoints: [100, 1000],
};

const random = new Random(0, 'report');

function info(id: string, title: string, group: AnalysisGroup, scalars: Record<string, string> = {}): AnalysisInfo {
  return { id, title, description: `What "${title}" shows & why.`, group, params: {}, scalars, badges: false, live: false, atCheckpoint: true };
}

function curves(): Figure {
  const x = Float64Array.from({ length: 3000 }, (_, i) => i);
  return {
    kind: 'lines', title: 'Loss', caption: 'Mean cross-entropy in nats.', x: { title: 'step' }, y: { title: 'loss', logarithmic: true },
    series: [
      { name: 'training', x, y: x.map(step => 4 * Math.exp(-step / 240) + 1e-5 + 2e-6 * random.uniform()) },
      { name: 'test', x: x.filter(step => step % 100 === 0), y: x.filter(step => step % 100 === 0).map(step => 4 * Math.exp(-step / 300) + (step === 500 ? -4 : 4e-5)) },
    ],
    marks: Array.from({ length: 30 }, (_, i) => ({ x: i * 100, label: `checkpoint ${i * 100}` })),
  };
}

function bars(): Figure {
  return {
    kind: 'bars', title: 'Logit attribution', x: { title: 'component', labels: ['embed', 'head 0.0', 'head 0.1', 'MLP 0', 'head 1.0 & "friends"'] }, y: { title: 'logits' },
    series: [
      { name: 'right', values: Float64Array.of(0.2, 1.4, -0.6, 2.2, 3.1) },
      { name: 'wrong', values: Float64Array.of(0.1, -1.2, 0.4, 0.2, -2.4) },
    ],
  };
}

function attention(): AttentionFigure {
  const tokens = ['BOS', 'a1', 'a2', 'a3', '\n', 'idx', 'elt', '\n', 'b1', 'b2', 'b3', '<b>', '&'];
  const T = tokens.length;
  const allowed = Uint8Array.from({ length: T * T }, (_, i) => (i % T <= Math.floor(i / T) ? 1 : 0));
  const pattern = () => {
    const values = Float32Array.from({ length: T * T }, (_, i) => (allowed[i] === 1 ? random.uniform() ** 6 + 1e-3 : 0));
    for (let row = 0; row < T; row++) {
      const line = values.subarray(row * T, (row + 1) * T);
      const total = line.reduce((a, b) => a + b, 0);
      line.forEach((value, i) => (line[i] = value / total));
    }
    return values;
  };
  const heads = Array.from({ length: 8 }, (_, i) => ({ layer: Math.floor(i / 4), head: i % 4, pattern: pattern() }));
  return { kind: 'attention', title: 'Attention', caption: 'Mean over 128 examples.', tokens, allowed, heads };
}

function heatmap(scale: 'diverging' | 'sequential'): Figure {
  const [rows, columns] = [3, 8];
  return {
    kind: 'heatmap', title: `Patching, ${scale}`, x: { title: 'position', labels: ['BOS', 'a1', 'a2', 'a3', '↵', 'idx', 'elt', '='] }, y: { title: 'layer' },
    rows, columns, values: Float32Array.from({ length: rows * columns }, () => random.normal()),
    present: Uint8Array.from({ length: rows * columns }, (_, i) => (i % 7 === 3 ? 0 : 1)), scale, unit: 'nats',
  };
}

function large(): Figure {
  return {
    kind: 'heatmap', title: 'OV circuit', x: { title: 'logit' }, y: { title: 'source token' }, rows: 113, columns: 113,
    values: Float32Array.from({ length: 113 * 113 }, (_, i) => Math.cos((2 * Math.PI * 5 * (Math.floor(i / 113) - (i % 113))) / 113)), scale: 'diverging', unit: '',
  };
}

function histogram(): Figure {
  const counts = new Float32Array(20 * 40);
  for (let i = 0; i < 4000; i++) {
    const [x, y] = [20 + 6 * random.normal(), 10 + 3 * random.normal()].map(Math.floor);
    if (x !== undefined && y !== undefined && x >= 0 && x < 40 && y >= 0 && y < 20) counts[y * 40 + x] = (counts[y * 40 + x] ?? 0) + 1;
  }
  return {
    kind: 'histogram2d', title: 'Scores and logits', x: { title: 'score' }, y: { title: 'logit' },
    xEdges: Float64Array.from({ length: 41 }, (_, i) => -2 + i / 10), yEdges: Float64Array.from({ length: 21 }, (_, i) => i), counts,
  };
}

function graph(): Figure {
  const nodes = ['0.0', '0.1', '1.0', '1.1'].map((label, i) => ({ id: label, label: `head ${label}`, column: Math.floor(i / 2), row: i % 2 }));
  return { kind: 'graph', title: 'Composition', nodes, edges: [{ from: '0.0', to: '1.1', weight: 0.8 }, { from: '0.1', to: '1.0', weight: -0.3 }] };
}

function network(): Figure {
  const nodes = [1, 2, 3, 4, 5].map((vertex, at) => ({ id: String(vertex), label: String(vertex), ...onCircle(at, 5) }));
  const links = [[1, 3], [3, 4], [2, 4], [3, 5]].map(([from, to], at) => ({ from: String(from), to: String(to), marked: at < 3 }));
  return {
    kind: 'network', title: 'Attention over the graph', links,
    nodes: nodes.map((node, at) => ({ ...node, ...(at === 0 && { mark: 'start' as const }), ...(at === 1 && { mark: 'end' as const }) })),
    arrows: links.flatMap((_, from) => links.map((__, to) => ({ from: { link: from }, to: { link: to }, weight: from === to ? 0.1 : 0.3 }))),
  };
}

function table(): Figure {
  return {
    kind: 'table', title: 'Examples', columns: [{ title: 'prompt', numeric: false }, { title: 'loss', numeric: true }],
    rows: [['BOS 1 2 3', 0.00012], ['<img src=x onerror=alert(1)>', 12345.678]],
  };
}
