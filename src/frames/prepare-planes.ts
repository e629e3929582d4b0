import { describeChannel } from './channels.js';
import { decodePlane } from './decode.js';
import type { Frame, InputSpec, PixelType, QualityFlag } from './frame.js';
import { layOut } from './lay-out.js';
import type { Pixels, SizePx } from './pixels.js';
import { planResize } from './plan-resize.js';
import { frameFlags, measureQuality, type PlaneQuality } from './quality.js';
import { resizeBy } from './resize-by.js';
import type { ResizePlan } from './resize-plan.js';
import { fullValue, scaleToUint8 } from './to-uint8.js';
import { bytesPerPixel } from './validate.js';

/** A frame on its way to a worker; nothing in it but what a message can carry. */
export interface PrepareTask {
  readonly frame: Omit<Frame, 'id' | 'planes'>;
  readonly spec: InputSpec;
  /** One per channel of the spec, in its order; checked by `findFaults`. */
  readonly planes: readonly Uint8Array[];
  readonly maxPixels: number;
  /** Whether raw pixels are left as they are: laid out as one tensor, and measured. @default false */
  readonly staysRaw?: boolean;
}

export type PrepareAnswer =
  | { readonly pixels: Uint8Array<ArrayBuffer>; readonly qualityFlags: readonly QualityFlag[] }
  | { readonly faults: readonly string[] };

interface OpenPlane extends SizePx {
  readonly pixels: Pixels;
}

/**
 * Decodes, measures, resizes and scales all planes of one frame to uint8 `[C, H, W]`.
 * Blocks its thread for most of the work. Faults that only decoding shows are answered
 * together, those of all planes at once.
 */
export async function preparePlanes(task: PrepareTask): Promise<PrepareAnswer> {
  const { frame, spec } = task;
  const laid = task.staysRaw ? layOut(task.planes, bytesPerPixel[frame.pixelType]) : null;
  const bytes = laid?.planes ?? task.planes;
  const opened = await Promise.all(bytes.map((each) => openPlane(each, task)));
  const faults: string[] = [];
  const planes: OpenPlane[] = [];
  const qualities: PlaneQuality[] = [];
  const fulls: number[] = [];
  opened.forEach((plane, i) => {
    const name = `plane ${describeChannel(spec.channels[i]!)}`;
    if ('fault' in plane) {
      faults.push(`${name}: ${plane.fault}`);
      return;
    }
    const full = fullValue(plane.pixels, frame.significantBits);
    if (full === null) {
      faults.push(`${name}: expected ${frame.significantBits} significant bits, got 8-bit pixels`);
      return;
    }
    const quality = measureQuality(plane.pixels, full);
    if (!quality.isFinite) {
      faults.push(`${name}: expected numbers, got NaN or infinite pixels`);
    }
    planes.push(plane);
    qualities.push(quality);
    fulls.push(full);
  });
  const sizes = planes.map(({ widthPx, heightPx }) => `${widthPx} x ${heightPx}`);
  if (faults.length === 0 && new Set(sizes).size > 1) {
    const got = sizes.map((size, i) => `${spec.channels[i]} ${size}`).join(', ');
    faults.push(`expected planes of one size, got ${got}`);
  }
  if (faults.length > 0) return { faults };
  if (laid) return { pixels: laid.pixels, qualityFlags: frameFlags(qualities) };

  const planeLength = spec.widthPx * spec.heightPx;
  const pixels = new Uint8Array(spec.channels.length * planeLength);
  planes.forEach((plane, i) => {
    const into = pixels.subarray(i * planeLength, (i + 1) * planeLength);
    fitPlane(plane, { spec, plan: planResize(plane, spec), full: fulls[i]! }, into);
  });
  return { pixels, qualityFlags: frameFlags(qualities) };
}

async function openPlane(
  bytes: Uint8Array,
  { frame, maxPixels }: PrepareTask,
): Promise<OpenPlane | { readonly fault: string }> {
  const { widthPx, heightPx, encoding } = frame;
  if (encoding !== 'raw') return decodePlane(bytes, { widthPx, heightPx, encoding, maxPixels });
  return { widthPx, heightPx, pixels: viewRaw(bytes, frame.pixelType) };
}

/** Raw bytes as pixels; copied only where they do not lie on a pixel's boundary. */
function viewRaw(bytes: Uint8Array, pixelType: PixelType): Pixels {
  if (pixelType === 'uint8') return bytes;
  const bytesEach = pixelType === 'uint16' ? 2 : 4;
  const { buffer, byteOffset } = byteOffsetFits(bytes, bytesEach) ? bytes : new Uint8Array(bytes);
  const length = bytes.byteLength / bytesEach;
  return pixelType === 'uint16'
    ? new Uint16Array(buffer, byteOffset, length)
    : new Float32Array(buffer, byteOffset, length);
}

function byteOffsetFits(bytes: Uint8Array, bytesEach: number): boolean {
  return bytes.byteOffset % bytesEach === 0;
}

interface Fit {
  readonly spec: InputSpec;
  readonly plan: ResizePlan;
  readonly full: number;
}

function fitPlane(plane: OpenPlane, { spec, plan, full }: Fit, into: Uint8Array): void {
  const { pixels } = plane;
  // Three branches that look alike, each with one array type from end to end.
  if (pixels instanceof Uint8Array) {
    resizeBy(plan, pixels, plane, into, spec);
    if (full !== 255) scaleToUint8(into, full, into);
  } else if (pixels instanceof Uint16Array) {
    const fitted = new Uint16Array(into.length);
    resizeBy(plan, pixels, plane, fitted, spec);
    scaleToUint8(fitted, full, into);
  } else {
    const fitted = new Float32Array(into.length);
    resizeBy(plan, pixels, plane, fitted, spec);
    scaleToUint8(fitted, full, into);
  }
}
