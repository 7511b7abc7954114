import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { encodePng } from '../../../src/common/png';

test('a PNG holds each cell as one pixel, row by row', () => {
  const png = encodePng(2, 3, (row, column) => [row, column, 7, 255 - column]);
  const chunks = chunksOf(png);
  expect(chunks.map(chunk => chunk.type)).toEqual(['IHDR', 'IDAT', 'IEND']);
  expect([...(chunks[0]?.data ?? [])]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 8, 6, 0, 0, 0]);
  expect([...inflateSync(chunks[1]?.data ?? Buffer.alloc(0))]).toEqual([
    0, 0, 0, 7, 255, 0, 1, 7, 254, 0, 2, 7, 253,
    0, 1, 0, 7, 255, 1, 1, 7, 254, 1, 2, 7, 253,
  ]);
});

test("an empty IEND has the checksum that the standard's every file ends with", () => {
  expect(encodePng(1, 1, () => [0, 0, 0, 0]).subarray(-4).toString('hex')).toBe('ae426082');
});

function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const chunks = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return chunks;
}
