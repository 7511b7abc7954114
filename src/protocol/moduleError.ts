import { UserError } from '../common/errors';
import type { SourcePlace } from './experiment';

/** What is wrong with a task module, with the place in its files where it went wrong. */
export class ModuleError extends UserError {
  constructor(message: string, readonly place?: SourcePlace) {
    super(message);
  }
}

/** As in `parity.mjs:12:5`. */
export function placeText({ file, line, column }: SourcePlace): string {
  return `${file}:${line}:${column}`;
}
