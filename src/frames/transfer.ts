import type { Plane } from './frame.js';

const ownedShare = 0.75;

/** Whether so many bytes of a frame fill their buffer: then nothing else of worth lies in it. */
export function coversMost(byteLength: number, buffer: ArrayBuffer): boolean {
  return byteLength > ownedShare * buffer.byteLength;
}

/** Planes as they go to a worker, and the buffers that go over instead of being copied. */
export interface Shipment {
  readonly planes: readonly Uint8Array[];
  readonly transferList: readonly ArrayBuffer[];
}

/**
 * Decides for each plane whether its ArrayBuffer is transferred or its bytes are copied.
 *
 * A buffer is transferred, once, where the planes of this frame cover over three quarters of
 * it: a plane that owns its buffer, or the planes of one gRPC message with its few bytes of
 * framing. Then no second frame of the kind can lie in it. Anything less (a slice of Node's
 * buffer pool, one frame of many in a file) is copied, plane by plane, so that whoever shares
 * the buffer keeps it. Shared memory is neither moved nor copied.
 */
export function packPlanes(planes: readonly Plane[]): Shipment {
  const covered = new Map<ArrayBufferLike, number>();
  const counted = new Set<string>();
  for (const { bytes } of planes) {
    const key = `${bytes.byteOffset}:${bytes.byteLength}`;
    const before = covered.get(bytes.buffer);
    // One view given twice covers no more than once.
    if (before === undefined || !counted.has(key)) {
      covered.set(bytes.buffer, (before ?? 0) + bytes.byteLength);
    }
    counted.add(key);
  }
  const transferList: ArrayBuffer[] = [];
  for (const [buffer, byteLength] of covered) {
    if (buffer instanceof ArrayBuffer && coversMost(byteLength, buffer)) {
      transferList.push(buffer);
    }
  }
  const transferred = new Set<ArrayBufferLike>(transferList);
  const packed = planes.map(({ bytes }) => {
    if (transferred.has(bytes.buffer) || !(bytes.buffer instanceof ArrayBuffer)) {
      // A Buffer crosses as a plain Uint8Array anyway; say so here.
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const copy = new Uint8Array(bytes);
    transferList.push(copy.buffer);
    return copy;
  });
  return { planes: packed, transferList };
}
