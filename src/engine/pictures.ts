import { Random } from '../common/random';
import { throwIfCancelled, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import type { HostTensor } from '../common/tensor';
import { hookNames } from '../model/names';
import { parameterSpecs } from '../model/parameters';
import { modelTensors } from '../model/tensors';
import { pictureColumns, pictureRows, type ModelTensors, type Picture, type PictureRequest } from '../protocol/tensors';
import type { Store } from '../store/store';
import type { OpenModel, OpenModels } from './openModels';
import { WorkQueue } from './workQueue';

// T positions · H heads · R rows · C columns

const mostWaiting = 16;

/** Small pictures of the parameters and activations of models, as they are shown beside code. */
export class Pictures {
  private readonly queue = new WorkQueue('pictures', 1, mostWaiting);

  constructor(private readonly store: Pick<Store, 'details'>, private readonly models: Pick<OpenModels, 'use'>) {}

  /** The names that a program may call parts of the model by. */
  async tensors(model: string): Promise<ModelTensors> {
    return modelTensors((await this.store.details(model)).config);
  }

  /**
   * A parameter, or an activation of one example of the task, with the newest weights.
   * @throws UserError for a name or head that the model does not have; CancelledError.
   */
  async draw({ model, name, head }: PictureRequest, signal: AbortSignal): Promise<Picture> {
    return this.queue.run(signal, () => this.models.use(model, undefined, async opened => {
      throwIfCancelled(signal);
      const { n_heads } = opened.details.config;
      if (head !== undefined && head >= n_heads) throw new UserError(`There is no head ${head}; the model has ${n_heads} in each layer.`);
      return pictureOf(name, await valueOf(opened, name), head);
    }));
  }
}

interface Value {
  readonly tensor: HostTensor<'float32'>;
  readonly prompt?: string;
}

async function valueOf({ details: { config, experiment }, model, task }: OpenModel, name: string): Promise<Value> {
  const hooks = hookNames(config);
  if (!hooks.includes(name)) {
    const parameters = parameterSpecs(config).map(spec => spec.name);
    if (!parameters.includes(name)) throw unknownName('hook point or parameter', name, [...hooks, ...parameters]);
    return { tensor: model.parameter(name) };
  }
  const { tokens } = task.sample(new Random(experiment.seed, 'picture'), 1);
  const { cache } = await model.runWithCache(tokens, [name]);
  const value = cache.get(name);
  if (!value) throw new Error(`the model did not cache ${name}`);
  const prompt = Array.from(tokens.data, token => task.vocabulary[token] ?? String(token)).join(' ');
  return { tensor: { ...value, shape: value.shape.slice(1) }, prompt };
}

/** Heads that lie side by side: at most as many as have this many columns each. */
const leastColumns = 4;

/** Draws a value; of an activation, that of one example. Exported for its test. */
export function pictureOf(name: string, { tensor, prompt }: Value, head?: number): Picture {
  const statistics = statisticsOf(tensor.data);
  const { panels, legend } = panelsOf(name, tensor, head);
  const [first] = panels;
  if (!first) throw new Error(`${name} is empty`);
  const columns = Math.min(first.columns, Math.floor(pictureColumns / panels.length));
  const rows = Math.min(first.rows, pictureRows);
  const values = new Float32Array(rows * columns * panels.length);
  const empty = new Uint8Array(values.length);
  panels.forEach((panel, index) => {
    const small = averaged(panel, rows, columns);
    for (let at = 0; at < small.length; at++) {
      const place = Math.floor(at / columns) * columns * panels.length + index * columns + (at % columns);
      const value = small[at];
      if (value === undefined) empty[place] = 1;
      else values[place] = value;
    }
  });
  return {
    rows, columns: columns * panels.length, values, ...(empty.includes(1) && { empty }), panels: panels.length,
    scale: name.endsWith('hook_pattern') ? 'attention' : 'diverging',
    legend: `${legend}${rows < first.rows || columns < first.columns ? '; neighbours are averaged' : ''}`,
    ...statistics, ...(prompt !== undefined && { prompt }),
  };
}

/** `at(row, column)` of a matrix `[R, C]`. */
interface Panel {
  readonly rows: number;
  readonly columns: number;
  at(row: number, column: number): number;
}

/** The matrices to draw side by side, and what their rows and columns are. */
function panelsOf(name: string, { shape, data }: HostTensor<'float32'>, head: number | undefined): { readonly panels: readonly Panel[]; readonly legend: string } {
  const [first = 1, second = 1, third = 1] = shape;
  const at = (place: number) => data[place] ?? 0;
  const kind = layoutOf(name);
  switch (kind) {
    case 'headsFirst': {
      const panels = Array.from({ length: first }, (_, h): Panel => ({ rows: second, columns: third, at: (r, c) => at((h * second + r) * third + c) }));
      return chosenHeads(panels, head, name.includes('hook_') ? ['destinations', 'sources'] : name.endsWith('W_O') ? ['d_head', 'd_model'] : ['d_model', 'd_head']);
    }
    case 'headsSecond': {
      const panels = Array.from({ length: second }, (_, h): Panel => ({ rows: first, columns: third, at: (r, c) => at((r * second + h) * third + c) }));
      return chosenHeads(panels, head, ['positions', name.endsWith('hook_result') ? 'd_model' : 'd_head']);
    }
    case 'headRows':
      if (head !== undefined) return { panels: [{ rows: 1, columns: second, at: (_, c) => at(head * second + c) }], legend: `Head ${head}: d_head across` };
      return { panels: [{ rows: first, columns: second, at: (r, c) => at(r * second + c) }], legend: 'Heads down, d_head across' };
    case 'plain': {
      // A single number a position is a row of them.
      if (shape.length === 1 || second === 1) return { panels: [{ rows: 1, columns: first, at: (_, c) => at(c) }], legend: name.includes('hook_') ? 'Positions across' : 'One row' };
      const panel: Panel = { rows: first, columns: second, at: (r, c) => at(r * second + c) };
      return { panels: [panel], legend: name.includes('hook_') ? `Positions down, ${name.includes('.mlp.') ? 'neurons' : 'd_model'} across` : `${plainAxes(name)}` };
    }
    default:
      return kind satisfies never;
  }
}

/** Where the heads are: `[H, R, C]`, `[T, H, C]`, `[H, K]`, or nowhere. */
function layoutOf(name: string): 'headsFirst' | 'headsSecond' | 'headRows' | 'plain' {
  if (/\.(hook_pattern|hook_attn_scores|W_[QKVO])$/.test(name)) return 'headsFirst';
  if (/\.attn\.hook_(q|k|v|z|result|rot_q|rot_k)$/.test(name)) return 'headsSecond';
  return /\.attn\.b_[QKV]$/.test(name) ? 'headRows' : 'plain';
}

function plainAxes(name: string): string {
  if (name.endsWith('W_E')) return 'Tokens down, d_model across';
  if (name.endsWith('W_pos')) return 'Positions down, d_model across';
  if (name.endsWith('W_U')) return 'd_model down, outputs across';
  return name.endsWith('W_in') ? 'd_model down, neurons across' : 'Neurons down, d_model across';
}

/** One head, or all of them side by side; or their mean where they are too many for that. */
function chosenHeads(panels: readonly Panel[], head: number | undefined, [down, across]: readonly [string, string]): { readonly panels: readonly Panel[]; readonly legend: string } {
  const one = head === undefined ? undefined : panels[head];
  if (one) return { panels: [one], legend: `Head ${head ?? ''}: ${down} down, ${across} across` };
  const fits = Math.floor(pictureColumns / panels.length) >= Math.min(leastColumns, panels[0]?.columns ?? 0);
  if (fits) return { panels, legend: `${panels.length === 1 ? 'One head' : `${panels.length} heads side by side`}: ${down} down, ${across} across` };
  const [first] = panels;
  if (!first) return { panels, legend: '' };
  const mean: Panel = { ...first, at: (r, c) => panels.reduce((sum, panel) => sum + panel.at(r, c), 0) / panels.length };
  return { panels: [mean], legend: `Mean of ${panels.length} heads: ${down} down, ${across} across` };
}

/** Means over blocks of cells, of those that are finite; undefined where none is. */
function averaged(panel: Panel, rows: number, columns: number): readonly (number | undefined)[] {
  const from = (index: number, parts: number, whole: number) => Math.floor((index * whole) / parts);
  return Array.from({ length: rows * columns }, (_, place) => {
    const [row, column] = [Math.floor(place / columns), place % columns];
    let [sum, count] = [0, 0];
    for (let r = from(row, rows, panel.rows); r < from(row + 1, rows, panel.rows); r++) {
      for (let c = from(column, columns, panel.columns); c < from(column + 1, columns, panel.columns); c++) {
        const value = panel.at(r, c);
        if (!Number.isFinite(value)) continue;
        sum += value;
        count++;
      }
    }
    return count === 0 ? undefined : sum / count;
  });
}

function statisticsOf(data: Float32Array): Pick<Picture, 'minimum' | 'maximum' | 'mean'> {
  let [minimum, maximum, sum, count] = [Infinity, -Infinity, 0, 0];
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
    sum += value;
    count++;
  }
  return count === 0 ? { minimum: 0, maximum: 0, mean: 0 } : { minimum, maximum, mean: sum / count };
}
