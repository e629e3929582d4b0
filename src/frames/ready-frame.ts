import type { Frame, InputSpec, Plane, PreparedFrame } from './frame.js';
import { frameFlags, measureQuality } from './quality.js';

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

/** The short way: one copy of each plane into the tensor. */
export function copyReadyFrame(planes: readonly Plane[], spec: InputSpec): PreparedFrame {
  const planeLength = spec.widthPx * spec.heightPx;
  const pixels = new Uint8Array(planes.length * planeLength);
  const qualities = planes.map(({ bytes }, i) => {
    pixels.set(bytes, i * planeLength);
    // measured on the copy: a Buffer would make this function slower for all others
    return measureQuality(pixels.subarray(i * planeLength, (i + 1) * planeLength), 255);
  });
  return { pixels, qualityFlags: frameFlags(qualities) };
}
