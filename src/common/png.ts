import { deflateSync } from 'node:zlib';

/** Red, green, blue and opacity, each 0 to 255. */
export type Colour = readonly [number, number, number, number];

/** A PNG of one pixel a cell, as a `data:` address. `colour(row, column)` gives each pixel. */
export function pngAddress(rows: number, columns: number, colour: (row: number, column: number) => Colour): string {
  return `data:image/png;base64,${encodePng(rows, columns, colour).toString('base64')}`;
}

/** Writes an 8-bit RGBA PNG (ISO/IEC 15948), every line unfiltered. */
export function encodePng(rows: number, columns: number, colour: (row: number, column: number) => Colour): Buffer {
  const stride = 1 + columns * 4;
  const lines = Buffer.alloc(rows * stride);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) lines.set(colour(row, column), row * stride + 1 + column * 4);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(columns, 0);
  header.writeUInt32BE(rows, 4);
  header.set([8, 6], 8); // 8 bits a channel, RGBA
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  whole.set(body, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The checksum of PNG chunks; `zlib.crc32` has it only since Node 20.15. */
function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
