import path from 'node:path';
import { exportModel } from '../../engine/exports';
import { answer } from '../output';
import { withModel, type CommonOptions, type Session } from '../session';

export interface ExportOptions extends CommonOptions {
  readonly output: string;
  readonly checkpoint?: number;
}

/** `circuits export MODEL -o FILE`: its weights, with what rebuilds it in Python beside them. */
export async function exportToFile(session: Session, reference: string, { output, checkpoint, ...options }: ExportOptions): Promise<void> {
  const file = path.resolve(output);
  await withModel(session, options, reference, async (engine, { id }) => {
    const exported = await exportModel(engine.openModels, { model: id, file, ...(checkpoint !== undefined && { checkpoint }) });
    answer(session.output, exported, () => [...exported.files, ...(exported.withoutPython === undefined ? [] : [exported.withoutPython])].join('\n'));
  });
}
