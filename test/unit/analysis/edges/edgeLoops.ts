import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { Edge, EdgeGraph } from '../../../../src/analysis/edges/edges';
import type { PromptPair } from '../../../../src/analysis/pairs';
import { float32, int32, type HostTensor } from '../../../../src/common/tensor';
import type { Hook } from '../../../../src/model/layers';
import { asFloat32, RunnableModel } from '../../../../src/model/runnable';
import { forward } from '../../../../src/model/transformer';
import { parameterSpecs } from '../../../../src/model/parameters';
import { eager } from '../../../support/runtimes';

// Edges one at a time, slowly and in plain JavaScript: what the batched passes are held to.

type Values = ReadonlyMap<string, HostTensor<'float32'>>;

/** Where a node writes or reads: a hook, and the head's place in it. */
interface Place {
  readonly hook: string;
  readonly head?: number;
}

export class EdgeLoops {
  private readonly model: RunnableModel;
  private runs = 0;
  /** The runs with nothing replaced. */
  private readonly plain = new Map<string, Promise<Values>>();

  constructor(compiled: RunnableModel, private readonly pair: PromptPair, private readonly graph: EdgeGraph) {
    const { config } = compiled;
    this.model = new RunnableModel(config, new Map(parameterSpecs(config).map(({ name }) => [name, compiled.parameter(name)])), eager);
  }

  /** The normalised metric of the corrupted run in which so much of an edge's change is added to its reader's input. */
  async patched(edge: number, amount = 1, share = 0): Promise<number> {
    const { sender, reader } = this.edge(edge);
    const [clean, corrupted] = [await this.valuesOf('clean'), await this.valuesOf('corrupted')];
    const place = this.sends(sender);
    const [from, to, at] = [part(corrupted, place), part(clean, place), this.reads(reader)];
    const change = from.map((value, index) => amount * ((to[index] ?? 0) - value));
    const [embedded, cleanEmbedded] = [corrupted, clean].map(values => part(values, { hook: 'blocks.0.hook_resid_pre' }));
    const between = embedded?.map((value, index) => value + share * ((cleanEmbedded?.[index] ?? 0) - value)) ?? expect.fail();
    return this.normalised(await this.metric('corrupted', (name, value) => {
      const begun = name === 'blocks.0.hook_resid_pre' ? tf.tensor(between, value.shape) : value;
      return name === at.hook ? tf.add(begun, tf.tensor(spread(change, begun.shape, at.head), begun.shape)) : begun;
    }));
  }

  /**
   * The normalised metric of the clean prompt when each reader reads the corrupted run's input and what the kept edges change
   * about it: run again and again with the inputs that the last run's outputs give, until every layer has settled.
   */
  async circuit(isKept: (edge: number) => boolean): Promise<number> {
    const corrupted = await this.valuesOf('corrupted');
    const readers = this.graph.readers.map((_, reader) => this.reads(reader));
    let inputs: Values = new Map(readers.map(({ hook }) => [hook, corrupted.get(hook) ?? expect.fail(hook)]));
    const replaced: Hook = (name, value) => {
      const input = inputs.get(name);
      return input ? tf.tensor(input.data, [...input.shape]) : value;
    };
    for (let round = 0; round <= 2 * this.model.config.n_layers; round++) {
      const current = await this.valuesOf('clean', replaced);
      const next = new Map([...inputs].map(([hook]) => [hook, copyOf(corrupted.get(hook))]));
      this.graph.edges.forEach(({ sender, reader }, edge) => {
        if (!isKept(edge)) return;
        const [place, at] = [this.sends(sender), this.reads(reader)];
        const [now, then, input] = [part(current, place), part(corrupted, place), next.get(at.hook) ?? expect.fail()];
        spread(now.map((value, index) => value - (then[index] ?? 0)), input.shape, at.head).forEach((value, index) => (input.data[index] = (input.data[index] ?? 0) + value));
      });
      inputs = next;
    }
    return this.normalised(await this.metric('clean', replaced));
  }

  /** What a reader reads of a prompt, and the sum of its senders and of the biases b_O before it. */
  async inputAndSum(reader: number): Promise<{ readonly input: Float32Array; readonly sum: Float32Array }> {
    const values = await this.valuesOf('clean');
    const input = part(values, this.reads(reader));
    const sum = new Float32Array(input.length);
    const add = (term: Float32Array) => sum.forEach((value, index) => (sum[index] = value + (term[index % term.length] ?? 0)));
    const { biases, n_layers } = this.model.config;
    this.graph.edges.filter(edge => edge.reader === reader).forEach(({ sender }) => add(part(values, this.sends(sender))));
    const { depth } = this.graph.readers[reader] ?? expect.fail();
    for (let layer = 0; biases && layer < n_layers; layer++) if (2 * layer + 1 < depth) add(this.model.parameter(`blocks.${layer}.attn.b_O`).data);
    return { input, sum };
  }

  private async normalised(metric: number): Promise<number> {
    const [clean, corrupted] = [await this.metric('clean'), await this.metric('corrupted')];
    return (metric - corrupted) / (clean - corrupted);
  }

  private async metric(prompt: 'clean' | 'corrupted', hook?: Hook): Promise<number> {
    const logits = (await this.valuesOf(prompt, hook)).get('logits') ?? expect.fail();
    const U = logits.shape[2] ?? 0;
    const at = (output: number) => logits.data[this.pair.position * U + output] ?? expect.fail();
    return at(this.pair.correct) - at(this.pair.wrong ?? expect.fail('numbers are not compared'));
  }

  /** The values at every hook as they are left, and the logits. */
  private valuesOf(prompt: 'clean' | 'corrupted', hook?: Hook): Promise<Values> {
    if (hook) return this.run(prompt, hook);
    const run = this.plain.get(prompt) ?? this.run(prompt, (_, value) => value);
    this.plain.set(prompt, run);
    return run;
  }

  private async run(prompt: 'clean' | 'corrupted', hook: Hook): Promise<Values> {
    let names: string[] = [];
    const tokens = int32([1, this.pair.clean.length], Int32Array.from(this.pair[prompt]));
    const [logits, ...values] = await this.model.compute(`run ${this.runs++}`, (weights, given) => {
      const seen: Tensor[] = [];
      names = [];
      const logits = forward(this.model.config, weights, given ?? expect.fail(), {
        hook: (name, value) => {
          const left = hook(name, value);
          if (/(resid_pre|resid_post|_input|mlp_in|mlp_out|result)$/.test(name)) {
            names.push(name);
            seen.push(left);
          }
          return left;
        },
        wantsResult: true, splitInputs: true,
      });
      return [logits, ...seen];
    }, [tokens]);
    return new Map([['logits', asFloat32(logits)], ...names.map((name, index) => [name, asFloat32(values[index])] as const)]);
  }

  private edge(number: number): Edge {
    return this.graph.edges[number] ?? expect.fail(`no edge ${number}`);
  }

  private sends(sender: number): Place {
    const { name, subject: { layer, head } } = this.graph.senders[sender] ?? expect.fail();
    if (name === 'Embedding') return { hook: 'blocks.0.hook_resid_pre' };
    return head === undefined ? { hook: `blocks.${layer}.hook_mlp_out` } : { hook: `blocks.${layer}.attn.hook_result`, head };
  }

  private reads(reader: number): Place {
    const { node, part: input, subject: { layer, head } } = this.graph.readers[reader] ?? expect.fail();
    if (node === 'Logits') return { hook: `blocks.${this.model.config.n_layers - 1}.hook_resid_post` };
    return head === undefined ? { hook: `blocks.${layer}.hook_mlp_in` } : { hook: `blocks.${layer}.hook_${input}_input`, head };
  }
}

/** `[1, T, H, D]` of one head, or `[1, T, D]`, as `T · D` numbers. */
function part(values: Values, { hook, head }: Place): Float32Array {
  const { data, shape: [, T = 0, H = 0, D = 0] } = values.get(hook) ?? expect.fail(`there is no ${hook}`);
  if (head === undefined) return data;
  return Float32Array.from({ length: T * D }, (_, at) => data[(Math.floor(at / D) * H + head) * D + (at % D)] ?? expect.fail());
}

/** `T · D` numbers as those of one head in `[1, T, H, D]`, with 0 in the others; as they are in `[1, T, D]`. */
function spread(values: Float32Array, [, , H = 0, D = 0]: readonly number[], head: number | undefined): Float32Array {
  if (head === undefined) return values;
  const all = new Float32Array(values.length * H);
  values.forEach((value, at) => (all[(Math.floor(at / D) * H + head) * D + (at % D)] = value));
  return all;
}

function copyOf(value: HostTensor<'float32'> | undefined): HostTensor<'float32'> {
  return value ? float32(value.shape, value.data.slice()) : expect.fail();
}
