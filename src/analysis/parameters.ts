import { formatShape, sizeOf } from '../common/tensor';
import { countParameters } from '../model/parameters';
import type { Subject, TableFigure } from '../protocol/figure';
import { defineAnalysis, type AnalysisContext } from './define';
import { pythonTexts } from './python/written';

/** What a model is made of: every tensor of its state dict. */
export const parameters = defineAnalysis({
  id: 'parameters',
  title: 'Parameters',
  description: 'Every parameter with its shape, how many numbers it holds, whether it is trained, and its norm.',
  group: 'Weights',
  live: true,
  params: {},
  scalars: {
    total: 'numbers in all parameters, those that are never trained among them',
    trainable: 'numbers in the parameters that are trained',
  },
  appliesTo: () => true,
  python: ({ details }) => [
    `parameters = [model.state_dict()[name] for name in ${pythonTexts(details.parameters.map(({ name }) => name))}]`,
    'counts = torch.tensor([parameter.numel() for parameter in parameters])',
    'norms = torch.stack([parameter.double().norm() for parameter in parameters])',
    'figure = {"Numbers": counts, "Norm": norms, "Root mean square": norms / counts.sqrt()}',
  ],
  run(context) {
    const { total, trainable } = countParameters(context.details.parameters);
    return { figures: [parameterTable(context, total, trainable)], scalars: { total, trainable } };
  },
});

function parameterTable({ details, model }: AnalysisContext, total: number, trainable: number): TableFigure {
  return {
    kind: 'table',
    title: 'Parameters',
    caption: `${count(total)} numbers, of which ${count(trainable)} are trained. The norm is the square root of the sum of their squares; sizes of different shapes compare by their root mean square.`,
    scalar: 'total',
    columns: [
      { title: 'Parameter', numeric: false }, { title: 'Shape', numeric: false }, { title: 'Numbers', numeric: true }, { title: 'Trained', numeric: false },
      { title: 'Norm', numeric: true }, { title: 'Root mean square', numeric: true },
    ],
    rows: details.parameters.map(({ name, shape, trainable: isTrained }) => {
      const norm = normOf(model.parameter(name).data);
      return [name, formatShape(shape), sizeOf(shape), isTrained ? 'yes' : 'no', norm, norm / Math.sqrt(sizeOf(shape))];
    }),
    subjects: details.parameters.map(({ name }) => subjectOf(name)),
  };
}

/** The layer that a parameter of a block belongs to. */
function subjectOf(name: string): Subject {
  const layer = /^blocks\.(\d+)\./.exec(name)?.[1];
  return layer === undefined ? {} : { layer: Number(layer) };
}

/** In float64: an embedding has more numbers than float32 has digits to add them with. */
function normOf(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function count(numbers: number): string {
  return numbers.toLocaleString('en');
}
