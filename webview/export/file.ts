import type { Figure } from '../../src/protocol/figure';
import type { ExportFormat } from '../../src/protocol/panel';
import { tabulate } from '../figures/tabulate';
import type { Picture } from '../figures/view';
import { csv } from './csv';
import { figureJson } from './json';
import { png } from './png';

/** What a file of a figure holds. */
export async function fileContent(figure: Figure, format: ExportFormat, picture: () => Promise<Picture>): Promise<string | Uint8Array> {
  switch (format) {
    case 'png': return png(await picture());
    case 'svg': return (await picture()).svg;
    case 'csv': return csv(tabulate(figure));
    case 'json': return figureJson(figure);
    default: return format satisfies never;
  }
}

/** A name for a file without its extension: the parts joined, without what file systems refuse. */
export function fileName(...parts: readonly string[]): string {
  const name = parts.join(' ').normalize('NFKC').replace(/[^\p{L}\p{N}._+-]+/gu, '-').replace(/^[.-]+|[.-]+$/g, '').slice(0, 100);
  return name || 'figure';
}
