import { baseName } from '../../src/common/baseName';
import type { CheckpointFile } from '../../src/protocol/checkpointFile';
import { button } from '../controls/toolkit';
import { element, icon, setText } from '../elements';
import { count } from '../numbers';
import { fileSummary } from './words';

/** Entries of the metadata that are shown, and characters of each: a file can hold millions. */
const [mostEntries, mostCharacters] = [200, 2000];
/** No more entries than this are shown at once; of more, once they are asked for. */
const fewEntries = 6;

/** What a file is: its name, its size, what it is recognised as, and what it says of itself. */
export class FileHeader {
  private readonly name = element('h1');
  private readonly summary = element('p', { class: 'file-summary' });
  private readonly recognised = element('p', { class: 'file-recognised' });
  private readonly changed = element('p', { class: 'file-changed', hidden: true }, icon('history'), 'It has changed on disk since it was opened, and is shown as it is now.');
  private readonly importButton: HTMLElement;
  private readonly metadataTitle = element('summary');
  private readonly metadataRows = element('tbody');
  private readonly metadataNote = element('p', { class: 'table-note', hidden: true });
  private readonly metadata = element('details', { class: 'file-metadata', hidden: true },
    this.metadataTitle,
    element('div', { class: 'data-table' },
      element('table', {}, element('caption', { class: 'visually-hidden' }, 'Metadata'), this.metadataRows), this.metadataNote));
  readonly element: HTMLElement;

  constructor(importFile: () => void) {
    this.importButton = button({ title: 'Import as Model', appearance: 'primary' }, importFile).element;
    this.element = element('header', { class: 'file-header' },
      element('div', { class: 'file-heading' }, element('div', { class: 'file-words' }, this.name, this.summary, this.recognised, this.changed), this.importButton),
      this.metadata);
    this.element.hidden = true;
  }

  update(file: CheckpointFile, changed: boolean): void {
    this.element.hidden = false;
    setText(this.name, baseName(file.path));
    this.name.title = file.path;
    setText(this.summary, fileSummary(file));
    const { recognised } = file;
    const isModel = 'as' in recognised;
    this.recognised.replaceChildren(icon(isModel ? 'check' : 'info'), isModel ? recognised.as : `It cannot become a model. ${recognised.problem}`);
    this.importButton.hidden = !isModel;
    this.changed.hidden = !changed;
    this.showMetadata(file.metadata);
  }

  private showMetadata(metadata: CheckpointFile['metadata']): void {
    this.metadata.hidden = metadata.length === 0;
    setText(this.metadataTitle, `Metadata (${metadata.length})`);
    this.metadata.open = metadata.length <= fewEntries;
    this.metadataRows.replaceChildren(...metadata.slice(0, mostEntries).map(([name, text]) => element('tr', {},
      element('th', { scope: 'row' }, shortened(name)), element('td', {}, shortened(text)))));
    this.metadataNote.hidden = metadata.length <= mostEntries;
    setText(this.metadataNote, `The first ${mostEntries} entries are shown.`);
  }
}

function shortened(text: string): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}… (${count(text.length - mostCharacters, 'character')} more)`;
}
