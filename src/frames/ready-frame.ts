import type { Frame, InputSpec, Plane, PreparedFrame } from './frame.js';
import { layOut } from './lay-out.js';
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

/** The short way: the planes become the tensor, each moved at most once. */
export function takeReadyFrame(planes: readonly Plane[]): PreparedFrame {
  const laid = layOut(planes.map(({ bytes }) => bytes));
  const qualities = laid.planes.map((plane) => measureQuality(plane, 255));
  return { pixels: laid.pixels, qualityFlags: frameFlags(qualities) };
}
