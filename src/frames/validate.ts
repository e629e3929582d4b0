import { describeChannel, resolveChannel } from './channels.js';
import { formatFault, readPngHeader } from './file-header.js';
import type { Frame, InputSpec, PixelType } from './frame.js';

export const bytesPerPixel: Readonly<Record<PixelType, number>> = {
  uint8: 1,
  uint16: 2,
  float32: 4,
};

/**
 * Every fault of a frame that shows without decoding it, in the order of its planes; empty
 * when there is none. Cheap: reads headers, never pixels.
 */
export function findFaults(frame: Frame, spec: InputSpec, maxPixels: number): string[] {
  const faults = [...channelFaults(frame, spec), ...frameFaults(frame, maxPixels)];
  for (const plane of frame.planes) {
    const fault = planeFault(frame, plane.bytes, maxPixels);
    if (fault !== null)
      faults.push(`plane ${describeChannel(resolveChannel(plane.channel))}: ${fault}`);
  }
  const sizes = frame.encoding === 'png' ? pngSizes(frame) : [];
  if (new Set(sizes.map(({ size }) => size)).size > 1) {
    faults.push(
      `expected planes of one size, got ${sizes.map(({ name, size }) => `${name} ${size}`).join(', ')}`,
    );
  }
  return faults;
}

function channelFaults(frame: Frame, spec: InputSpec): string[] {
  const faults: string[] = [];
  const got = frame.planes.map((plane) => resolveChannel(plane.channel));
  const expected = `expected ${spec.channels.join(', ')}, got ${got.join(', ') || 'none'}`;
  for (const role of spec.channels) {
    if (!got.includes(role)) faults.push(`missing plane ${describeChannel(role)}: ${expected}`);
  }
  for (const role of new Set(got)) {
    if (!spec.channels.includes(role)) {
      const name = role.length > 40 ? `${role.slice(0, 40)}...` : role;
      faults.push(`unknown channel "${name}": expected ${spec.channels.join(', ')}`);
    }
    const count = got.filter((other) => other === role).length;
    if (count > 1) faults.push(`expected one plane ${describeChannel(role)}, got ${count}`);
  }
  return faults;
}

function frameFaults(frame: Frame, maxPixels: number): string[] {
  const faults: string[] = [];
  const { widthPx, heightPx, significantBits: bits } = frame;
  if (frame.encoding === 'raw') {
    if (!(Number.isInteger(widthPx) && Number.isInteger(heightPx) && widthPx > 0 && heightPx > 0)) {
      faults.push(`expected width and height for raw planes, got ${widthPx} x ${heightPx} px`);
    } else if (widthPx * heightPx > maxPixels) {
      faults.push(tooLarge(widthPx, heightPx, maxPixels));
    }
  }
  const maxBits = frame.encoding === 'raw' && frame.pixelType === 'uint8' ? 8 : 16;
  if (!Number.isInteger(bits) || bits < 0 || bits > maxBits) {
    if (frame.encoding !== 'raw' || frame.pixelType !== 'float32') {
      faults.push(`expected 0 to ${maxBits} significant bits, got ${bits}`);
    }
  }
  return faults;
}

function planeFault(frame: Frame, bytes: Uint8Array, maxPixels: number): string | null {
  if (bytes.byteLength === 0) return 'expected pixels, got zero bytes';
  if (frame.encoding === 'raw') {
    const expected = frame.widthPx * frame.heightPx * bytesPerPixel[frame.pixelType];
    // A faulty width or height is a fault of the frame, told once.
    if (
      !(expected > 0) ||
      frame.widthPx * frame.heightPx > maxPixels ||
      bytes.byteLength === expected
    )
      return null;
    return (
      `expected ${frame.heightPx} x ${frame.widthPx} ${frame.pixelType} pixels = ` +
      `${expected} bytes, got ${bytes.byteLength}`
    );
  }
  const fault = formatFault(bytes, frame.encoding);
  if (fault !== null || frame.encoding !== 'png') return fault;
  const header = readPngHeader(bytes);
  if (header === null) return 'expected a png header, got a truncated file';
  return sizeFault(frame, header.widthPx, header.heightPx, maxPixels);
}

/** What is wrong with the size a file states; null if nothing. */
export function sizeFault(
  frame: Pick<Frame, 'widthPx' | 'heightPx'>,
  widthPx: number,
  heightPx: number,
  maxPixels: number,
): string | null {
  if (widthPx === 0 || heightPx === 0) return `expected pixels, got ${widthPx} x ${heightPx} px`;
  if (widthPx * heightPx > maxPixels) return tooLarge(widthPx, heightPx, maxPixels);
  const isWidthWrong = frame.widthPx !== 0 && frame.widthPx !== widthPx;
  const isHeightWrong = frame.heightPx !== 0 && frame.heightPx !== heightPx;
  if (!isWidthWrong && !isHeightWrong) return null;
  return `expected ${frame.widthPx} x ${frame.heightPx} px as the frame says, got ${widthPx} x ${heightPx}`;
}

function tooLarge(widthPx: number, heightPx: number, maxPixels: number): string {
  return `expected at most ${maxPixels} pixels a plane, got ${widthPx} x ${heightPx}`;
}

function pngSizes(frame: Frame): { readonly name: string; readonly size: string }[] {
  return frame.planes.flatMap((plane) => {
    const header = readPngHeader(plane.bytes);
    if (header === null) return [];
    const size = `${header.widthPx} x ${header.heightPx}`;
    return [{ name: resolveChannel(plane.channel), size }];
  });
}
