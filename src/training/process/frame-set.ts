import { type Dataset, type DatasetFrame, readFrame } from '../../dataset/index.js';
import { DomainError } from '../../errors.js';
import type { InputSpec, Preparer } from '../../frames/index.js';
import { type CacheEntry, type CacheWriter, cacheKey, type FrameCache } from './frame-cache.js';
import { type FrameSource, memorySource, toShared } from './frame-source.js';

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

export interface LoadFramesOptions {
  readonly dataset: Dataset;
  readonly frames: readonly DatasetFrame[];
  readonly inputSpec: InputSpec;
  /** Frames that are read and prepared at once. */
  readonly inFlight: number;
}

export interface LoadFramesCollaborators {
  readonly preparer: Preparer;
  /** Where prepared frames are kept from run to run; null keeps them in memory, for this one. */
  readonly cache: FrameCache | null;
  /** Notes why there is no cache this time. */
  warn(message: string, thrown: unknown): void;
  isStopRequested(): boolean;
}

/** Only so many bad frames are named; the rest are counted. */
const namedFrames = 6;

/**
 * Reads and prepares frames once: one byte a pixel, 64 KiB a frame of 4×128×128. Those that
 * the cache holds are not read at all. `onLoaded` hears how many there are so far. Returns
 * null when a stop is requested. A disk that refuses the cache costs only the cache.
 *
 * Throws `dataset_invalid` with all frames that cannot be read and why, after all have
 * been tried.
 */
export async function loadFrames(
  options: LoadFramesOptions,
  collaborators: LoadFramesCollaborators,
  onLoaded: (loaded: number) => void,
): Promise<FrameSet | null> {
  const { dataset, frames, inputSpec } = options;
  const { cache, warn } = collaborators;
  const frameBytes = inputSpec.channels.length * inputSpec.heightPx * inputSpec.widthPx;
  const setOf = (source: FrameSource): FrameSet => ({
    frames,
    source,
    places: frames.map((_, place) => place),
    targets: targetsOf(frames, dataset.labels.length),
    labelCount: dataset.labels.length,
    frameBytes,
  });
  if (cache !== null) {
    try {
      const key = await cacheKey(dataset, frames, inputSpec);
      const entry: CacheEntry = { key, frameCount: frames.length, frameBytes };
      const kept = await cache.open(entry);
      if (kept !== null) {
        onLoaded(frames.length);
        return setOf(kept);
      }
      const writer = await cache.create(entry);
      if (writer !== null) {
        const source = await loadInto(writer, options, collaborators, onLoaded);
        return source && setOf(source);
      }
    } catch (thrown) {
      if (DomainError.from(thrown).code !== 'storage_failed') throw thrown;
      warn('frames are kept in memory, the cache cannot be used', thrown);
    }
  }
  const shared = new Array<SharedArrayBuffer>(frames.length);
  const put = async (index: number, frame: Uint8Array): Promise<void> => {
    shared[index] = toShared(frame);
  };
  const isDone = await prepareAll(options, collaborators, put, onLoaded);
  return isDone ? setOf(memorySource(shared, frameBytes)) : null;
}

async function loadInto(
  writer: CacheWriter,
  options: LoadFramesOptions,
  collaborators: LoadFramesCollaborators,
  onLoaded: (loaded: number) => void,
): Promise<FrameSource | null> {
  try {
    if (await prepareAll(options, collaborators, writer.put, onLoaded)) return writer.finish();
  } catch (thrown) {
    await writer.abandon();
    throw thrown;
  }
  await writer.abandon();
  return null;
}

/** False when a stop was requested. */
async function prepareAll(
  { dataset, frames, inputSpec, inFlight }: LoadFramesOptions,
  { preparer, isStopRequested }: LoadFramesCollaborators,
  put: (index: number, pixels: Uint8Array) => Promise<void>,
  onLoaded: (loaded: number) => void,
): Promise<boolean> {
  const faults = new Map<number, string>();
  const queue = frames.entries();
  let loaded = 0;
  let isStopped = false;
  const work = async () => {
    for (const [index, frame] of queue) {
      if (isStopped || isStopRequested()) {
        isStopped = true;
        return;
      }
      try {
        const read = await readFrame(dataset, frame);
        await put(index, (await preparer.prepare(read, inputSpec)).pixels);
      } catch (thrown) {
        const { code, message } = DomainError.from(thrown);
        // What goes wrong with all frames ends the others' work too.
        if (code !== 'frame_invalid' && code !== 'dataset_invalid') {
          isStopped = true;
          throw thrown;
        }
        faults.set(index, `frame "${frame.id}": ${message}`);
      }
      loaded += 1;
      onLoaded(loaded);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: inFlight }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  if (isStopped) return false;
  throwFaults(faults, frames.length);
  return true;
}

/** `[N, L]`, 1 where a frame has the label. */
export function targetsOf(frames: readonly DatasetFrame[], labelCount: number): Uint8Array {
  const targets = new Uint8Array(frames.length * labelCount);
  for (const [row, { labelIndices }] of frames.entries()) {
    for (const label of labelIndices) targets[row * labelCount + label] = 1;
  }
  return targets;
}

/** Some frames of a set, by row. */
export function framesOf(set: FrameSet, rows: readonly number[]): FrameSet {
  const { frames, places, targets, labelCount } = set;
  const picked = new Uint8Array(rows.length * labelCount);
  for (const [at, row] of rows.entries()) {
    picked.set(targets.subarray(row * labelCount, (row + 1) * labelCount), at * labelCount);
  }
  const at = <T>(list: readonly T[], row: number): T => {
    const item = list[row];
    if (item === undefined) throw new DomainError('internal', `bug: no frame in row ${row}`);
    return item;
  };
  return {
    ...set,
    frames: rows.map((row) => at(frames, row)),
    places: rows.map((row) => at(places, row)),
    targets: picked,
  };
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
    const place = set.places[row];
    if (place === undefined) throw new DomainError('internal', `bug: no frame in row ${row}`);
    set.source.read(place, into.pixels.subarray(at * frameBytes, (at + 1) * frameBytes));
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
