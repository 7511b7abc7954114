let context: CanvasRenderingContext2D | null = null;

/** Width in CSS pixels of a text in a CSS font, such as `12px sans-serif`. */
export function textWidth(text: string, font: string): number {
  context ??= document.createElement('canvas').getContext('2d');
  if (!context) return text.length * 7;
  context.font = font;
  return context.measureText(text).width;
}
