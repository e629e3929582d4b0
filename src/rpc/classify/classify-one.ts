import type { Priority, WhenFull } from '../../batching/index.js';
import type { Outcome, Prediction } from '../../classify/index.js';
import { DomainError, type ErrorCode } from '../../errors.js';
import type { ClassifierLike, HandleLike, LenderLike } from '../collaborators.js';
import type { FrameRequest } from '../wire/frame.js';
import type { Answer, StreamModel } from '../wire/prediction.js';

/** What a code of ours is called in-band. */
export function outcomeOf(code: ErrorCode): Exclude<Outcome, 'ok'> {
  if (code === 'frame_invalid' || code === 'option_invalid') return 'invalid';
  // It asks for what its model cannot give.
  if (code === 'unsupported') return 'invalid';
  if (code === 'overloaded') return 'shed';
  if (code === 'deadline') return 'expired';
  return 'failed';
}

/** When a frame came, on the clock of `performance.now()`. */
export interface Arrival {
  readonly frameId: string;
  /** When its last byte was there. */
  readonly receivedAtMs: number;
  readonly checkedAtMs: number;
}

/** How one frame wants to be served. */
export interface WayOptions {
  readonly model: string;
  readonly defaultDeadlineMs: number;
  readonly priority: Priority;
  readonly streamId: string;
  /** What of the stream is shed where there is no room: nothing where it is held back instead. */
  readonly whenFull: WhenFull;
  readonly signal: AbortSignal;
  /** Of the call, if it has one. */
  readonly deadlineAtMs?: number | undefined;
}

/** A version as a client is told of it. */
export type LentModel = Omit<StreamModel, 'maxInFlight'>;

/** How a frame ended: with a prediction or an error, and by which version if one was lent. */
export type Ended = {
  readonly model: LentModel | null;
  /** Time before a model was asked: waiting within the stream. */
  readonly heldMs: number;
} & (
  | { readonly outcome: 'ok'; readonly prediction: Prediction }
  | { readonly outcome: Exclude<Outcome, 'ok'>; readonly error: DomainError }
);

/** A frame that was answered before a model was asked. */
export function endedEarly(outcome: Exclude<Outcome, 'ok'>, error: DomainError): Ended {
  return { model: null, heldMs: 0, outcome, error };
}

/** When an answer becomes useless, on the clock of `performance.now()`; `Infinity` for never. */
export function deadlineOf(
  { deadlineMs }: FrameRequest,
  { receivedAtMs }: Arrival,
  { defaultDeadlineMs, deadlineAtMs = Number.POSITIVE_INFINITY }: WayOptions,
): number {
  const ownMs = deadlineMs === 0 ? defaultDeadlineMs : deadlineMs;
  return ownMs === 0 ? deadlineAtMs : Math.min(receivedAtMs + ownMs, deadlineAtMs);
}

/** Borrows a version, classifies, gives it back. Never throws: the error is part of the answer. */
export async function classifyOne(
  request: FrameRequest,
  arrival: Arrival,
  way: WayOptions,
  { lender, classifier }: { readonly lender: LenderLike; readonly classifier: ClassifierLike },
): Promise<Ended> {
  const { frame, explain } = request;
  const heldMs = performance.now() - arrival.checkedAtMs;
  const deadlineAtMs = deadlineOf(request, arrival, way);
  let handle: HandleLike | null = null;
  let model: LentModel | null = null;
  try {
    handle = await lender.acquire(way.model);
    model = describeHandle(handle);
    way.signal.throwIfAborted(); // the caller may have left while the version was loaded
    const prediction = await classifier.classify(frame, handle, {
      signal: way.signal,
      deadlineAtMs: Number.isFinite(deadlineAtMs) ? deadlineAtMs : undefined,
      priority: way.priority,
      streamId: way.streamId,
      whenFull: way.whenFull,
      explain,
    });
    return { model, heldMs, outcome: 'ok', prediction };
  } catch (thrown) {
    const error = DomainError.from(thrown);
    return { model, heldMs, outcome: outcomeOf(error.code), error };
  } finally {
    handle?.release();
  }
}

/** What a client is told of the version that answers. */
export function describeHandle({ manifest, device, precision }: HandleLike): LentModel {
  const { name, version, labels, thresholds, drift, inputSpec } = manifest;
  const distanceThreshold = drift?.threshold;
  // One literal: a spread would cost more than all else here, and this is done for every frame.
  return { name, version, labels, thresholds, distanceThreshold, inputSpec, device, precision };
}

/** The answer of a frame that ended, at the moment when it is handed to the transport. */
export function toAnswer(arrival: Arrival, ended: Ended): Answer {
  const { frameId, receivedAtMs, checkedAtMs } = arrival;
  const version = ended.model?.version ?? 0;
  const receiveMs = checkedAtMs - receivedAtMs;
  if (ended.outcome !== 'ok') {
    const { outcome, error } = ended;
    return {
      frameId,
      outcome,
      message: error.message,
      probabilities: [],
      labelIndices: [],
      version,
      batchSize: 0,
      qualityFlags: [],
      timings: {
        receiveMs,
        prepareMs: 0,
        queueMs: 0,
        runMs: 0,
        totalMs: performance.now() - receivedAtMs,
      },
    };
  }
  const { probabilities, labelIndices, distance, explanation } = ended.prediction;
  const { batchSize, qualityFlags, timings } = ended.prediction;
  return {
    frameId,
    outcome: 'ok',
    message: '',
    probabilities,
    labelIndices,
    distance,
    explanation,
    version,
    batchSize,
    qualityFlags,
    timings: {
      receiveMs,
      prepareMs: timings.prepareMs,
      queueMs: timings.queueMs + ended.heldMs,
      runMs: timings.runMs,
      totalMs: performance.now() - receivedAtMs,
    },
  };
}
