import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCode, messageOf, throwIfCancelled, UserError } from '../../common/errors';
import type { Engine } from '../../engine/engine';
import { versions } from '../../engine/versions';
import { answer } from '../output';
import { reportPage, type ReportSection } from '../report/page';
import { withModel, type CommonOptions, type Session } from '../session';

export interface ReportOptions extends CommonOptions {
  readonly output: string;
}

/** `circuits report MODEL -o report.html`: one page with every figure that applies to the model. */
export async function report(session: Session, reference: string, { output, ...options }: ReportOptions): Promise<void> {
  const file = path.resolve(output);
  await withModel(session, options, reference, async (engine, { id }) => {
    const page = reportPage({
      details: await engine.details(id),
      sections: await sections(engine, id, session),
      seconds: (await engine.store.readMetrics(id)).at(-1)?.seconds ?? 0,
      version: versions.circuitExplorer,
      madeAt: new Date(),
    });
    await writePage(file, page);
  });
  answer(session.output, { path: file }, () => `The report is in ${file}`);
}

async function sections(engine: Engine, id: string, { interrupted, output }: Session): Promise<ReportSection[]> {
  const made: ReportSection[] = [];
  for (const analysis of await engine.analyses.applicable(id)) {
    throwIfCancelled(interrupted);
    output.err.write(`${analysis.title}…\n`);
    try {
      const outcome = await engine.analyses.run({ model: id, analysis: analysis.id, params: {} }, { signal: interrupted, progress: () => undefined });
      made.push({ analysis, outcome });
    } catch (error) {
      // What one analysis cannot show keeps no other from the page.
      if (!(error instanceof UserError)) throw error;
      made.push({ analysis, outcome: { problem: messageOf(error) } });
    }
  }
  return made;
}

async function writePage(file: string, page: string): Promise<void> {
  try {
    await writeFile(file, page);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    throw new UserError(`The report cannot be written to ${file}: ${messageOf(error)}.`);
  }
}
