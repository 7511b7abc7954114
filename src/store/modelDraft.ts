import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parameterSpecs } from '../model/parameters';
import type { MetricsRow } from '../protocol/model';
import { writeFileAtomically } from './atomicFile';
import * as checkpoints from './checkpoints';
import type { Weights } from './checkpoints';
import { appendMetrics, syncMetrics } from './metricsLog';
import { canonicalJson, type ModelRecord } from './modelRecord';
import { bytesOf } from './safetensors';
import { checkedStateDict } from './stateDict';

/** Bytes that are hashed between two looks at what else there is to do. */
const hashedAtOnce = 8 << 20;

/** A model that comes with its numbers, while it is being made in a folder that nobody lists. */
export class ModelDraft {
  private readonly hash = createHash('sha256');

  constructor(private readonly folder: string, private readonly model: Pick<ModelRecord, 'name' | 'config'>) {
    this.hash.update(canonicalJson(model.config));
  }

  /**
   * 16 hexadecimal digits of a hash of the config and of all weights that were written, so that the same numbers are the
   * same model wherever they come from. It is asked for once, at the end.
   */
  id(): string {
    return this.hash.digest('hex').slice(0, 16);
  }

  /** @throws UserError when they are not those of a model of this config. */
  async writeWeights(weights: Weights): Promise<void> {
    const ordered = this.inOrder(weights);
    await Promise.all([checkpoints.writeWeights(this.folder, ordered), this.add('weights', ordered)]);
  }

  /** Adds the weights at a step, from which nothing can be resumed. @throws as {@link writeWeights} */
  async writeCheckpoint(step: number, weights: Weights): Promise<void> {
    const ordered = this.inOrder(weights);
    await Promise.all([checkpoints.writeCheckpointWeights(this.folder, step, ordered), this.add(String(step), ordered)]);
  }

  async writeMetrics(rows: readonly MetricsRow[]): Promise<void> {
    await appendMetrics(this.folder, rows);
    await syncMetrics(this.folder);
  }

  /** A file of the model's own, such as its tokenizer's. */
  writeFile(name: string, content: string): Promise<void> {
    return writeFileAtomically(join(this.folder, name), content);
  }

  /** As a state dict has them, whatever the order that they came in. */
  private inOrder(weights: Weights): Weights {
    const { name, config } = this.model;
    checkedStateDict(`"${name}"`, config, weights);
    return new Map(parameterSpecs(config).flatMap(({ name: parameter }) => {
      const tensor = weights.get(parameter);
      return tensor ? [[parameter, tensor] as const] : [];
    }));
  }

  /** Hashes them while the system writes them. */
  private async add(state: string, weights: Weights): Promise<void> {
    this.hash.update(state);
    for (const tensor of weights.values()) {
      const bytes = bytesOf(tensor);
      for (let from = 0; from < bytes.length; from += hashedAtOnce) {
        this.hash.update(bytes.subarray(from, from + hashedAtOnce));
        await nextTurn();
      }
    }
  }
}
