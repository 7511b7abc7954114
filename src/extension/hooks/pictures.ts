import { CancelledError, messageOf, UserError } from '../../common/errors';
import { getPicture } from '../../protocol/engine';
import type { Picture, PictureRequest } from '../../protocol/tensors';
import type { Engine } from '../engine';

export type PictureAnswer = Picture | 'late' | { readonly problem: string };

interface Asked {
  readonly picture: Promise<Picture>;
  readonly cancelling: AbortController;
  /** Askers that have not gone; one for whom it was late counts for good. */
  askers: number;
}

/** Pictures that are kept; those seen longest ago go first. */
const mostKept = 100;

/** Pictures as hovers ask for them: one that takes long is there the next time. */
export class HookPictures {
  private readonly kept = new Map<string, Asked>();

  /** `patience`: milliseconds that an asker waits. */
  constructor(private readonly engine: Pick<Engine, 'request'>, private readonly patience: number, private readonly explain: (error: unknown) => string) {}

  /** `weights` tells states of the model apart. Aborted by all askers before it is late, the picture is not drawn. */
  async get(request: PictureRequest, weights: string, signal: AbortSignal): Promise<PictureAnswer> {
    const key = JSON.stringify([request.model, weights, request.name, request.head]);
    const asked = this.kept.get(key) ?? this.ask(key, request);
    this.kept.delete(key);
    this.kept.set(key, asked);
    for (const oldest of [...this.kept.keys()].slice(0, -mostKept)) this.kept.delete(oldest);
    asked.askers++;
    const leave = () => {
      if (--asked.askers > 0) return;
      // Whoever asks from now on asks anew.
      this.forget(key, asked);
      asked.cancelling.abort();
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await this.inTime(asked.picture, signal);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  clear(): void {
    this.kept.clear();
  }

  private ask(key: string, request: PictureRequest): Asked {
    const cancelling = new AbortController();
    const asked: Asked = { picture: this.engine.request(getPicture, request, cancelling.signal), cancelling, askers: 0 };
    // What failed is asked again.
    asked.picture.catch(() => this.forget(key, asked));
    return asked;
  }

  private forget(key: string, asked: Asked): void {
    if (this.kept.get(key) === asked) this.kept.delete(key);
  }

  private async inTime(picture: Promise<Picture>, signal: AbortSignal): Promise<PictureAnswer> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), this.patience);
    });
    try {
      return await Promise.race([picture, late]);
    } catch (error) {
      if (!(error instanceof CancelledError)) return { problem: error instanceof UserError ? messageOf(error) : this.explain(error) };
      if (signal.aborted) throw error;
      // Cancelled by somebody else, as when the engine starts anew.
      return 'late';
    } finally {
      clearTimeout(timer);
    }
  }
}
