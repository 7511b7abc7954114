import type { Picture } from '../figures/view';

/** Pixels for each unit of the picture, so that it stays sharp on dense screens and in print. */
const scale = 2;

/** Draws a picture into the bytes of a PNG. */
export async function png({ svg, width, height }: Picture): Promise<Uint8Array> {
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('the page has no canvas to draw on');
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>(resolve => { canvas.toBlob(resolve, 'image/png'); });
    if (!blob) throw new Error('the picture is too large to draw');
    return new Uint8Array(await blob.arrayBuffer());
  } finally {
    URL.revokeObjectURL(address);
  }
}
