import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Priority } from '../batching/index.js';
import type { ExplainWish, Prediction } from '../classify/index.js';
import { DomainError, type ErrorCode } from '../errors.js';
import type { Frame } from '../frames/index.js';
import type { LabelSet } from '../label-set.js';
import type { PredictionRow } from './predictions.js';

/** A frame of a dataset, not read yet. */
export interface ListedFrame {
  readonly id: string;
  /** Numbers of the labels it has. */
  readonly labelIndices: readonly number[];
  /** The field of view it was cut from; null where nothing says so. @default null */
  readonly group?: string | null;
}

/** A version on loan, as far as scoring looks at it. */
export interface ScoredVersion {
  readonly manifest: {
    readonly name: string;
    readonly version: number;
    readonly labels: LabelSet;
    readonly thresholds: readonly number[];
    /** Absent or null where it gives no distances. */
    readonly drift?: { readonly threshold: number } | null;
  };
}

export interface ClassifyDatasetCollaborators<F extends ListedFrame, H extends ScoredVersion> {
  readonly classifier: {
    classify(
      frame: Frame,
      handle: H,
      options: {
        readonly signal?: AbortSignal;
        readonly priority?: Priority;
        readonly explain?: ExplainWish | null;
      },
    ): Promise<Prediction>;
  };
  /** Stays the caller's, who releases it. */
  readonly handle: H;
  readonly readFrame: (frame: F) => Promise<Frame>;
  /** Waits before a frame is offered again. @default a timer */
  readonly pause?: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

export interface ClassifyDatasetOptions {
  /** Hears after each frame, whether it was classified or not. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /**
   * Frames on their way at once: what bounds memory, and enough to fill a batch.
   * @default 32
   */
  readonly concurrency?: number;
  /** What each answer is to be explained with. @default null */
  readonly explain?: ExplainWish | null;
  /** Hears each answer whole, with its explanation; the next frame waits for it. */
  readonly onPrediction?: (prediction: Prediction) => Promise<void>;
}

/** A frame that could not be classified, and why. */
export interface FrameFailure {
  readonly id: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface ClassifiedDataset {
  /** In the order of the dataset, without the frames that failed. */
  readonly rows: readonly PredictionRow[];
  readonly failures: readonly FrameFailure[];
}

/** Faults of one frame or its answer; anything else is a fault of the whole and ends it. */
const frameFaults: readonly ErrorCode[] = ['frame_invalid', 'dataset_invalid', 'answer_invalid'];
const firstPauseMs = 20;
const longestPauseMs = 1000;
const mostOffers = 12;

/**
 * Classifies every frame of a dataset, some at once, at low priority: the streams
 * of microscopes go first. A frame that cannot be read, is invalid or is given no finite
 * probabilities is a failure in the answer, named, and the others go on; a frame refused for
 * `overloaded` is offered again after a pause, for about 6 s.
 *
 * Throws what any other fault throws, and `cancelled`; then no frame is on its way
 * any more.
 */
export async function classifyDataset<F extends ListedFrame, H extends ScoredVersion>(
  frames: readonly F[],
  collaborators: ClassifyDatasetCollaborators<F, H>,
  options: ClassifyDatasetOptions = {},
): Promise<ClassifiedDataset> {
  const { onProgress = () => {}, onPrediction, concurrency = 32, explain = null } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new DomainError(
      'option_invalid',
      `expected a concurrency of at least 1, got ${concurrency}`,
    );
  }
  const fault = new AbortController();
  const signal =
    options.signal === undefined ? fault.signal : AbortSignal.any([options.signal, fault.signal]);
  // Each frame on its way listens to it, and they are more than Node takes for a leak.
  setMaxListeners(0, signal);
  const rows = new Map<number, PredictionRow>();
  const failures = new Map<number, FrameFailure>();
  let next = 0;
  let done = 0;

  const work = async () => {
    while (next < frames.length) {
      signal.throwIfAborted();
      const at = next++;
      const listed = frames[at];
      if (listed === undefined) return;
      try {
        const prediction = await offer(listed, collaborators, { signal, explain });
        const { id, labelIndices } = listed;
        const { probabilities, distance } = prediction;
        await onPrediction?.(prediction);
        rows.set(at, { id, labelIndices, probabilities, distance });
      } catch (thrown) {
        const { code, message } = DomainError.from(thrown);
        if (!frameFaults.includes(code)) throw thrown;
        failures.set(at, { id: listed.id, code, message });
      }
      done += 1;
      onProgress(done, frames.length);
    }
  };
  const workers = Array.from({ length: Math.min(concurrency, frames.length) }, () =>
    work().catch((thrown: unknown) => {
      // The first fault ends the others; what they throw then is only its echo.
      fault.abort(thrown);
      throw thrown;
    }),
  );
  const settled = await Promise.allSettled(workers);
  if (settled.some(({ status }) => status === 'rejected')) {
    throw DomainError.from(signal.reason);
  }
  return { rows: inOrder(rows), failures: inOrder(failures) };
}

async function offer<F extends ListedFrame, H extends ScoredVersion>(
  listed: F,
  { classifier, handle, readFrame, pause: wait = waitFor }: ClassifyDatasetCollaborators<F, H>,
  { signal, explain }: { readonly signal: AbortSignal; readonly explain: ExplainWish | null },
): Promise<Prediction> {
  for (let offers = 1; ; offers += 1) {
    // Read for each offer: the classifier takes the bytes, also of a frame that it refuses.
    const frame = await readFrame(listed);
    signal.throwIfAborted();
    try {
      return await classifier.classify(frame, handle, { signal, priority: 'low', explain });
    } catch (thrown) {
      if (DomainError.from(thrown).code !== 'overloaded' || offers === mostOffers) throw thrown;
      await wait(Math.min(longestPauseMs, firstPauseMs * 2 ** (offers - 1)), signal);
    }
  }
}

async function waitFor(delayMs: number, signal: AbortSignal): Promise<void> {
  await pause(delayMs, undefined, { signal });
}

function inOrder<T>(of: ReadonlyMap<number, T>): readonly T[] {
  return [...of].sort(([a], [b]) => a - b).map(([, value]) => value);
}
