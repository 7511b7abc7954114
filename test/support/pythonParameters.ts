import type { ParameterValues } from '../../src/protocol/parameter';
import type { PythonModel } from './pythonCases';

interface Given {
  readonly params: ParameterValues;
  /** The model that they make sense for; absent: each. */
  readonly on?: PythonModel;
}

/** Analysis → parameters, beside its defaults, with which the Python of its figures was run: one a way that the code can take. */
export const pythonParameters: Readonly<Record<string, readonly Given[]>> = {
  attention: [{ params: { prompt: '3 5 =' }, on: 'addition' }, { params: { examples: 3 } }],
  'logit-lens': [{ params: { against: 'largest wrong output', answer: 1 }, on: 'updates' }, { params: { against: 'mean output', examples: 5 }, on: 'addition' }],
  'direct-logit-attribution': [
    { params: { against: 'largest wrong output', head: '1.0', examples: 5 }, on: 'updates' }, { params: { against: 'word', word: '3', answer: 1, head: '0.1' }, on: 'updates' },
    { params: { against: 'mean output' }, on: 'addition' }, { params: { head: '1.1' }, on: 'subtraction' }, { params: { head: '1.0' }, on: 'largest' },
  ],
  'path-patching': [
    { params: { receiver: '1.0', input: 'keys', pairs: 3 }, on: 'updates' }, { params: { receiver: '1.1', input: 'values', senders: '0.1', byPosition: false, pairs: 2 }, on: 'subtraction' },
    { params: { throughMlps: true, pairs: 2 }, on: 'addition' },
  ],
  'edge-attribution': [{ params: { method: 'EAP', exact: false, threshold: 0.3, pairs: 2 } }],
  'attention-statistics': [{ params: { head: '0.1' }, on: 'addition' }],
  'attention-leak': [{ params: { inputs: true }, on: 'largest' }],
  'virtual-attention': [{ params: { later: '1.1', earlier: '0.1' }, on: 'updates' }],
  'head-scores': [{ params: { prompt: '3 3 =' }, on: 'addition' }],
  'permutation-invariance': [{ params: { keys: 'by place', head: '0.1', examples: 3 } }],
  'prediction-histogram': [{ params: { examples: 64 } }],
  'loss-by-group': [{ params: { examples: 16 } }],
  'graph-playground': [{ params: { head: '0.1', arrows: 'all' } }, { params: { graph: '1-3 3-4 2-4' } }],
  'progress-measures': [{ params: { frequencies: '1 3' } }],
  'activation-patching': [
    { params: { patch: 'whole heads', pairs: 3 } }, { params: { head: '0.1', pairs: 1 } }, { params: { head: '0.1', patch: 'whole heads' }, on: 'updates' },
    { params: { patch: 'residual stream', clean: '1 2 =', corrupted: '4 2 =' }, on: 'addition' },
  ],
  'attribution-patching': [{ params: { exact: false, head: '0.1', pairs: 2 } }],
  ablation: [
    { params: { components: '0.0, 0.1', method: 'zero' } },
    { params: { components: 'mlp 0', method: 'resample' }, on: 'addition' },
    { params: { method: 'mean pattern', examples: 9 } },
  ],
  'hidden-blocks': [{ params: { graph: '1-3 3-4 2-4', layers: 2, examples: 64 } }],
  'ov-robustness': [{ params: { from: 4, others: 3 } }],
  'qk-circuit': [
    { params: { head: '0.1', scaled: true, rows: '3, 1', columns: '0, 2' } },
    { params: { by: 'position' } }, { params: { by: 'position to token' } },
  ],
  'ov-circuit': [{ params: { head: '0.1', aside: '0 1' } }],
  'path-circuit': [
    { params: { path: 'W_E · W_U' } }, { params: { path: 'W_Q(0.1)ᵀ · W_Eᵀ', rows: '3 1' } },
    { params: { path: 'W_pos · OV(0.1) · W_in(0) · W_out(0) · W_U' }, on: 'addition' },
  ],
  composition: [{ params: { scores: 'as they are' } }],
  'qk-by-value': [{ params: { head: '0.1', query: '=', key: 'a2' }, on: 'largest' }],
  'qk-linear-fit': [{ params: { head: '0.0', from: 2, examples: 20 } }],
  'embedding-svd': [{ params: { components: 2 }, on: 'addition' }],
  'fourier-embedding': [{ params: { frequencies: '3 1' } }],
  'fourier-logits': [{ params: { frequencies: '2' } }],
  'fourier-attention': [{ params: { head: '0.1' } }],
  'fourier-neurons': [{ params: { neurons: '5 2', point: 'pre' } }],
  'neuron-frequencies': [{ params: { layer: 0, threshold: 0.5 } }],
  'logit-periodicity': [{ params: { frequencies: '3 1' } }],
  'restricted-loss': [{ params: { frequencies: '3 1' } }],
  'excluded-loss': [{ params: { frequencies: '3 1' } }],
};
