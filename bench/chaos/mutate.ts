import type { Random } from '../../src/simulator/index.js';

/** Numbers at which parsers stumble. */
const edgeBytes = [0x00, 0x01, 0x7f, 0x80, 0xff];

/** The ways in which a message is spoilt; each returns other bytes. */
const ways: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  function flipBits(bytes, random) {
    for (let flips = random.whole(1, 8); flips > 0; flips -= 1) {
      const at = random.whole(0, bytes.length - 1);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.whole(0, 7));
    }
    return bytes;
  },
  function setEdges(bytes, random) {
    // Mostly near the start, where keys and lengths are.
    const reach = random.whole(0, 1) === 0 ? Math.min(40, bytes.length) : bytes.length;
    for (let sets = random.whole(1, 4); sets > 0; sets -= 1) {
      bytes[random.whole(0, reach - 1)] = edgeBytes[random.whole(0, edgeBytes.length - 1)] ?? 0;
    }
    return bytes;
  },
  function cut(bytes, random) {
    return bytes.subarray(0, random.whole(0, bytes.length));
  },
  function drop(bytes, random) {
    const from = random.whole(0, bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + random.whole(1, 16))]);
  },
  function double(bytes, random) {
    const from = random.whole(0, bytes.length);
    const piece = bytes.subarray(from, from + random.whole(1, 200));
    return Buffer.concat([bytes.subarray(0, from), piece, piece, bytes.subarray(from)]);
  },
  function insertNoise(bytes, random) {
    const at = random.whole(0, bytes.length);
    const noise = Uint8Array.from({ length: random.whole(1, 32) }, () => random.whole(0, 255));
    return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
  function insertHugeLength(bytes, random) {
    const at = random.whole(0, Math.min(40, bytes.length));
    // A field of bytes that says it is 2 GiB long.
    const field = Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x07]);
    return Buffer.concat([bytes.subarray(0, at), field, bytes.subarray(at)]);
  },
];

/** A spoilt copy of a message, in one to three ways. */
export function mutate(message: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(message);
  for (let times = random.whole(1, 3); times > 0 && bytes.length > 0; times -= 1) {
    const way = ways[random.whole(0, ways.length - 1)];
    if (way !== undefined) bytes = way(Buffer.from(bytes), random);
  }
  return bytes;
}
