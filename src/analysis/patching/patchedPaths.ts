import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Hook, Weights } from '../../model/layers';
import type { RunnableModel } from '../../model/runnable';
import { forward } from '../../model/transformer';
import type { ModelConfig } from '../../protocol/config';
import { allComponents, componentName, type Component, type Head } from '../heads';
import type { PromptPair } from '../pairs';
import { measurePasses, type PatchedRuns, type Work } from './patching';
import { ordinaryRoom, rowsAtOnce } from './patchingPasses';

// R rows, one a path · T positions · H heads · D d_model · U d_vocab_out

/** What writes to the residual stream. */
export type Sender = { readonly kind: 'embedding' } | { readonly kind: 'component'; readonly component: Component };

/** One input of one head. */
export interface Receiver {
  readonly head: Head;
  readonly input: 'q' | 'k' | 'v';
}

/** What one sender writes, at one position or at all of them. */
export interface PathRow {
  readonly sender: Sender;
  readonly position?: number;
}

export interface Paths {
  /** Absent: the logits. */
  readonly receiver: Receiver | undefined;
  /** Whether MLPs between the two take part; otherwise they stay as in the corrupted run. */
  readonly throughMlps: boolean;
  readonly rows: readonly PathRow[];
}

export function senderName(sender: Sender): string {
  return sender.kind === 'embedding' ? 'Embedding' : componentName(sender.component);
}

/** Everything that writes to the residual stream before the receiver reads it, in the order of the forward pass. */
export function sendersBefore(config: ModelConfig, receiver: Receiver | undefined): readonly Sender[] {
  const layers = receiver?.head.layer ?? config.n_layers;
  const components = allComponents(config).filter(({ layer }) => layer < layers);
  return [{ kind: 'embedding' }, ...components.map((component): Sender => ({ kind: 'component', component }))];
}

/**
 * Path patching, clean → corrupted, of a row a path (Wang et al. 2022, appendix B). In a first run every head is held as in the
 * corrupted run but the sender, which writes what it does in the clean one; it gives the receiver's input. In a second, that
 * input is put into the corrupted run, and all that comes after it is computed. Into the logits, the first run is all. Norms that
 * stand in the stream itself are part of every path along it, and computed anew.
 * @throws UserError when clean and corrupted prompts give the same metric; CancelledError.
 */
export function patchPaths(
  model: RunnableModel, pairs: readonly PromptPair[], { receiver, throughMlps, rows }: Paths, work: Work, room = ordinaryRoom,
): Promise<PatchedRuns> {
  const { config } = model;
  const [first] = pairs;
  if (!first) throw new Error('there is no pair');
  const T = first.clean.length;
  const most = rowsAtOnce(config, T, T, room);
  const starts = Array.from({ length: Math.ceil(rows.length / most) }, (_, pass) => pass * most);
  const target = receiver ? `${receiver.head.layer}.${receiver.head.head}.${receiver.input}` : 'logits';
  return measurePasses(model, pairs, rows.length, starts.map(start => {
    const some = rows.slice(start, start + most);
    const names = some.map(({ sender, position }) => `${senderName(sender)} ${position ?? ''}`);
    return {
      key: `paths to ${target} ${throughMlps ? 'through MLPs ' : ''}${T} ${first.position} ${names.join()}`,
      rows: some.map((_, index) => start + index),
      tokens: T,
      logits: (weights, tokens) => pathLogits(config, weights, tokens, { receiver, throughMlps, rows: some }, first.position),
    };
  }), work);
}

/** Logits `[2 + R, 1, U]` at the answer, of `tokens [2, T]`: of the clean run, of the corrupted one, and of each path patched. */
function pathLogits(config: ModelConfig, weights: Weights, tokens: Tensor, { receiver, throughMlps, rows }: Paths, at: number): Tensor {
  const last = `blocks.${config.n_layers - 1}.hook_resid_post`;
  /** The logits at the answer alone. */
  const answers = (tokens: Tensor, hook: Hook, wantsResult = false) => forward(config, weights, tokens, {
    hook: (name, value) => (name === last ? tf.slice(value, [0, at, 0], [-1, 1, -1]) : hook(name, value)), wantsResult,
  });
  const runs = new Map<string, Tensor>(); // hook name → [2, T, …]
  const whole = answers(tokens, (name, value) => {
    runs.set(name, value);
    return value;
  }, true);
  const corrupted = tf.slice(tokens, [1, 0], [1, -1]);
  const held = heldHook(rows, runs, throughMlps);
  if (!receiver) return tf.concat([whole, answers(corrupted, held)], 0);

  const { layer, head } = receiver.head;
  const read = `blocks.${layer}.attn.hook_${receiver.input}`;
  let told: Tensor | undefined; // [R, T, H, K]
  answers(corrupted, (name, value) => {
    if (name === read) told = value;
    return held(name, value);
  });
  const isReceiver = tf.tensor(Array.from({ length: config.n_heads }, (_, index) => Number(index === head)), [config.n_heads, 1]);
  const patched = answers(corrupted, (name, value) => {
    if (name === `blocks.${layer}.hook_resid_pre`) return tf.tile(value, [rows.length, 1, 1]);
    if (name !== read || !told) return value;
    return tf.add(tf.mul(value, tf.sub(1, isReceiver)), tf.mul(told, isReceiver));
  });
  return tf.concat([whole, patched], 0);
}

/** Holds what writes to the stream as in the corrupted run, and lets each row's sender write what it does in the clean one. */
function heldHook(rows: readonly PathRow[], runs: ReadonlyMap<string, Tensor>, throughMlps: boolean): Hook {
  /** The clean run (0) or the corrupted one (1) `[1, T, …]`. */
  const run = (name: string, index: 0 | 1) => {
    const value = runs.get(name);
    if (!value) throw new Error(`the forward pass did not meet ${name}`);
    return tf.slice(value, [index, ...value.shape.slice(1).map(() => 0)], [1, ...value.shape.slice(1)]);
  };
  const change = (name: string) => tf.sub(run(name, 0), run(name, 1));
  return (name, value) => {
    const [, layerText, hook] = /^blocks\.(\d+)\.hook_(\w+)$/.exec(name) ?? [];
    const layer = Number(layerText);
    if (name === 'hook_embed') return withChanges(tf.tile(value, [rows.length, 1, 1]), rows, ['Embedding'], change(name));
    if (hook === 'mlp_out') return withChanges(throughMlps ? value : run(name, 1), rows, [componentName({ layer, head: undefined })], change(name));
    if (hook !== 'attn_out') return value;
    const byHead = tf.transpose(tf.squeeze(change(`blocks.${layer}.attn.hook_result`), [0]), [1, 0, 2]); // [H, T, D]
    return withChanges(run(name, 1), rows, Array.from({ length: byHead.shape[0] }, (_, head) => componentName({ layer, head })), byHead);
  };
}

/** `value [1 or R, T, D]` plus, in each row, the change `[S, T, D]` of its sender, if it is one of these, at the row's position. */
function withChanges(value: Tensor, rows: readonly PathRow[], senders: readonly string[], changes: Tensor): Tensor {
  const [S = 0, T = 0, D = 0] = changes.shape;
  const places = rows.map(({ sender }) => senders.indexOf(senderName(sender)));
  if (places.every(place => place < 0)) return value;
  const isSender = tf.tensor(places.flatMap(place => senders.map((_, sender) => Number(place === sender))), [rows.length, S]);
  const isThere = tf.tensor(rows.flatMap(({ position }) => Array.from({ length: T }, (_, at) => Number((position ?? at) === at))), [rows.length, T, 1]);
  const told = tf.reshape(tf.matMul(isSender, tf.reshape(changes, [S, T * D])), [rows.length, T, D]);
  return tf.add(value, tf.mul(told, isThere));
}
