import { defineAnalysis } from './define';
import { chosenFrequencies, frequencyParameters } from './fourier/keyFrequencies';
import { frequencyPlace, lossBars } from './fourier/lossBars';
import { isModular, modularNeeds, modularTaskOf } from './fourier/modular';
import { measurePairs, pairSetOf, restrictedLoss as lossOf, restrictedRatio } from './fourier/pairMeasures';
import { frequencyLossLines } from './python/frequencyLosses';

/** Whether the key frequencies are enough (Nanda et al. 2023, section 5.1). */
export const restrictedLoss = defineAnalysis({
  id: 'restricted-loss',
  title: 'Restricted loss',
  description: 'The test loss when the key frequencies of the answer alone are kept: near the test loss where the model computes with nothing else.',
  group: 'Fourier structure',
  params: frequencyParameters,
  scalars: {
    restrictedLoss: 'loss on the test pairs with the key frequencies alone; on all pairs where those that the model was trained on are not known, and so below',
    testLoss: 'loss on the test pairs',
    ratio: 'restricted loss over test loss',
  },
  needs: modularNeeds,
  appliesTo: isModular,
  python: (context, { frequencies }) => frequencyLossLines(context, frequencies, 'kept'),
  async run({ details, task, model }, { frequencies }) {
    const { modulus, answer } = modularTaskOf(details);
    const keys = chosenFrequencies(frequencies, model, modulus);
    const pairs = pairSetOf(details, task);
    const measures = await measurePairs(model, pairs);
    const { testLoss } = measures;
    const of = pairs.isSplit ? { pairs: 'the test pairs', loss: 'Test loss' } : { pairs: 'all pairs, as those it was trained on are not known,', loss: 'Loss' };
    const restricted = lossOf(measures, pairs, keys);
    return {
      figures: [
        lossBars({
          frequencies: keys, alone: keys.map(key => lossOf(measures, pairs, [key])), together: restricted, untouched: { name: of.loss.toLowerCase(), loss: testLoss },
        }, {
          title: 'Restricted loss',
          caption: `Loss on ${of.pairs} with one frequency of ${answer} alone, and with all of these, in ${frequencyPlace(model.config)}; the mean of the logits over all pairs stays.`,
          scalar: 'restrictedLoss',
        }),
        {
          kind: 'table',
          title: `Restricted and ${of.loss.toLowerCase()}`,
          columns: [{ title: 'Kept', numeric: false }, { title: of.loss, numeric: true }],
          rows: [['everything', testLoss], [`frequencies ${keys.join(' ')}`, restricted]],
          scalar: 'ratio',
        },
      ],
      scalars: { restrictedLoss: restricted, testLoss, ratio: restrictedRatio(restricted, testLoss) },
    };
  },
});
