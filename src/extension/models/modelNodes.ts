import type { ModelDetails, ModelSummary } from '../../protocol/model';
import type { ModelFamilies } from './modelFamilies';

/** A row of the models tree: a model, or a part of one. What it is of is enough for the commands to act on it. */
export type ModelNode =
  | { readonly kind: 'model'; readonly model: string }
  | { readonly kind: 'checkpoints'; readonly model: string }
  | { readonly kind: 'checkpoint'; readonly model: string; readonly checkpoint: number }
  | { readonly kind: 'layer'; readonly model: string; readonly layer: number }
  | { readonly kind: 'head'; readonly model: string; readonly layer: number; readonly head: number }
  | { readonly kind: 'group'; readonly model: string; readonly group: ParameterGroup; readonly layer?: number }
  | { readonly kind: 'parameter'; readonly model: string; readonly name: string }
  /** The models that were fine-tuned from it. */
  | { readonly kind: 'tuned'; readonly model: string }
  | { readonly kind: 'problem'; readonly model: string; readonly message: string };

/** What a click on a row opens, where it opens something. Of a model that was trained elsewhere, and measured by nobody, there are no curves. */
export function analysisOf(node: ModelNode, model: Pick<ModelSummary, 'source' | 'metrics'> | undefined): 'training-curves' | 'attention' | undefined {
  const hasCurves = !model?.source || Object.keys(model.metrics).length > 0;
  if (node.kind === 'model') return hasCurves ? 'training-curves' : 'attention';
  return node.kind === 'head' || node.kind === 'checkpoint' ? 'attention' : undefined;
}

/** The part of a model that a parameter belongs to. */
export type ParameterGroup = 'embedding' | 'attention' | 'mlp' | 'unembedding' | 'other';

/** A text that tells nodes apart, the same each time the same row is made. */
export function nodeId(node: ModelNode): string {
  return [node.model, ...nodePath(node)].join('/');
}

function nodePath(node: ModelNode): readonly (string | number)[] {
  switch (node.kind) {
    case 'model':
    case 'checkpoints':
    case 'tuned':
      return [node.kind];
    case 'problem':
      return [node.kind, node.message];
    case 'checkpoint':
      return [node.kind, node.checkpoint];
    case 'layer':
      return [node.kind, node.layer];
    case 'head':
      return [node.kind, node.layer, node.head];
    case 'group':
      return [node.kind, node.group, node.layer ?? ''];
    case 'parameter':
      return [node.kind, node.name];
    default:
      return node satisfies never;
  }
}

/** Where a parameter stands in the tree: `blocks.1.mlp.W_in` in the MLP of layer 1. */
export function groupOfParameter(name: string): { readonly group: ParameterGroup; readonly layer?: number } {
  const block = /^blocks\.(\d+)\.(attn|ln1|mlp|ln2)\./.exec(name);
  if (block) {
    const group = block[2] === 'attn' || block[2] === 'ln1' ? 'attention' : 'mlp';
    return { group, layer: Number(block[1]) };
  }
  if (/^(pos_)?embed\./.test(name)) return { group: 'embedding' };
  if (/^(unembed|ln_final)\./.test(name)) return { group: 'unembedding' };
  return { group: 'other' };
}

export function parentOf(node: ModelNode, families: Pick<ModelFamilies, 'baseOf'>): ModelNode | undefined {
  const { model } = node;
  switch (node.kind) {
    case 'model': {
      const base = families.baseOf(model);
      return base === undefined ? undefined : { kind: 'tuned', model: base };
    }
    case 'checkpoint':
      return { kind: 'checkpoints', model };
    case 'head':
      return { kind: 'layer', model, layer: node.layer };
    case 'group':
      return node.layer === undefined ? { kind: 'model', model } : { kind: 'layer', model, layer: node.layer };
    case 'parameter':
      return { kind: 'group', model, ...groupOfParameter(node.name) };
    case 'checkpoints':
    case 'layer':
    case 'tuned':
    case 'problem':
      return { kind: 'model', model };
    default:
      return node satisfies never;
  }
}

/** The rows below `node` that stand for parts of its model. */
export function childrenOf(node: ModelNode, details: ModelDetails): readonly ModelNode[] {
  const { model } = node;
  switch (node.kind) {
    case 'model':
      return modelParts(model, details);
    case 'checkpoints':
      return [...details.checkpoints].reverse().map(checkpoint => ({ kind: 'checkpoint', model, checkpoint }));
    case 'layer':
      return layerParts(model, node.layer, details);
    case 'group':
      return parametersOf(node, details).map(name => ({ kind: 'parameter', model, name }));
    case 'checkpoint':
    case 'head':
    case 'parameter':
    case 'tuned':
    case 'problem':
      return [];
    default:
      return node satisfies never;
  }
}

/** The rows at the top: the models, but for those that stand below what they were fine-tuned from. */
export function topNodes(models: readonly { readonly id: string }[], families: Pick<ModelFamilies, 'baseOf'>): readonly ModelNode[] {
  return models.filter(({ id }) => families.baseOf(id) === undefined).map(({ id }) => ({ kind: 'model', model: id }));
}

/** The rows below `node` that lead to other models: those that were fine-tuned from it, which need not be opened to be known. */
export function familyOf(node: ModelNode, families: Pick<ModelFamilies, 'tunedFrom'>): readonly ModelNode[] {
  const tuned = families.tunedFrom(node.model);
  if (node.kind === 'tuned') return tuned.map(model => ({ kind: 'model', model }));
  return node.kind === 'model' && tuned.length > 0 ? [{ kind: 'tuned', model: node.model }] : [];
}

function modelParts(model: string, details: ModelDetails): readonly ModelNode[] {
  const group = (group: ParameterGroup): readonly ModelNode[] => existing({ kind: 'group', model, group }, details);
  return [
    ...(details.checkpoints.length > 0 ? [{ kind: 'checkpoints', model } as const] : []),
    ...group('embedding'),
    ...Array.from({ length: details.summary.n_layers }, (_, layer) => ({ kind: 'layer', model, layer }) as const),
    ...group('unembedding'),
    ...group('other'),
  ];
}

function layerParts(model: string, layer: number, details: ModelDetails): readonly ModelNode[] {
  const heads = Array.from({ length: details.summary.n_heads }, (_, head) => ({ kind: 'head', model, layer, head }) as const);
  const groups = (['attention', 'mlp'] as const).flatMap(group => existing({ kind: 'group', model, group, layer }, details));
  return [...heads, ...groups];
}

type GroupNode = Extract<ModelNode, { readonly kind: 'group' }>;

function existing(node: GroupNode, details: ModelDetails): readonly GroupNode[] {
  return parametersOf(node, details).length > 0 ? [node] : [];
}

function parametersOf(node: GroupNode, details: ModelDetails): readonly string[] {
  return details.parameters
    .map(({ name }) => name)
    .filter(name => {
      const { group, layer } = groupOfParameter(name);
      return group === node.group && layer === node.layer;
    });
}
