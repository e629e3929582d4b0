import type { Frame, InputSpec, Plane, PreparedFrame } from './frame.js';
import { frameFlags, measureQuality } from './quality.js';
import { coversMost } from './transfer.js';

/** Above it the copy and the look at every pixel (1 ms a MiB) belong in a worker. */
const maxBytesHere = 512 * 1024;

/** Whether a frame needs neither decoding, resizing nor scaling, and is small. */
export function isReady(frame: Frame, spec: InputSpec): boolean {
  return (
    frame.encoding === 'raw' &&
    frame.pixelType === 'uint8' &&
    (frame.significantBits === 0 || frame.significantBits === 8) &&
    frame.widthPx === spec.widthPx &&
    frame.heightPx === spec.heightPx &&
    spec.channels.length * spec.widthPx * spec.heightPx <= maxBytesHere
  );
}

/** The short way: the planes become the tensor, each moved at most once. */
export function takeReadyFrame(planes: readonly Plane[], spec: InputSpec): PreparedFrame {
  const planeLength = spec.widthPx * spec.heightPx;
  const pixels = closeRanks(planes, planeLength) ?? copyPlanes(planes, planeLength);
  const qualities = planes.map((_, i) =>
    measureQuality(pixels.subarray(i * planeLength, (i + 1) * planeLength), 255),
  );
  return { pixels, qualityFlags: frameFlags(qualities) };
}

function copyPlanes(planes: readonly Plane[], planeLength: number): Uint8Array {
  const pixels = new Uint8Array(planes.length * planeLength);
  for (const [i, { bytes }] of planes.entries()) pixels.set(bytes, i * planeLength);
  return pixels;
}

/**
 * The tensor within the message that brought the planes: a few bytes of framing between them
 * are closed up. Every fresh buffer of a frame hastens the next full collection, so one is
 * spared. null where the planes lie in another order, in several buffers, or in one that holds
 * much else, which would be kept alive.
 */
function closeRanks(planes: readonly Plane[], planeLength: number): Uint8Array | null {
  const [first] = planes;
  if (first === undefined) return null;
  const { buffer, byteOffset } = first.bytes;
  if (!(buffer instanceof ArrayBuffer) || !coversMost(planes.length * planeLength, buffer)) {
    return null;
  }
  const areInTurn = planes.every(({ bytes }, i) => {
    const before = planes[i - 1]?.bytes;
    return (
      bytes.buffer === buffer &&
      (before === undefined || bytes.byteOffset >= before.byteOffset + planeLength)
    );
  });
  if (!areInTurn) return null;
  // A plain Uint8Array, not a Buffer, which would make what measures it slower for all others.
  const pixels = new Uint8Array(buffer, byteOffset, planes.length * planeLength);
  for (const [i, { bytes }] of planes.entries()) {
    // Never over a plane that is still to be moved: each goes towards the front.
    if (bytes.byteOffset > byteOffset + i * planeLength) pixels.set(bytes, i * planeLength);
  }
  return pixels;
}
