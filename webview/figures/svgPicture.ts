import { svgElement } from '../elements';
import type { Theme } from '../theme';
import { textWidth } from './text';
import type { Picture } from './view';

export const pictureMargin = 16;
export const pictureTitleHeight = 34;

/** A drawing under its title on the page's background, as a file. `content` starts at (0, 0). */
export function svgPicture(title: string, content: SVGElement, size: { readonly width: number; readonly height: number }, theme: Theme): Picture {
  const titleSize = theme.fontSize + 3;
  const width = Math.ceil(Math.max(size.width, textWidth(title, `600 ${titleSize}px ${theme.font}`)) + 2 * pictureMargin);
  const height = Math.ceil(size.height + 2 * pictureMargin + pictureTitleHeight);
  const root = svgElement('svg', {
    xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': theme.font,
  },
  svgElement('title', {}, title),
  svgElement('rect', { width, height, fill: theme.background }),
  svgElement('text', {
    x: pictureMargin, y: pictureMargin + titleSize, fill: theme.foreground, 'font-size': titleSize, 'font-weight': 600,
  }, title),
  svgElement('g', { transform: `translate(${pictureMargin} ${pictureMargin + pictureTitleHeight})` }, content));
  return { svg: new XMLSerializer().serializeToString(root), width, height };
}
