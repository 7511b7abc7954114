import type { Figure } from '../../protocol/figure';
import type { PythonContext } from '../define';
import { fourierBasis } from '../fourier/basis';
import { markedFrequencies } from '../fourier/keyFrequencies';
import { modularTaskOf } from '../fourier/modular';
import { answerLines, basisLines, keyLines, pairLines } from './fourier';

/** How much of the logits are cosines of the answer less the output, with TransformerLens. */
export function logitPeriodicityLines({ details, model, figure }: PythonContext, given: string): readonly string[] {
  const task = modularTaskOf(details);
  const { frequencies: keys } = markedFrequencies(given, model, fourierBasis(task.modulus));
  return [
    ...basisLines(task.modulus), ...pairLines, ...answerLines(task), ...keyLines(keys),
    'logits = model(pairs)[:, -1, :p].double()  # [p², p]',
    'difference = (answers[:, None] - torch.arange(p)) % p',
    'by_difference = torch.bincount(difference.flatten(), weights=logits.flatten()) / p**2  # [p], each of p² logits',
    'cosines = fourier[1::2]  # [p // 2, p]',
    'coefficients = p * cosines @ by_difference  # inner products with cosines as cubes [a, b, c] of norm 1',
    ...periodicityLines(figure),
  ];
}

function periodicityLines(figure: Figure): readonly string[] {
  const approximation = 'approximation = coefficients[keys - 1] @ cosines[keys - 1] / p  # [p], by the answer less the output';
  const chosen = 'torch.isin(torch.arange(1, p // 2 + 1), keys)';
  switch (figure.kind) {
    case 'bars': return [
      'similarities = coefficients / logits.norm()',
      'figure = {"similarity": similarities}',
      ...(figure.series.length > 1 ? [`figure["similarity of key frequencies"] = similarities.where(${chosen}, 0)`] : []),
    ];
    case 'lines': return [approximation, 'figure = {"logits": by_difference, "key cosines": approximation}'];
    default:
      if (figure.title === 'What the cosines answer') {
        return [
          approximation,
          'def scores(logits):  # a tie is not right',
          '    right = logits.gather(1, answers[:, None])',
          '    return torch.stack([F.cross_entropy(logits, answers), ((logits >= right).sum(dim=1) == 1).double().mean()])',
          'figure = dict(zip(("Loss", "Accuracy"), torch.stack([scores(logits), scores(approximation[difference])]).T))',
        ];
      }
      return [
        approximation,
        'every = coefficients @ cosines / p',
        'left = torch.stack([(logits - each[difference]).norm() for each in (approximation, every)])',
        'chance = logits.norm() * p**-1.5  # of a random cube',
        'coefficients = coefficients[keys - 1]',
        'coefficients = torch.cat([coefficients, coefficients.norm()[None], left, chance[None]])',
        'figure = {"Coefficient": coefficients, "Cosine similarity": coefficients / logits.norm()}',
      ];
  }
}
