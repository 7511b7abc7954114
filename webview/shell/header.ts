import { shortSourceText } from '../../src/protocol/checkpointFile';
import type { ModelSummary } from '../../src/protocol/model';
import { element, icon, setText } from '../elements';
import { formatInteger } from '../numbers';
import type { Shown } from '../state';
import { statusLooks } from './status';

/** What is shown, and where its model stands. */
export class Header {
  private readonly title = element('h1');
  private readonly name = element('span', { class: 'model-name' });
  private readonly status = element('span', { class: 'status' });
  private readonly description = element('p', { class: 'description' });
  readonly element = element('header', { class: 'header' },
    this.title, element('p', { class: 'model' }, this.name, this.status), this.description);

  update({ analysis, model, state }: Shown): void {
    setText(this.title, analysis?.title ?? '');
    setText(this.description, analysis?.description ?? '');
    setText(this.name, model?.name ?? '');
    if (!model) return;
    const text = [statusText(model), ...(state?.checkpoint === undefined ? [] : [`checkpoint ${formatInteger(state.checkpoint)}`])].join(' · ');
    if (this.status.dataset['text'] === text) return;
    this.status.dataset['text'] = text;
    this.status.dataset['status'] = model.status;
    this.status.title = model.problem ?? '';
    this.status.replaceChildren(icon(statusLooks[model.status].icon), text);
  }
}

function statusText({ status, progress, source }: ModelSummary): string {
  if (source) return shortSourceText(source);
  const { title } = statusLooks[status];
  if (status === 'finished') return `${title} · ${formatInteger(progress.step)} steps`;
  return `${title} · ${formatInteger(progress.step)} of ${formatInteger(progress.steps)} steps`;
}
