import { fileURLToPath } from 'node:url';

/** The folder that everything is in. */
export const repository = fileURLToPath(new URL('../..', import.meta.url));
