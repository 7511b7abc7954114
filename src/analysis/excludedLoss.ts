import { defineAnalysis } from './define';
import { chosenFrequencies, frequencyParameters } from './fourier/keyFrequencies';
import { frequencyPlace, lossBars } from './fourier/lossBars';
import { isModular, modularNeeds, modularTaskOf } from './fourier/modular';
import { measurePairs, pairSetOf } from './fourier/pairMeasures';
import { frequencyLossLines } from './python/frequencyLosses';

/** Whether the key frequencies are needed, on pairs that the model could have memorised (Nanda et al. 2023, section 5.1). */
export const excludedLoss = defineAnalysis({
  id: 'excluded-loss',
  title: 'Excluded loss',
  description: 'The training loss when the key frequencies of the answer are removed: small where the model has memorised, large where it computes with them.',
  group: 'Fourier structure',
  params: frequencyParameters,
  scalars: {
    excludedLoss: 'loss on the training pairs without the key frequencies',
    trainLoss: 'loss on the training pairs',
  },
  needs: modularNeeds,
  needsSplit: true,
  appliesTo: isModular,
  python: (context, { frequencies }) => frequencyLossLines(context, frequencies, 'removed'),
  async run({ details, task, model }, { frequencies }) {
    const { modulus, answer } = modularTaskOf(details);
    const keys = chosenFrequencies(frequencies, model, modulus);
    const { trainLoss, excludedLosses } = await measurePairs(model, pairSetOf(details, task), [keys, ...keys.map(key => [key])]);
    const [excluded = NaN, ...alone] = excludedLosses;
    return {
      figures: [
        lossBars({ frequencies: keys, alone, together: excluded, untouched: { name: 'training loss', loss: trainLoss } }, {
          title: 'Excluded loss',
          caption: `Loss on the training pairs without one frequency of ${answer}, and without all of these, in ${frequencyPlace(model.config)}.`,
          scalar: 'excludedLoss',
        }),
        {
          kind: 'table',
          title: 'Excluded and training loss',
          columns: [{ title: 'Removed', numeric: false }, { title: 'Training loss', numeric: true }],
          rows: [['nothing', trainLoss], [`frequencies ${keys.join(' ')}`, excluded]],
          scalar: 'excludedLoss',
        },
      ],
      scalars: { excludedLoss: excluded, trainLoss },
    };
  },
});
