import type { AnalysisContext } from '../../src/analysis/define';
import { float32 } from '../../src/common/tensor';
import type { ParameterValuesByName } from '../../src/model/parameters';
import { contextOf, type ContextOptions } from './analyses';
import { prepared } from './experiments';
import { randomParameters } from './models';

const fewVertices = { name: 'shortest-paths', vertices: 6, largest: 6, modulus: undefined, trainFraction: undefined };
const encoder = { n_layers: 2, attention_dir: 'bidirectional', normalization_type: 'LN', normalization_position: 'after', positional_embedding_type: 'none' };

/** A small encoder that reads graphs of up to six vertices, its weights drawn at random. */
export function pathContext(task: object = {}, options: ContextOptions = {}): AnalysisContext {
  return contextOf(prepared({ task: { ...fewVertices, ...task }, model: encoder, training: { batch: 16 } }), options);
}

/** Parameters of a model of this kind that answers with the same number whatever it reads. */
export function constantParameters({ details: { config } }: AnalysisContext, answer: number): ParameterValuesByName {
  const constants = new Map([['unembed.W_U', 0], ['unembed.b_U', answer]]);
  return new Map([...randomParameters(config)].map(([name, { shape, data }]) => {
    const constant = constants.get(name);
    return [name, constant === undefined ? float32(shape, data) : float32(shape, data.map(() => constant))];
  }));
}

/** The context with such a model in place of its own. */
export function constantContext(answer: number, task: object = {}, options: ContextOptions = {}): AnalysisContext {
  const context = pathContext(task, options);
  return { ...context, model: context.model.withWeights(constantParameters(context, answer)) };
}

/** Distances between vertices of edges `1-3`, by Floyd and Warshall: Infinity where there is no path. */
export function distancesOf(vertices: number, edges: readonly (readonly [number, number])[]): readonly (readonly number[])[] {
  const places = Array.from({ length: vertices + 1 }, (_, vertex) => vertex);
  const distance = places.map(one => places.map(other => (one === other ? 0 : edges.some(edge => edge.includes(one) && edge.includes(other)) ? 1 : Infinity)));
  const at = (one: number, other: number) => distance[one]?.[other] ?? Infinity;
  for (const through of places) {
    for (const one of places) distance[one] = places.map(other => Math.min(at(one, other), at(one, through) + at(through, other)));
  }
  return distance;
}
