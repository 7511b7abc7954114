import { UserError } from '../common/errors';
import type { UntrainedOrigin } from '../protocol/engine';

/** The engine trains nothing that starts from a model which is not trained yet. */
export class UntrainedOriginError extends UserError {
  constructor(message: string, readonly origin: UntrainedOrigin) {
    super(message);
  }
}

/** The engine trains nothing that takes days unless it is told to. */
export class TooLongError extends UserError {}
