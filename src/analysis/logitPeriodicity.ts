import type { BarsFigure, LinesFigure, TableFigure } from '../protocol/figure';
import { defineAnalysis } from './define';
import { allFrequencies, type FourierBasis } from './fourier/basis';
import { frequencyParameters, markedFrequencies, type MarkedFrequencies } from './fourier/keyFrequencies';
import { approximateLogits, approximationScores, logitCosines, residualFraction, type LogitCosines } from './fourier/logitCosines';
import { isModular, modularNeeds, modularTaskOf } from './fourier/modular';
import { measurePairs, pairSetOf, type PairMeasures, type PairSet } from './fourier/pairMeasures';
import { keySentence, seriesWithKeys } from './fourier/spectrumFigures';
import { logitPeriodicityLines } from './python/logitPeriodicity';

// p modulus

/**
 * Whether the logits are sums of cos(w(a ± b − c)) over few frequencies, as the algorithm of Nanda et al. 2023 (sections 3 and
 * 4.1) has it, and whether that sum alone answers as well.
 */
export const logitPeriodicity = defineAnalysis({
  id: 'logit-periodicity',
  title: 'Logit periodicity',
  description: 'How much of the logits is a cosine of the answer less the output, at each frequency, and how well the cosines alone answer.',
  group: 'Fourier structure',
  params: frequencyParameters,
  scalars: {
    keySimilarity: 'norm of the cosine similarities of the logits with the key frequencies\' cosines: 1 where the logits are nothing else; 0 without key frequencies',
    residual: 'fraction of the norm of the logits that the key frequencies\' cosines leave; 1 without key frequencies',
    approximationLoss: 'loss over all pairs of the key frequencies\' cosines alone',
    approximationAccuracy: 'accuracy over all pairs of the key frequencies\' cosines alone',
    loss: 'loss of the model over all pairs',
    accuracy: 'accuracy of the model over all pairs',
  },
  needs: modularNeeds,
  appliesTo: isModular,
  python: (context, { frequencies }) => logitPeriodicityLines(context, frequencies),
  async run({ details, task, model }, { frequencies }) {
    const pairs = pairSetOf(details, task);
    const { basis } = pairs;
    const { answer } = modularTaskOf(details);
    const marked = markedFrequencies(frequencies, model, basis);
    const keys = marked.frequencies;
    const measures = await measurePairs(model, pairs);
    const cosines = logitCosines(measures, basis);
    const approximation = approximateLogits(cosines, basis, keys);
    const approximate = approximationScores(approximation);
    const whole = overAllPairs(measures, pairs);
    const keySimilarity = Math.hypot(...keys.map(k => cosines.similarities[k - 1] ?? 0));
    const residual = residualFraction(measures, cosines, basis, keys);
    return {
      figures: [
        similarityBars(cosines, marked, basis, answer),
        differenceLines(cosines, approximation, answer),
        cosineTable(cosines, marked, basis, {
          keySimilarity, residual, everyResidual: residualFraction(measures, cosines, basis, allFrequencies(basis.modulus)),
        }),
        {
          kind: 'table',
          title: 'What the cosines answer',
          caption: `Over all ${basis.modulus ** 2} pairs. The cosines depend on ${answer} − c alone, so that they are right everywhere or nowhere.`,
          columns: [{ title: 'Logits', numeric: false }, { title: 'Loss', numeric: true }, { title: 'Accuracy', numeric: true }],
          rows: [['of the model', whole.loss, whole.accuracy], ['cosines of the key frequencies', approximate.loss, approximate.accuracy]],
          scalar: 'approximationLoss',
        },
      ],
      scalars: { keySimilarity, residual, approximationLoss: approximate.loss, approximationAccuracy: approximate.accuracy, ...whole },
    };
  },
});

function overAllPairs({ trainLoss, testLoss, trainAccuracy, testAccuracy }: PairMeasures, { train, test }: PairSet) {
  const [n, m] = [train.data.length, test.data.length];
  const mean = (ofTrain: number, ofTest: number) => (n * ofTrain + m * ofTest) / (n + m);
  return { loss: mean(trainLoss, testLoss), accuracy: mean(trainAccuracy, testAccuracy) };
}

function similarityBars({ similarities }: LogitCosines, marked: MarkedFrequencies, { modulus: p }: FourierBasis, answer: string): BarsFigure {
  return {
    kind: 'bars',
    title: 'Cosine similarity of the logits by frequency',
    caption: `Of the logits of all pairs with cos(2πk/${p} · (${answer} − c)). They are taken as they are, with what they have in common over the outputs c. ${keySentence(marked)}`,
    x: { title: 'Frequency k', labels: allFrequencies(p).map(String) },
    y: { title: 'Cosine similarity' },
    series: seriesWithKeys('similarity', similarities, marked),
    scalar: 'keySimilarity',
  };
}

function differenceLines({ byDifference }: LogitCosines, approximation: Float64Array, answer: string): LinesFigure {
  const x = Float64Array.from(approximation.keys());
  return {
    kind: 'lines',
    title: `Logits by ${answer} − c`,
    caption: `Mean over all pairs, and the sum of the key frequencies' cosines. At 0 the output c is the right answer.`,
    x: { title: `${answer} − c` },
    y: { title: 'Logit' },
    series: [{ name: 'logits', x, y: byDifference }, { name: 'key cosines', x, y: approximation }],
    scalar: 'residual',
  };
}

interface Explained {
  readonly keySimilarity: number;
  readonly residual: number;
  readonly everyResidual: number;
}

function cosineTable(
  { coefficients, similarities, norm }: LogitCosines, { frequencies }: MarkedFrequencies, { modulus: p }: FourierBasis,
  { keySimilarity, residual, everyResidual }: Explained,
): TableFigure {
  // A direction drawn at random among n has the cosine similarity 1/√n with another, in root mean square.
  const byChance = p ** -1.5;
  return {
    kind: 'table',
    title: 'Key frequencies in the logits',
    caption: 'Coefficients are inner products with the cosine as a cube over a, b and c of norm 1; similarities are coefficients over the norm of the logits.',
    columns: [{ title: 'Part', numeric: false }, { title: 'Coefficient', numeric: true }, { title: 'Cosine similarity', numeric: true }],
    rows: [
      ...frequencies.map(k => [`frequency ${k}`, coefficients[k - 1] ?? 0, similarities[k - 1] ?? 0]),
      ['all key frequencies', keySimilarity * norm, keySimilarity],
      ['left by the key frequencies', residual * norm, residual],
      ['left by every frequency', everyResidual * norm, everyResidual],
      ['a random cube, typically', byChance * norm, byChance],
    ],
    scalar: 'residual',
  };
}
