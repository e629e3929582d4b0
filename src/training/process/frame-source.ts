import { closeSync, readSync } from 'node:fs';
import { DomainError } from '../../errors.js';

/** Prepared frames of one size, by number: uint8 `[C, H, W]` each. */
export interface FrameSource {
  readonly frameBytes: number;
  /** Copies a frame to where it is needed. Blocks for the time of the copy. */
  read(index: number, into: Uint8Array): void;
  /**
   * Where other threads of this process may read the same: frame i begins at
   * `firstByte + i * frameBytes` of the open file. null where frames are in memory.
   */
  readonly file: { readonly descriptor: number; readonly firstByte: number } | null;
  close(): void;
}

/** Frames in memory. */
export function memorySource(pixels: readonly Uint8Array[], frameBytes: number): FrameSource {
  return {
    frameBytes,
    file: null,
    read(index, into) {
      const frame = pixels[index];
      if (frame === undefined) throw new DomainError('internal', `bug: no frame ${index}`);
      into.set(frame);
    },
    close: () => undefined,
  };
}

/**
 * Frames behind each other in an open file, whose descriptor it closes. They stay in the
 * system's cache of files as long as there is memory, and cost the process none.
 */
export function fileSource(
  file: { readonly descriptor: number; readonly firstByte: number },
  frameBytes: number,
): FrameSource {
  return {
    frameBytes,
    file,
    read: (index, into) => readFrameAt(file, { index, frameBytes }, into),
    close: () => closeSync(file.descriptor),
  };
}

/** Reads one frame of a file, as `FrameSource.file` says; from any thread. */
export function readFrameAt(
  { descriptor, firstByte }: { readonly descriptor: number; readonly firstByte: number },
  { index, frameBytes }: { readonly index: number; readonly frameBytes: number },
  into: Uint8Array,
): void {
  const place = firstByte + index * frameBytes;
  for (let done = 0; done < frameBytes; ) {
    const count = readSync(descriptor, into, done, frameBytes - done, place + done);
    if (count === 0) {
      throw new DomainError('storage_failed', `the cache of frames ends before frame ${index}`);
    }
    done += count;
  }
}
