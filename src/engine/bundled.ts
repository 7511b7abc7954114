import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../common/errors';
import { unknownName } from '../common/nearest';
import type { ExperimentText } from '../protocol/engine';

export const experimentSuffix = '.circuit.json';

/** The experiments that come with the program: `<name>.circuit.json` in one folder. */
export class BundledExperiments {
  constructor(readonly folder: string) {}

  /** Their names in alphabetical order. */
  async names(): Promise<string[]> {
    try {
      const files = await readdir(this.folder);
      return files.filter(file => file.endsWith(experimentSuffix)).map(file => file.slice(0, -experimentSuffix.length)).sort();
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  /** As {@link read}, with the folder that it is in. */
  async source(name: string): Promise<ExperimentText> {
    return { text: await this.read(name), folder: this.folder };
  }

  /** The text of one. Throws a UserError with the nearest names for one that does not exist. */
  async read(name: string): Promise<string> {
    const names = await this.names();
    if (!names.includes(name)) throw unknownName('bundled experiment', name, names);
    return readFile(path.join(this.folder, `${name}${experimentSuffix}`), 'utf8');
  }
}
