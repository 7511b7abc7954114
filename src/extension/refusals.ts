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

/** A file cannot become a model before more is said of its config. */
export class ConfigError extends UserError {}
