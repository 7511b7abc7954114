import type { ModelSummary } from '../../protocol/model';

/** Which models were fine-tuned from which, of those that there are. A model whose base is gone stands for itself. */
export class ModelFamilies {
  private readonly bases = new Map<string, string>();
  private readonly tunes = new Map<string, string[]>();

  constructor(models: readonly Pick<ModelSummary, 'id' | 'from'>[]) {
    const there = new Set(models.map(({ id }) => id));
    for (const { id, from } of models) {
      // Files can say that models come from each other in a circle, which would leave none of them in sight.
      if (!from || !there.has(from.id) || this.lineOf(from.id).includes(id)) continue;
      this.bases.set(id, from.id);
      const tunes = this.tunes.get(from.id);
      if (tunes) tunes.push(id);
      else this.tunes.set(from.id, [id]);
    }
  }

  baseOf(model: string): string | undefined {
    return this.bases.get(model);
  }

  /** The models that were fine-tuned from this one, in the order in which all were given. */
  tunedFrom(model: string): readonly string[] {
    return this.tunes.get(model) ?? [];
  }

  /** The model and what it comes from, the oldest last. */
  private lineOf(model: string): readonly string[] {
    const line = [model];
    for (let base = this.bases.get(model); base !== undefined; base = this.bases.get(base)) line.push(base);
    return line;
  }
}
