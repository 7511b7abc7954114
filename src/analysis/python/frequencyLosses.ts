import type { ModelConfig } from '../../protocol/config';
import type { Figure } from '../../protocol/figure';
import type { PythonContext } from '../define';
import { chosenFrequencies } from '../fourier/keyFrequencies';
import { modularTaskOf } from '../fourier/modular';
import { pairSetOf, readsNeurons, type PairSet } from '../fourier/pairMeasures';
import { answerLines, basisLines, keyLines, pairLines } from './fourier';
import { pythonText } from './written';

/** The loss when key frequencies alone are kept, or when they are removed, with TransformerLens. */
export function frequencyLossLines({ details, model, task, figure }: PythonContext, given: string, kind: 'kept' | 'removed'): readonly string[] {
  const modular = modularTaskOf(details);
  const read = readsNeurons(model.config);
  const keys = chosenFrequencies(given, model, modular.modulus);
  const set = pairSetOf(details, task);
  const pairs = !set.isSplit ? ':' : kind === 'kept' ? '~train' : 'train';
  const sets = 'sets = [*keys[:, None], keys]  # each key frequency alone, then all of them';
  return [
    ...basisLines(modular.modulus), ...pairLines, ...answerLines(modular), ...keyLines(keys),
    ...(set.isSplit ? trainLines(set, modular.modulus) : []),
    ...readOutLines(model.config),
    '',
    'def share(frequencies):  # what is made of cos and sin of these frequencies of the answer',
    '    waves = fourier[torch.isin(frequency, frequencies)][:, answers] / p**0.5  # each of norm 1 over the pairs',
    `    return waves.T @ (waves @ ${read ? 'neurons) @ to_logits' : 'logits)'}`,
    '',
    'def loss(logits):',
    `    return F.cross_entropy(logits[${pairs}], answers[${pairs}])`,
    '',
    ...(figure.kind === 'bars' ? [sets] : []),
    ...lossFigureLines(figure, kind === 'kept' ? 'share(KEYS) + logits.mean(dim=0)' : 'logits - share(KEYS)'),
  ];
}

function lossFigureLines(figure: Figure, changed: string): readonly string[] {
  if (figure.kind === 'table') return [`figure = {${pythonText(figure.columns[1]?.title ?? '')}: torch.stack([loss(logits), loss(${changed.replace('KEYS', 'keys')})])}`];
  return [`figure = {"loss": torch.stack([loss(${changed.replace('KEYS', 'each')}) for each in sets] + [loss(logits)])}`];
}

/** `train [p²]`: which pairs the model was trained on; thousands of them, as one number. */
function trainLines({ train, tokens }: PairSet, p: number): readonly string[] {
  const bits = new Uint8Array(p * p);
  for (const row of train.data) {
    const [a = 0, b = 0] = tokens.data.subarray(3 * row, 3 * row + 2);
    bits[a * p + b] = 1;
  }
  const digits = BigInt(`0b${bits.join('')}`).toString(16).match(/.{1,100}/g) ?? [];
  return [
    'train = int(  # a bit for each pair, 1 where the model was trained on it',
    ...digits.map((part, at) => `    "${part}"${at === digits.length - 1 ? ', 16,' : ''}`),
    ')',
    'train = torch.tensor([bit == "1" for bit in f"{train:0{p * p}b}"])',
  ];
}

function readOutLines(config: ModelConfig): readonly string[] {
  if (!readsNeurons(config)) return ['logits = model(pairs)[:, -1, :p].double()  # [p², p]'];
  const last = config.n_layers - 1;
  return [
    'logits, cache = model.run_with_cache(pairs)',
    `logits, neurons = logits[:, -1, :p].double(), cache["post", ${last}][:, -1].double()  # [p², p], [p², d_mlp]`,
    `to_logits = model.W_out[${last}].double() @ model.W_U[:, :p].double()`,
  ];
}
