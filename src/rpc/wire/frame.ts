import type { ExplainWish } from '../../classify/index.js';
import {
  type Encoding,
  type Frame,
  type InputSpec,
  type PixelType,
  resolveChannel,
} from '../../frames/index.js';
import type { Frame as WireFrame } from '../../gen/cytostream/v1/frame.js';
import type { InputSpec as WireInputSpec } from '../../gen/cytostream/v1/model.js';
import { encodings, pixelTypes, resizes } from './enums.js';

const maxFrameIdBytes = 128;

/** A frame's id as it may come back: cut within the limit where it is longer, at a whole character. */
export function cutFrameId(frameId: string): string {
  if (Buffer.byteLength(frameId) <= maxFrameIdBytes) return frameId;
  // Writes whole characters only.
  const { read } = new TextEncoder().encodeInto(frameId, new Uint8Array(maxFrameIdBytes));
  return frameId.slice(0, read);
}
/** Labels that one frame may have explained by name. */
const mostExplained = 64;

/** A Frame as a caller gives it: what our own parts do not need may ride along. */
export interface FrameInput extends Frame {
  /** Milliseconds from receipt after which an answer is useless. @default the stream's */
  readonly deadlineMs?: number;
  /** Edge of a pixel in the specimen, micrometres. */
  readonly pixelSizeUm?: number;
  readonly acquiredAtMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Asks why it is answered as it is. @default nothing */
  readonly explain?: Partial<ExplainWish>;
}

/** What one frame message asks for. The planes are views of the message: nothing is copied. */
export interface FrameRequest {
  readonly frame: Frame;
  /** 0: the stream's default. */
  readonly deadlineMs: number;
  readonly explain: ExplainWish | null;
}

/**
 * Reads a Frame off the wire, every fault at once. Looks at the form only: whether planes
 * fit the model and their bytes the size is the Preparer's question.
 */
export function parseFrame(
  wire: WireFrame,
): { readonly value: FrameRequest } | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const idBytes = Buffer.byteLength(wire.frameId);
  if (idBytes > maxFrameIdBytes) {
    faults.push(`frame_id: expected at most ${maxFrameIdBytes} bytes, got ${idBytes}`);
  }
  const pixelType = pixelTypes.parse(wire.pixelType);
  if (pixelType === null) faults.push(`pixel_type: expected 0 to 3, got ${wire.pixelType}`);
  const encoding = encodings.parse(wire.encoding);
  if (encoding === null) faults.push(`encoding: expected 0 to 4, got ${wire.encoding}`);
  const bits = wire.significantBits;
  const maxBits = mostSignificantBits(encoding, pixelType);
  if (bits > maxBits) {
    faults.push(`significant_bits: expected at most ${maxBits}, got ${bits}`);
  }
  if (encoding === 'raw' && (wire.widthPx === 0 || wire.heightPx === 0)) {
    faults.push(
      `width_px and height_px: expected both for raw planes, got ${wire.widthPx} x ${wire.heightPx}`,
    );
  }
  if (wire.planes.length === 0) faults.push('planes: expected one per channel, got none');
  if (!(wire.pixelSizeUm >= 0)) {
    faults.push(`pixel_size_um: expected 0 or more, got ${wire.pixelSizeUm}`);
  }
  const explain = wire.explain ?? null;
  if (explain !== null && explain.labels.length > mostExplained) {
    faults.push(`explain.labels: expected at most ${mostExplained}, got ${explain.labels.length}`);
  }
  if (faults.length > 0 || pixelType === null || encoding === null) return { faults };
  return {
    value: {
      deadlineMs: wire.deadlineMs,
      explain,
      frame: {
        id: wire.frameId,
        widthPx: wire.widthPx,
        heightPx: wire.heightPx,
        pixelType,
        significantBits: bits,
        encoding,
        planes: wire.planes.map((plane) => ({
          channel: resolveChannel(plane.channel),
          bytes: plane.pixels,
        })),
      },
    },
  };
}

/** An encoded plane says its own pixel type: what the frame says of it means nothing then. */
function mostSignificantBits(encoding: Encoding | null, pixelType: PixelType | null): number {
  if (encoding !== 'raw') return encoding === 'jpeg' ? 8 : 16;
  return pixelType === 'uint8' ? 8 : pixelType === 'float32' ? 32 : 16;
}

export function toWireFrame(frame: FrameInput): WireFrame {
  return {
    frameId: frame.id,
    widthPx: frame.widthPx,
    heightPx: frame.heightPx,
    pixelType: pixelTypes.toWire(frame.pixelType),
    significantBits: frame.significantBits,
    encoding: encodings.toWire(frame.encoding),
    planes: frame.planes.map(({ channel, bytes }) => ({ channel, pixels: bytes })),
    pixelSizeUm: frame.pixelSizeUm ?? 0,
    acquiredAt: frame.acquiredAtMs === undefined ? undefined : new Date(frame.acquiredAtMs),
    metadata: { ...frame.metadata },
    deadlineMs: frame.deadlineMs ?? 0,
    explain: frame.explain && {
      labels: [...(frame.explain.labels ?? [])],
      givenLabels: frame.explain.givenLabels ?? false,
      embedding: frame.explain.embedding ?? false,
    },
  };
}

export function toWireInputSpec(spec: InputSpec): WireInputSpec {
  return {
    channels: [...spec.channels],
    widthPx: spec.widthPx,
    heightPx: spec.heightPx,
    resize: resizes.toWire(spec.resize),
  };
}

/** Without one: no channels, of no size. */
export function fromWireInputSpec(wire: WireInputSpec | undefined): InputSpec {
  return {
    channels: wire?.channels ?? [],
    widthPx: wire?.widthPx ?? 0,
    heightPx: wire?.heightPx ?? 0,
    resize: resizes.parse(wire?.resize ?? 0) ?? 'bilinear',
  };
}
