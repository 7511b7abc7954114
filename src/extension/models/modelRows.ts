import { formatShape } from '../../common/tensor';
import { shortSourceText } from '../../protocol/checkpointFile';
import type { ModelDetails, ModelOrigin, ModelStatus, ModelSummary } from '../../protocol/model';
import { countText, escapeMarkdown, formatCount, formatLoss, formatMetrics, formatProgress, formatRemaining } from '../format';
import { canFineTune, isRunning } from './modelList';
import { nodeId, type ModelNode, type ParameterGroup } from './modelNodes';

/** How a row of the tree looks and sounds; the view makes a `TreeItem` of it. */
export interface Row {
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  /** Markdown. */
  readonly tooltip?: string;
  /** A codicon, with the theme's colour for it. */
  readonly icon: { readonly id: string; readonly color?: string };
  /** Words that `when` clauses look for. */
  readonly context: string;
  readonly opens: boolean;
  /** What a screen reader says. */
  readonly spoken: string;
}

/** What is known beside the summary of a row's model. */
export interface RowFacts {
  /** For the rows below a model. */
  readonly details?: ModelDetails | undefined;
  /** For those of heads. */
  readonly badges?: readonly string[];
  /** What the model was fine-tuned from, if that is still there. */
  readonly base?: ModelSummary | undefined;
  /** How many models were fine-tuned from it. */
  readonly tuned?: number;
  /** What begins by itself when it is trained, by name. */
  readonly next?: readonly string[];
  /** Whether names in code are of this model. */
  readonly pinned?: boolean;
  /** The breakpoint that it waits at. */
  readonly pausedBy?: string | undefined;
}

export function rowOf(node: ModelNode, model: ModelSummary, { details, badges = [], base, tuned = 0, next = [], pinned = false, pausedBy }: RowFacts = {}): Row {
  const id = nodeId(node);
  switch (node.kind) {
    case 'model':
      return modelRow(id, model, { base, next, pinned, pausedBy });
    case 'checkpoints': {
      const count = details?.checkpoints.length ?? 0;
      return { id, ...plain('Checkpoints', 'history', 'checkpoints', true), description: formatCount(count), spoken: `Checkpoints: ${count}` };
    }
    case 'checkpoint': {
      const label = `Step ${formatCount(node.checkpoint)}`;
      return { id, ...plain(label, 'git-commit', 'checkpoint', false), spoken: `Checkpoint at step ${node.checkpoint}` };
    }
    case 'layer': {
      const parts = `${model.n_heads} ${model.n_heads === 1 ? 'head' : 'heads'}${model.attn_only ? '' : ', MLP'}`;
      const label = `Layer ${node.layer}`;
      return { id, ...plain(label, 'layers', 'layer', true), description: parts, spoken: `${label}: ${parts}` };
    }
    case 'head':
      return headRow(id, node, badges);
    case 'group': {
      const { label, icon } = groups[node.group];
      const spoken = node.layer === undefined ? label : `${label} of layer ${node.layer}`;
      return { id, ...plain(label, icon, node.group, true), spoken };
    }
    case 'parameter':
      return parameterRow(id, node.name, details);
    case 'tuned': {
      return { id, ...plain('Fine-tuned', 'repo-forked', 'tuned', true), description: formatCount(tuned), spoken: `Fine-tuned from ${model.name}: ${countText(tuned, 'model')}` };
    }
    case 'problem':
      return { id, ...plain(node.message, 'error', 'problem', false), tooltip: escapeMarkdown(node.message), spoken: node.message };
    default:
      return node satisfies never;
  }
}

const groups: Readonly<Record<ParameterGroup, { readonly label: string; readonly icon: string }>> = {
  embedding: { label: 'Embedding', icon: 'symbol-array' },
  attention: { label: 'Attention Weights', icon: 'symbol-array' },
  mlp: { label: 'MLP', icon: 'circuit-board' },
  unembedding: { label: 'Unembedding', icon: 'symbol-array' },
  other: { label: 'Other Parameters', icon: 'symbol-array' },
};

function plain(label: string, icon: string, context: string, opens: boolean): Pick<Row, 'label' | 'icon' | 'context' | 'opens'> {
  return { label, icon: { id: icon }, context, opens };
}

function headRow(id: string, { layer, head }: Extract<ModelNode, { readonly kind: 'head' }>, badges: readonly string[]): Row {
  const name = `Head ${head} of layer ${layer}`;
  const row = { id, ...plain(`L${layer}H${head}`, 'eye', 'head', false) };
  const opens = 'Opens its attention\\.';
  if (badges.length === 0) return { ...row, tooltip: `${name}\\. ${opens}`, spoken: name };
  const description = badges.join(' · ');
  return { ...row, description, tooltip: `${name}: ${escapeMarkdown(description)}\n\n${opens}`, spoken: [name, ...badges].join(', ') };
}

function parameterRow(id: string, name: string, details: ModelDetails | undefined): Row {
  const parameter = details?.parameters.find(candidate => candidate.name === name);
  const shape = formatShape(parameter?.shape ?? []);
  const frozen = parameter?.trainable === false ? ' · fixed' : '';
  return {
    id,
    ...plain(name.slice(name.lastIndexOf('.') + 1), 'symbol-numeric', 'parameter', false),
    description: `${shape}${frozen}`,
    tooltip: `\`${name}\` ${escapeMarkdown(`${shape}${frozen}`)}`,
    spoken: `Parameter ${name}, shape ${(parameter?.shape ?? []).join(' by ')}${frozen && ', fixed'}`,
  };
}

const statusIcons: Readonly<Record<ModelStatus, Row['icon']>> = {
  training: { id: 'sync~spin' },
  paused: { id: 'debug-pause' },
  finished: { id: 'pass', color: 'testing.iconPassed' },
  stopped: { id: 'debug-stop' },
  interrupted: { id: 'warning', color: 'list.warningForeground' },
  failed: { id: 'error', color: 'list.errorForeground' },
};

function modelRow(id: string, model: ModelSummary, { base, next = [], pinned = false, pausedBy }: RowFacts): Row {
  // Below its base it goes without saying.
  const from = model.from && !base ? [`from ${model.from.name}`] : [];
  const then = next.length > 0 ? [`then ${next.join(', ')}`] : [];
  const description = [modelDescription(model, pausedBy), ...from, ...then].join(' · ');
  const words = [
    'model', model.status, isRunning(model) ? 'running' : 'ended', ...(model.resumable && !isRunning(model) ? ['resumable'] : []),
    ...(canFineTune(model) ? ['tunable'] : []), ...(next.length > 0 ? ['awaited'] : []), ...(pinned ? ['pinned'] : []),
    ...(model.source ? ['imported'] : []),
  ];
  return {
    id,
    label: model.name,
    // First, as the end is cut off where the tree is narrow.
    description: pinned ? `pinned · ${description}` : description,
    tooltip: modelTooltip(model, base, pausedBy),
    icon: statusIcons[model.status],
    context: words.join(' '),
    opens: true,
    spoken: `${spokenModel(model, description)}${pinned ? ', pinned' : ''}`,
  };
}

function spokenModel({ name, status }: ModelSummary, description: string): string {
  const parts = description.split(' · ');
  return `Model ${[name, ...(parts[0]?.startsWith(status) === true ? [] : [status]), ...parts].join(', ')}`;
}

/** `step 420/1,000 · loss 0.0123` of a model under way, what came of it afterwards; first the breakpoint that it waits at. */
export function modelDescription(model: ModelSummary, pausedBy?: string): string {
  const { status, progress, metrics } = model;
  const step = `step ${formatProgress(progress)}`;
  const loss = metrics.trainLoss ?? metrics.testLoss;
  const measured = isRunning(model) ? (loss === undefined ? undefined : `loss ${formatLoss(loss)}`) : formatMetrics(metrics);
  const parts = status === 'training' ? [step, measured]
    : status === 'finished' && model.source ? [shortSourceText(model.source), measured]
    : status === 'finished' ? [measured ?? step]
    : status === 'failed' ? [status, step]
    : pausedBy !== undefined ? [`${status} at a breakpoint`, pausedBy, step]
    : [status, step, measured];
  return parts.filter(part => part !== undefined).join(' · ');
}

/** `base, step 2,000`: what a model was fine-tuned from, by the name that it has now. */
export function originOf({ name, checkpoint }: ModelOrigin, base: ModelSummary | undefined): string {
  const weights = checkpoint === undefined ? '' : `, step ${formatCount(checkpoint)}`;
  return `${base?.name ?? name}${weights}${base ? '' : ' (deleted)'}`;
}

function modelTooltip(model: ModelSummary, base: ModelSummary | undefined, pausedBy: string | undefined): string {
  const remaining = formatRemaining(model.progress);
  const heads = `${model.n_layers} × ${model.n_heads} heads${model.attn_only ? ', attention only' : ''}`;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Status', model.status],
    ['Breakpoint', pausedBy],
    ['Problem', model.problem],
    ['Step', model.source ? undefined : formatProgress(model.progress)],
    ['Remaining', model.status === 'training' ? remaining : undefined],
    ['Weights', model.source && shortSourceText(model.source)],
    ['Result', formatMetrics(model.metrics)],
    ['Fine-tuned from', model.from && originOf(model.from, base)],
    ['Task', model.task],
    ['Layers', heads],
    ['Created', new Date(model.createdAt).toLocaleString()],
    ['Id', model.id],
  ];
  const lines = facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${escapeMarkdown(value)}`]));
  return [`**${escapeMarkdown(model.name)}**`, lines.join('  \n')].join('\n\n');
}
