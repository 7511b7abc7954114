import { svgElement } from '../elements';
import { textWidth } from '../figures/text';
import type { Picture } from '../figures/view';
import type { Theme } from '../theme';

const margin = 16;
const titleHeight = 34;

/**
 * A drawing under its title on the page's background, as a file. `content` is SVG that starts at (0, 0); it is joined as
 * text, because parsing it here would put it under the page's policy.
 */
export function titledPicture(title: string, content: string, size: { readonly width: number; readonly height: number }, theme: Theme): Picture {
  const titleSize = theme.fontSize + 3;
  const width = Math.ceil(Math.max(size.width, textWidth(title, `600 ${titleSize}px ${theme.font}`)) + 2 * margin);
  const height = Math.ceil(size.height + 2 * margin + titleHeight);
  const frame = svgElement('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': theme.font },
    svgElement('title', {}, title),
    svgElement('rect', { width, height, fill: theme.background }),
    svgElement('text', { x: margin, y: margin + titleSize, fill: theme.foreground, 'font-size': titleSize, 'font-weight': 600 }, title));
  const opening = serialised(frame).slice(0, -'</svg>'.length);
  return { svg: `${opening}<g transform="translate(${margin} ${margin + titleHeight})">${content}</g></svg>`, width, height };
}

export function serialised(drawing: SVGElement): string {
  return new XMLSerializer().serializeToString(drawing);
}
