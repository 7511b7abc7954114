import type { ModelConfig } from '../../protocol/config';
import type { BarsFigure } from '../../protocol/figure';
import { readsNeurons } from './pairMeasures';

/** Losses with one frequency after the other, with all of them, and as the model is. */
export interface FrequencyLosses {
  readonly frequencies: readonly number[];
  /** One for each of the frequencies. */
  readonly alone: readonly number[];
  readonly together: number;
  readonly untouched: { readonly name: string; readonly loss: number };
}

export function lossBars({ frequencies, alone, together, untouched }: FrequencyLosses, heading: Pick<BarsFigure, 'title' | 'caption' | 'scalar'>): BarsFigure {
  return {
    kind: 'bars',
    ...heading,
    x: { title: 'Frequencies', labels: [...frequencies.map(String), 'all of these', untouched.name] },
    y: { title: 'Loss', logarithmic: true },
    series: [{ name: 'loss', values: Float64Array.of(...alone, together, untouched.loss) }],
  };
}

/** Where frequencies are kept or removed, as a part of a sentence. */
export function frequencyPlace(config: ModelConfig): string {
  return readsNeurons(config) ? 'the activations of the last layer\'s neurons' : 'the logits';
}
