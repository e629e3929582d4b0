import { closeSync } from 'node:fs';
import { DomainError } from '../../errors.js';
import { readAt } from './read-at.js';

/** Prepared frames of one size, by number: uint8 `[C, H, W]` each. */
export interface FrameSource {
  readonly frameBytes: number;
  /** Copies a frame to where it is needed. Blocks for the time of the copy. */
  read(index: number, into: Uint8Array): void;
  /** Some of the frames, for `readShared` in any thread of this process. Copies none. */
  share(indices: readonly number[]): SharedFrames;
  close(): void;
}

/** Frames that every thread of this process can read, in the order in which they were asked for. */
export type SharedFrames =
  | { readonly kind: 'memory'; readonly frames: readonly SharedArrayBuffer[] }
  | {
      readonly kind: 'files';
      readonly files: readonly FramesFile[];
      readonly indices: readonly number[];
    };

/** Frame i begins at `firstByte + i * frameBytes` of the open file; numbers go on in the next. */
export interface FramesFile {
  readonly descriptor: number;
  readonly firstByte: number;
  readonly frameCount: number;
}

/** Copies a frame to memory that every thread of this process can read. */
export function toShared(pixels: Uint8Array): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(pixels.byteLength);
  new Uint8Array(shared).set(pixels);
  return shared;
}

/** Frames in memory. */
export function memorySource(
  frames: readonly SharedArrayBuffer[],
  frameBytes: number,
): FrameSource {
  const at = (index: number): SharedArrayBuffer => {
    const frame = frames[index];
    if (frame === undefined) throw new DomainError('internal', `bug: no frame ${index}`);
    return frame;
  };
  return {
    frameBytes,
    read: (index, into) => into.set(new Uint8Array(at(index))),
    share: (indices) => ({ kind: 'memory', frames: indices.map(at) }),
    close: () => undefined,
  };
}

/**
 * Frames behind each other in open files, whose descriptors it closes. They stay in the
 * system's cache of files as long as there is memory, and cost the process none.
 */
export function fileSource(files: readonly FramesFile[], frameBytes: number): FrameSource {
  return {
    frameBytes,
    read: (index, into) => readFrameAt(files, index, into),
    share: (indices) => ({ kind: 'files', files, indices }),
    close() {
      for (const { descriptor } of files) closeSync(descriptor);
    },
  };
}

/** Copies the frame at a place of these to where it is needed; from any thread. */
export function readShared(shared: SharedFrames, place: number, into: Uint8Array): void {
  if (shared.kind === 'files') readFrameAt(shared.files, shared.indices[place] ?? -1, into);
  else into.set(new Uint8Array(shared.frames[place] ?? new SharedArrayBuffer(0)));
}

/** Reads one frame, of as many bytes as `into` has, from the file that has it. */
function readFrameAt(files: readonly FramesFile[], index: number, into: Uint8Array): void {
  const frameBytes = into.byteLength;
  let within = index;
  const file = files.find(({ frameCount }) => {
    if (within < frameCount) return true;
    within -= frameCount;
    return false;
  });
  if (file === undefined) throw new DomainError('internal', `bug: no frame ${index}`);
  readAt(file.descriptor, into, file.firstByte + within * frameBytes);
}
