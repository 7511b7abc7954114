import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import type { ExperimentText } from '../protocol/engine';
import { parseExperiment } from '../training/experiment';
import { experimentSuffix, type BundledExperiments } from './bundled';
import { readExperimentFile } from './experimentFile';

/** Folders below the one in sight that are searched, and files that are found there: nobody looks through more. */
const deepest = 3;
const mostFiles = 200;

/** What a list says of an experiment. */
export interface ListedExperiment {
  readonly reference: string;
  readonly description: string;
  readonly claims: number;
  readonly isSweep: boolean;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/** The experiments that a tool can name: the bundled ones, and the files in sight of a folder. */
export class ToolExperiments {
  constructor(private readonly bundled: BundledExperiments, private readonly folder: string | undefined) {}

  async list(): Promise<readonly ListedExperiment[]> {
    return Promise.all((await this.references()).map(async reference => {
      try {
        const parsed = parseExperiment((await this.read(reference)).text);
        if (!parsed.ok) return unreadable(reference, parsed.problems[0]?.message ?? 'It cannot be read.');
        const { description = '', claims, sweep } = parsed.experiment;
        return { reference, description, claims: claims.length, isSweep: sweep !== undefined };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return unreadable(reference, error.message);
      }
    }));
  }

  /** @throws UserError with the nearest names where there is no such experiment. */
  async read(reference: string): Promise<ExperimentText> {
    if ((await this.bundled.names()).includes(reference)) return this.bundled.source(reference);
    if (!reference.endsWith(experimentSuffix)) throw unknownName('experiment', reference, await this.references());
    if (this.folder === undefined && !path.isAbsolute(reference)) throw new UserError(`"${reference}" is a path, and there is no folder to see it from; give the whole path.`);
    const file = path.resolve(this.folder ?? '', reference);
    return { text: (await readExperimentFile(file)).text, folder: path.dirname(file) };
  }

  private async references(): Promise<readonly string[]> {
    return [...(await this.bundled.names()), ...(this.folder === undefined ? [] : await filesIn(this.folder))];
  }
}

/** Experiment files as seen from a folder, those nearest to it first. */
async function filesIn(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  let folders = [''];
  for (let depth = 0; depth <= deepest && found.length < mostFiles; depth++) {
    const below: string[] = [];
    for (const folder of folders) {
      // What may not be read has nothing to show.
      const entries = await readdir(path.join(root, folder), { withFileTypes: true }).catch(() => []);
      const visible = entries.filter(({ name }) => !name.startsWith('.') && name !== 'node_modules').sort((a, b) => (a.name < b.name ? -1 : 1));
      found.push(...visible.filter(entry => entry.isFile() && entry.name.endsWith(experimentSuffix)).map(({ name }) => path.join(folder, name)));
      below.push(...visible.filter(entry => entry.isDirectory()).map(({ name }) => path.join(folder, name)));
    }
    folders = below.slice(0, mostFiles);
  }
  return found.slice(0, mostFiles);
}

function unreadable(reference: string, problem: string): ListedExperiment {
  return { reference, description: '', claims: 0, isSweep: false, problem };
}
