import { createHash } from 'node:crypto';
import { type Dataset, type DatasetFrame, digestFrame, readFrame } from '../../dataset/index.js';
import { DomainError } from '../../errors.js';
import type { InputSpec, Preparer } from '../../frames/index.js';
import { cacheKeys, type FrameCache } from './frame-cache.js';
import { closePacks, type FramePack } from './frame-pack.js';
import { type FrameSet, targetsOf } from './frame-set.js';
import { type FrameSource, fileSource, memorySource, toShared } from './frame-source.js';
import { createRunFile, type PackedKeys, type PackWriter } from './pack-writer.js';

/** All frames of a run; whoever loads them closes their source. */
export interface LoadedFrames extends FrameSet {
  /**
   * What they are, wherever they lie: SHA-256, hexadecimal, of the id, the labels and the
   * planes' bytes of each, in their order.
   */
  readonly fingerprint: string;
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
  /** Where prepared frames go; null keeps them in memory. */
  readonly places: FramePlaces | null;
  /** Notes why frames do not go where they should this time. */
  warn(message: string, thrown: unknown): void;
  isStopRequested(): boolean;
}

export interface FramePlaces {
  /** Where they are kept from run to run. */
  readonly cache: FrameCache;
  /** Folder of the run, which takes those that the cache has no room for. */
  readonly runFolder: string;
}

/** Only so many bad frames are named; the rest are counted. */
const namedFrames = 6;
/** So much goes into memory where the disk refuses; more would take it from the steps. */
const mostMemoryBytes = 2 ** 30;

/**
 * Reads and prepares frames once: one byte a pixel, 64 KiB a frame of 4×128×128. Those that
 * the cache holds are not read at all. `onLoaded` hears how many there are so far. Returns
 * null when a stop is requested. A disk that refuses the cache costs only the cache.
 *
 * Throws `dataset_invalid` with all frames that cannot be read and why, after all have
 * been tried, and `storage_failed` where the disk refuses more than goes into memory.
 */
export async function loadFrames(
  options: LoadFramesOptions,
  collaborators: LoadFramesCollaborators,
  onLoaded: (loaded: number) => void,
): Promise<LoadedFrames | null> {
  const { dataset, frames, inputSpec } = options;
  const { places, warn } = collaborators;
  const frameBytes = inputSpec.channels.length * inputSpec.heightPx * inputSpec.widthPx;
  const wanted = { keys: await cacheKeys(dataset, frames, inputSpec), frameBytes };
  const setOf = (source: FrameSource, found: readonly FoundFrame[]): LoadedFrames => ({
    frames,
    source,
    places: found.map(({ place }) => place),
    targets: targetsOf(frames, dataset.labels.length),
    labelCount: dataset.labels.length,
    frameBytes,
    fingerprint: fingerprintOf(frames, found),
  });
  const kept = (await places?.cache.open(wanted)) ?? [];
  let unused = kept;
  try {
    for (const { createWriter, onRefused } of places === null ? [] : waysOf(places, kept)) {
      try {
        const loading = { ...options, wanted, kept, createWriter };
        const packs = await loadMissing(loading, collaborators, onLoaded);
        if (packs === null) return null;
        unused = packs;
        const files = packs.map(({ file }) => file);
        const set = setOf(fileSource(files, frameBytes), findAll(wanted, packs));
        unused = [];
        return set;
      } catch (thrown) {
        const { code, message } = DomainError.from(thrown);
        if (code !== 'storage_failed') throw thrown;
        if (onRefused === 'memory' && frames.length * frameBytes > mostMemoryBytes) {
          const what = 'more than 1 GiB of prepared frames need room in the folder of runs';
          throw new DomainError(code, `${message}; ${what}`, { cause: thrown });
        }
        warn(`prepared frames go into ${onRefused} this time, the disk refuses them`, thrown);
      }
    }
  } finally {
    closePacks(unused);
  }
  const shared = new Array<SharedArrayBuffer>(frames.length);
  const found = new Array<FoundFrame>(frames.length);
  const put: PackWriter['put'] = async (index, frame, digest) => {
    shared[index] = toShared(frame);
    found[index] = { place: index, digest };
  };
  const rows = [...frames.keys()];
  const isDone = await prepareAll({ ...options, rows }, { ...collaborators, put }, onLoaded);
  return isDone ? setOf(memorySource(shared, frameBytes), found) : null;
}

/** A place for what is not kept, and what comes after it where the disk refuses. */
interface Way {
  readonly createWriter: (missing: PackedKeys) => Promise<PackWriter>;
  readonly onRefused: 'a file of the run' | 'memory';
}

function waysOf({ cache, runFolder }: FramePlaces, kept: readonly FramePack[]): readonly Way[] {
  const toRun = (missing: PackedKeys) => createRunFile(runFolder, missing);
  const toCache = async (missing: PackedKeys) =>
    (await cache.create(missing, kept)) ?? toRun(missing);
  return [
    { createWriter: toCache, onRefused: 'a file of the run' },
    { createWriter: toRun, onRefused: 'memory' },
  ];
}

/** Where a frame is in the source of its set, and the digest of its planes. */
interface FoundFrame {
  readonly place: number;
  readonly digest: string;
}

/** Prepares what is not kept; null when a stop was requested. */
async function loadMissing(
  {
    wanted,
    kept,
    createWriter,
    ...options
  }: LoadFramesOptions &
    Pick<Way, 'createWriter'> & {
      readonly wanted: PackedKeys;
      readonly kept: readonly FramePack[];
    },
  collaborators: LoadFramesCollaborators,
  onLoaded: (loaded: number) => void,
): Promise<readonly FramePack[] | null> {
  const { keys, frameBytes } = wanted;
  const isKept = (key: string): boolean => kept.some(({ frames }) => frames.has(key));
  const rows = [...keys.keys()].filter((row) => !isKept(keys[row] ?? ''));
  onLoaded(keys.length - rows.length);
  if (rows.length === 0) return kept;
  const writer = await createWriter({ keys: rows.map((row) => keys[row] ?? ''), frameBytes });
  try {
    const { put } = writer;
    if (await prepareAll({ ...options, rows }, { ...collaborators, put }, onLoaded)) {
      return [...kept, await writer.finish()];
    }
  } catch (thrown) {
    await writer.abandon();
    throw thrown;
  }
  await writer.abandon();
  return null;
}

/** Where each frame is in packs whose files follow each other. */
function findAll({ keys }: PackedKeys, packs: readonly FramePack[]): readonly FoundFrame[] {
  const found = new Map<string, FoundFrame>();
  let before = 0;
  for (const { file, frames } of packs) {
    for (const [key, { index, digest }] of frames)
      found.set(key, { place: before + index, digest });
    before += file.frameCount;
  }
  return keys.map((key) => {
    const frame = found.get(key);
    if (frame === undefined) throw new DomainError('internal', 'bug: a frame was not prepared');
    return frame;
  });
}

function fingerprintOf(frames: readonly DatasetFrame[], found: readonly FoundFrame[]): string {
  const hash = createHash('sha256');
  for (const [row, { id, labelIndices }] of frames.entries()) {
    hash.update(`${id}\t${labelIndices.join(' ')}\t${found[row]?.digest}\n`);
  }
  return hash.digest('hex');
}

/** Prepares the frames of some rows, each put by its place among them. False when a stop was requested. */
async function prepareAll(
  {
    dataset,
    frames,
    inputSpec,
    inFlight,
    rows,
  }: LoadFramesOptions & { readonly rows: readonly number[] },
  { preparer, isStopRequested, put }: LoadFramesCollaborators & Pick<PackWriter, 'put'>,
  onLoaded: (loaded: number) => void,
): Promise<boolean> {
  const faults = new Map<number, string>();
  const queue = rows.entries();
  let loaded = frames.length - rows.length;
  let isStopped = false;
  const work = async () => {
    for (const [index, row] of queue) {
      const frame = frames[row];
      if (frame === undefined) throw new DomainError('internal', `bug: no frame in row ${row}`);
      if (isStopped || isStopRequested()) {
        isStopped = true;
        return;
      }
      try {
        const read = await readFrame(dataset, frame);
        // Before the preparer takes the bytes.
        const digest = await digestFrame(read);
        await put(index, (await preparer.prepare(read, inputSpec)).pixels, digest);
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

function throwFaults(faults: ReadonlyMap<number, string>, total: number): void {
  if (faults.size === 0) return;
  const inOrder = [...faults].sort(([a], [b]) => a - b).map(([, fault]) => fault);
  const rest = faults.size > namedFrames ? `; ... and ${faults.size - namedFrames} more` : '';
  throw new DomainError(
    'dataset_invalid',
    `${faults.size} of ${total} frames cannot be read: ${inOrder.slice(0, namedFrames).join('; ')}${rest}`,
  );
}
