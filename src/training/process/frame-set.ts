import { type Dataset, type DatasetFrame, readFrame } from '../../dataset/index.js';
import { DomainError } from '../../errors.js';
import type { InputSpec, Preparer } from '../../frames/index.js';

/** Frames in memory at the size of the network. */
export interface FrameSet {
  readonly frames: readonly DatasetFrame[];
  /** uint8 `[C, H, W]` of each frame. */
  readonly pixels: readonly Uint8Array[];
  /** `[N, L]`, 1 where the frame has the label. */
  readonly targets: Uint8Array;
  readonly labelCount: number;
  /** Bytes of one frame. */
  readonly frameBytes: number;
}

export interface LoadFramesOptions {
  readonly dataset: Dataset;
  readonly frames: readonly DatasetFrame[];
  readonly inputSpec: InputSpec;
  /** Frames that are read and prepared at once. */
  readonly inFlight: number;
}

export interface LoadFramesCollaborators {
  readonly preparer: Preparer;
  isStopRequested(): boolean;
}

/** Only so many bad frames are named; the rest are counted. */
const namedFrames = 6;

/**
 * Reads and prepares frames once, to be kept: one byte a pixel, 64 KiB a frame of
 * 4×128×128. `onLoaded` hears after each frame. Returns null when a stop is requested.
 *
 * Throws `dataset_invalid` with all frames that cannot be read and why, after all have
 * been tried.
 */
export async function loadFrames(
  { dataset, frames, inputSpec, inFlight }: LoadFramesOptions,
  { preparer, isStopRequested }: LoadFramesCollaborators,
  onLoaded: () => void,
): Promise<FrameSet | null> {
  const pixels = new Array<Uint8Array>(frames.length);
  const faults = new Map<number, string>();
  const queue = frames.entries();
  let isStopped = false;
  const work = async () => {
    for (const [index, frame] of queue) {
      if (isStopped || isStopRequested()) {
        isStopped = true;
        return;
      }
      try {
        const read = await readFrame(dataset, frame);
        pixels[index] = (await preparer.prepare(read, inputSpec)).pixels;
      } catch (thrown) {
        const { code, message } = DomainError.from(thrown);
        if (code !== 'frame_invalid' && code !== 'dataset_invalid') throw thrown;
        faults.set(index, `frame "${frame.id}": ${message}`);
      }
      onLoaded();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  if (isStopped) return null;
  throwFaults(faults, frames.length);

  const labelCount = dataset.labels.length;
  const targets = new Uint8Array(frames.length * labelCount);
  for (const [row, { labelIndices }] of frames.entries()) {
    for (const label of labelIndices) targets[row * labelCount + label] = 1;
  }
  const frameBytes = inputSpec.channels.length * inputSpec.heightPx * inputSpec.widthPx;
  return { frames, pixels, targets, labelCount, frameBytes };
}

function throwFaults(faults: ReadonlyMap<number, string>, total: number): void {
  if (faults.size === 0) return;
  const inOrder = [...faults].sort(([a], [b]) => a - b).map(([, fault]) => fault);
  const rest = faults.size > namedFrames ? `; ... and ${faults.size - namedFrames} more` : '';
  throw new DomainError(
    'dataset_invalid',
    `${faults.size} of ${total} frames cannot be read: ${inOrder.slice(0, namedFrames).join('; ')}${rest}`,
  );
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
    const frame = set.pixels[row];
    if (frame === undefined) throw new DomainError('internal', `bug: no frame in row ${row}`);
    into.pixels.set(frame, at * frameBytes);
    into.targets.set(
      set.targets.subarray(row * labelCount, (row + 1) * labelCount),
      at * labelCount,
    );
  }
  return {
    pixels: into.pixels.subarray(0, rows.length * frameBytes),
    targets: into.targets.subarray(0, rows.length * labelCount),
    frameCount: rows.length,
  };
}
