import { coversMost } from './transfer.js';

/** Planes of one size, one after the other: `[C, H, W]`, and each as a view of it. */
export interface LaidOut {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly planes: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * Makes one tensor of planes, each moved at most once. May write over the buffer that brought
 * them. It begins at a multiple of `bytesEach`, so that its pixels can be viewed.
 */
export function layOut(planes: readonly Uint8Array[], bytesEach = 1): LaidOut {
  const planeBytes = planes[0]?.byteLength ?? 0;
  const pixels = closeRanks(planes, bytesEach) ?? copyPlanes(planes, planeBytes);
  const viewOf = (_: unknown, i: number) => pixels.subarray(i * planeBytes, (i + 1) * planeBytes);
  return { pixels, planes: planes.map(viewOf) };
}

function copyPlanes(planes: readonly Uint8Array[], planeBytes: number): Uint8Array<ArrayBuffer> {
  const pixels = new Uint8Array(planes.length * planeBytes);
  for (const [i, bytes] of planes.entries()) pixels.set(bytes, i * planeBytes);
  return pixels;
}

/**
 * The tensor within the message that brought the planes: a few bytes of framing between them
 * are closed up. Every fresh buffer of a frame hastens the next full collection, so one is
 * spared. null where the planes lie in another order, in several buffers, off a pixel's
 * boundary, or in a buffer that holds much else, which would be kept alive.
 */
function closeRanks(
  planes: readonly Uint8Array[],
  bytesEach: number,
): Uint8Array<ArrayBuffer> | null {
  const [first] = planes;
  if (first === undefined) return null;
  const { buffer, byteOffset, byteLength: planeBytes } = first;
  if (!(buffer instanceof ArrayBuffer) || byteOffset % bytesEach !== 0) return null;
  if (!coversMost(planes.length * planeBytes, buffer)) return null;
  const areInTurn = planes.every((bytes, i) => {
    const before = planes[i - 1];
    return (
      bytes.buffer === buffer &&
      (before === undefined || bytes.byteOffset >= before.byteOffset + planeBytes)
    );
  });
  if (!areInTurn) return null;
  // A plain Uint8Array, not a Buffer, which would make what measures it slower for all others.
  const pixels = new Uint8Array(buffer, byteOffset, planes.length * planeBytes);
  for (const [i, bytes] of planes.entries()) {
    // Never over a plane that is still to be moved: each goes towards the front.
    if (bytes.byteOffset > byteOffset + i * planeBytes) pixels.set(bytes, i * planeBytes);
  }
  return pixels;
}
