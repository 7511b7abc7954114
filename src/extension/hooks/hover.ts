import type { NamedTensor, Picture } from '../../protocol/tensors';
import type { TensorTarget } from '../contributions';
import { escapeMarkdown, formatLoss } from '../format';
import { drawPicture } from './drawPicture';
import type { Found } from './resolve';

/** What a hover says of a tensor, as Markdown with links of two commands. */
export function hoverText(found: Found, model: { readonly id: string; readonly name: string; readonly n_layers: number }, picture: Picture | 'late' | { readonly problem: string } | undefined): string {
  const { tensors: [first, ...more], stacked, head } = found;
  const { axes, name } = first;
  const target: TensorTarget = { model: model.id, name, ...(head !== undefined && { head }) };
  const shape = stacked ? [{ name: 'layer', size: model.n_layers }, ...axes] : axes;
  const isMany = more.length > 0;
  return [
    `**\`${isMany ? commonName(tensorNames(found)) : name}\`** ${escapeMarkdown(axesText(shape))}`,
    `${escapeMarkdown(first.description)}${head === undefined ? '' : ` Head ${head}\\.`}`,
    ...(picture === undefined ? [] : [pictureText(first, picture, isMany)]),
    [
      `*${escapeMarkdown(model.name)}*`,
      link('Reveal in Circuits', 'circuits.revealTensor', target),
      ...(/hook_(pattern|attn_scores)$/.test(name) ? [link('Open Attention', 'circuits.openAttention', attentionTarget(target))] : []),
    ].join(' · '),
  ].join('\n\n');
}

/** `[batch, head 4, dest 5, src 5]` */
export function axesText(axes: NamedTensor['axes']): string {
  return `[${axes.map(({ name, size }) => (size === undefined ? name : name === String(size) ? name : `${name} ${size}`)).join(', ')}]`;
}

function tensorNames({ tensors }: Found): readonly string[] {
  return tensors.map(({ name }) => name);
}

/** `blocks.*.attn.W_Q` of all layers' names. */
function commonName(names: readonly string[]): string {
  const parts = names.map(name => name.split('.'));
  return (parts[0] ?? []).map((part, at) => (parts.every(each => each[at] === part) ? part : '*')).join('.');
}

function pictureText({ name, kind }: NamedTensor, picture: Picture | 'late' | { readonly problem: string }, isMany: boolean): string {
  if (picture === 'late') return 'Its picture is being drawn; point here again to see it\\.';
  if ('problem' in picture) return escapeMarkdown(picture.problem);
  const { address, width, height } = drawPicture(picture);
  const { minimum, maximum, mean, legend, prompt } = picture;
  const numbers = `min ${formatLoss(minimum)}, mean ${formatLoss(mean)}, max ${formatLoss(maximum)}`;
  const of = [
    ...(isMany ? [`\`${name}\``] : []),
    escapeMarkdown(`${legend}${kind === 'hook' && prompt !== undefined ? ', on' : '.'}`) + (kind === 'hook' && prompt !== undefined ? ` \`${shortened(prompt)}\`` : ''),
  ].join(': ');
  return `![${escapeMarkdown(`${name}: ${numbers}`)}](${address}|width=${width},height=${height})\n\n${of}  \n${escapeMarkdown(numbers)}`;
}

const longestPrompt = 120;

/** Within back quotes, which a prompt must not close. */
function shortened(prompt: string): string {
  const text = prompt.replace(/`/g, "'").replace(/\s+/g, ' ');
  return text.length <= longestPrompt ? text : `${text.slice(0, longestPrompt)} …`;
}

/** The head of a layer whose attention it is, as the tree's rows hand it to the command. */
function attentionTarget({ model, name, head }: TensorTarget) {
  const layer = Number(/^blocks\.(\d+)\./.exec(name)?.[1] ?? 0);
  return { model, layer, ...(head !== undefined && { head }) };
}

function link(title: string, command: string, argument: object): string {
  return `[${title}](command:${command}?${encodeURIComponent(JSON.stringify([argument]))})`;
}
