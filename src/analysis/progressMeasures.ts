import { UserError } from '../common/errors';
import type { RunnableModel } from '../model/runnable';
import { alongTraining, checkpointsOf, noneReadable, type Measurements } from './alongTraining';
import { defineAnalysis, knownScalars, type AnalysisContext } from './define';
import { measureCheckpoint, type CheckpointMeasures } from './fourier/checkpointMeasures';
import { frequencyParameters, keyFrequencies, namedFrequencies } from './fourier/keyFrequencies';
import { isModular, modularNeeds, modularTaskOf } from './fourier/modular';
import { pairSetOf } from './fourier/pairMeasures';
import { phasesOf, type LossCurves } from './fourier/phases';
import { progressFigures, type LossesAt } from './fourier/progressFigures';
import { progressLines } from './python/progress';

/** A model has memorised its training pairs once the loss on them is below this. */
const memorisedLoss = 1e-3;

/** How a grokking model progressed, by what is measured of it at every checkpoint (Nanda et al. 2023, section 5). */
export const progressMeasures = defineAnalysis({
  id: 'progress-measures',
  title: 'Progress measures',
  description: 'Restricted and excluded loss, the waves in the logits, weight norms and the sparsity of the embedding at every checkpoint, and the phases of grokking.',
  group: 'Training',
  atCheckpoint: false,
  params: frequencyParameters,
  scalars: {
    keyCount: 'number of key frequencies',
    uniformLoss: 'loss of a guess, ln p, in nats',
    initialLoss: 'test loss before training, in nats',
    testLossAtMemorisation: 'test loss when the training loss was first below 1e-3, in nats',
    memorisationGap: 'how far that is above the loss of a guess, in nats',
    memorisationEnd: 'step of the checkpoint at which memorisation ends',
    circuitFormationEnd: 'step of the checkpoint at which circuit formation ends',
    cleanupEnd: 'step of the checkpoint at which the clean-up ends',
    trainLoss: 'training loss at the last checkpoint, in nats',
    testLoss: 'test loss at the last checkpoint, in nats',
    restrictedLoss: 'loss at the last checkpoint with the key frequencies alone, in nats',
    excludedLoss: 'loss at the last checkpoint without the key frequencies, in nats',
    restrictedRatio: 'restricted loss over test loss at the last checkpoint',
    residual: 'share of the norm of the logits that no frequency explains, at the last checkpoint',
    gini: 'Gini coefficient of the norms of the embedding at each frequency, at the last checkpoint',
  },
  needs: modularNeeds,
  needsSplit: true,
  appliesTo: isModular,
  python({ details, figure }) {
    const lines = figure.kind === 'lines' ? progressLines({ details }, figure) : undefined;
    return lines ?? { reason: 'its losses were recorded while the model trained, or are of all its checkpoints; "Restricted loss" and "Excluded loss" have the code of one' };
  },
  async run(context, { frequencies }) {
    const { details, metrics, progress } = context;
    checkpointsOf(context);
    const task = modularTaskOf(details);
    const pairs = pairSetOf(details, context.task);
    const named = namedFrequencies(frequencies, task.modulus);
    const keys = named.length > 0 ? named : keyFrequencies(await newestReadable(context), pairs.basis);
    const uniform = Math.log(task.modulus);

    const recorded = metrics.flatMap(({ step, trainLoss, testLoss }) => (trainLoss === undefined || testLoss === undefined ? [] : [{ step, trainLoss, testLoss }]));
    const missing = (leftOut: readonly string[]) => [...(keys.length > 0 ? [] : [withoutKeys]), ...leftOut];
    const drawn = ({ measures, leftOut }: Measurements<CheckpointMeasures>) =>
      ({ figures: progressFigures({ task, keys, recorded, measures, missing: missing(leftOut) }), scalars: {} });
    if (recorded.length > 1) progress(0, () => drawn({ measures: [], leftOut: [] }));
    const { measures, leftOut, last } = await alongTraining(context, (model, step) => measureCheckpoint(model, step, { pairs, keys, parameters: details.parameters }), drawn);

    const phases = phasesOf(curvesOf(measures), uniform);
    return {
      figures: progressFigures({ task, keys, recorded, measures, phases, missing: [...missing(leftOut), ...(phases.missing === undefined ? [] : [phases.missing])] }),
      scalars: knownScalars({
        keyCount: keys.length,
        uniformLoss: uniform,
        ...beginning(recorded.length > 0 ? recorded : measures, uniform),
        memorisationEnd: phases.memorisationEnd,
        circuitFormationEnd: phases.circuitFormationEnd,
        cleanupEnd: phases.cleanupEnd,
        trainLoss: last.trainLoss,
        testLoss: last.testLoss,
        restrictedLoss: last.restrictedLoss,
        excludedLoss: last.excludedLoss,
        restrictedRatio: last.restrictedRatio,
        residual: last.residual,
        gini: last.gini,
      }),
    };
  },
});

const withoutKeys = 'Restricted and excluded loss need key frequencies, and no frequency stands out in the embedding of the newest weights; name some to see them.';

/** The model at its last checkpoint that can be read. */
async function newestReadable({ details: { checkpoints, summary }, atCheckpoint }: AnalysisContext): Promise<RunnableModel> {
  let problem: UserError | undefined;
  for (const step of [...checkpoints].reverse()) {
    try {
      const model = await atCheckpoint(step);
      model.parameter('embed.W_E');
      return model;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problem ??= error;
    }
  }
  throw noneReadable(summary.name, problem);
}

function curvesOf(measures: readonly CheckpointMeasures[]): LossCurves {
  const excluded = measures.flatMap(({ excludedLoss }) => excludedLoss ?? []);
  return {
    steps: measures.map(({ step }) => step),
    train: measures.map(({ trainLoss }) => trainLoss),
    test: measures.map(({ testLoss }) => testLoss),
    ...(excluded.length > 0 && { excluded }),
  };
}

/** The losses that tell a claim how it began, ascending in steps. */
function beginning(rows: readonly LossesAt[], uniform: number) {
  const [first] = rows;
  const testLossAtMemorisation = rows.find(({ trainLoss }) => trainLoss < memorisedLoss)?.testLoss;
  return {
    initialLoss: first?.step === 0 ? first.testLoss : undefined,
    testLossAtMemorisation,
    memorisationGap: testLossAtMemorisation === undefined ? undefined : testLossAtMemorisation - uniform,
  };
}
