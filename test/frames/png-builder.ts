import { crc32 } from 'node:zlib';

interface Header {
  readonly widthPx: number;
  readonly heightPx: number;
  /** @default 8 */
  readonly bitDepth?: number;
}

/** A grey PNG with any header around any compressed data, so that the two can disagree. */
export function buildPng(header: Header, compressed: Uint8Array): Uint8Array {
  const start = Buffer.alloc(13);
  start.writeUInt32BE(header.widthPx, 0);
  start.writeUInt32BE(header.heightPx, 4);
  start[8] = header.bitDepth ?? 8;
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk('IHDR', start),
      chunk('IDAT', compressed),
      chunk('IEND', new Uint8Array(0)),
    ]),
  );
}

function chunk(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(content.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
