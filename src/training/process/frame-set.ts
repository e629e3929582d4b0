import type { DatasetFrame } from '../../dataset/index.js';
import { DomainError } from '../../errors.js';
import type { FrameSource } from './frame-source.js';

/** Frames at the size of the network, with what is known of them. */
export interface FrameSet {
  readonly frames: readonly DatasetFrame[];
  /** Where the pixels are. */
  readonly source: FrameSource;
  /** The number in the source of each frame. */
  readonly places: readonly number[];
  /** `[N, L]`, 1 where the frame has the label. */
  readonly targets: Uint8Array;
  readonly labelCount: number;
  /** Bytes of one frame. */
  readonly frameBytes: number;
}

/** `[N, L]`, 1 where a frame has the label. */
export function targetsOf(frames: readonly DatasetFrame[], labelCount: number): Uint8Array {
  const targets = new Uint8Array(frames.length * labelCount);
  for (const [row, { labelIndices }] of frames.entries()) {
    for (const label of labelIndices) targets[row * labelCount + label] = 1;
  }
  return targets;
}

/** Copies the targets of these rows of a set to the beginning of `into`, `[rows, L]`, and returns it. */
export function pickTargets<Into extends Uint8Array | Float32Array>(
  { targets, labelCount }: Pick<FrameSet, 'targets' | 'labelCount'>,
  rows: ArrayLike<number>,
  into: Into,
): Into {
  for (let at = 0; at < rows.length; at += 1) {
    const first = (rows[at] ?? 0) * labelCount;
    into.set(targets.subarray(first, first + labelCount), at * labelCount);
  }
  return into;
}

/** Some frames of a set, by row. */
export function framesOf(set: FrameSet, rows: readonly number[]): FrameSet {
  const { frames, places, labelCount } = set;
  const at = <T>(list: readonly T[], row: number): T => {
    const item = list[row];
    if (item === undefined) throw new DomainError('internal', `bug: no frame in row ${row}`);
    return item;
  };
  return {
    ...set,
    frames: rows.map((row) => at(frames, row)),
    places: rows.map((row) => at(places, row)),
    targets: pickTargets(set, rows, new Uint8Array(rows.length * labelCount)),
  };
}

/** Where a batch is put together; overwritten by the next. */
export interface BatchBuffers {
  readonly pixels: Uint8Array;
  readonly targets: Float32Array;
}

export function createBatchBuffers(set: FrameSet, batchSize: number): BatchBuffers {
  return {
    pixels: new Uint8Array(batchSize * set.frameBytes),
    targets: new Float32Array(batchSize * set.labelCount),
  };
}

/** Copies the frames of these rows into the buffers, and returns what of them is filled. */
export function gatherBatch(
  set: FrameSet,
  rows: ArrayLike<number>,
  into: BatchBuffers,
): BatchBuffers & { readonly frameCount: number } {
  const { frameBytes, labelCount } = set;
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] ?? 0;
    const place = set.places[row];
    if (place === undefined) throw new DomainError('internal', `bug: no frame in row ${row}`);
    set.source.read(place, into.pixels.subarray(at * frameBytes, (at + 1) * frameBytes));
  }
  pickTargets(set, rows, into.targets);
  return {
    pixels: into.pixels.subarray(0, rows.length * frameBytes),
    targets: into.targets.subarray(0, rows.length * labelCount),
    frameCount: rows.length,
  };
}
