import { setTimeout as sleep } from 'node:timers/promises';
import { status as grpcStatus, type StatusObject } from '@grpc/grpc-js';
import {
  ClassifyResponse,
  Outcome,
  type Prediction,
} from '../../src/gen/cytostream/v1/classifier.js';
import type { StreamOptions } from '../../src/rpc/index.js';
import { encodeOptions, type RawClient } from '../raw-client.js';
import { frameId, type KnownFrames, numberOf } from './known-frames.js';
import { modelName } from './models.js';
import { count, type Tally } from './tally.js';

export interface CheckedStreamOptions {
  /** Part of every frame's id: no two streams of a tally share it. */
  readonly streamNumber: number;
  readonly options?: Partial<StreamOptions>;
  /** Frames without an answer that the sender allows itself. */
  readonly inFlight: number;
  /** From one frame to the next at least, as of a camera. @default 0 */
  readonly everyMs?: number | undefined;
  /** Whether another frame is to be sent, after so many. */
  readonly goesOn: (sent: number) => boolean;
}

export interface CheckedStreamCollaborators {
  readonly client: RawClient;
  readonly frames: KnownFrames;
  readonly tally: Tally;
  readonly onAnswer?: (answer: OkAnswer) => void;
}

/** When a frame was sent and answered, on the clock of `performance.now()`, and by which version. */
export interface OkAnswer {
  readonly sentAtMs: number;
  readonly atMs: number;
  readonly version: number;
}

/** A stream that checks every answer it gets. */
export interface CheckedStream {
  /**
   * When it is over: its status code, and the frames without an answer. In a stream that
   * ended well those are counted as lost.
   */
  readonly ended: Promise<{ readonly code: number; readonly unanswered: number }>;
  /** Leaves: what is on its way is nobody's any more. */
  cancel(): void;
}

const outcomeNames = new Map<number, string>([
  [Outcome.OK, 'ok'],
  [Outcome.INVALID, 'invalid'],
  [Outcome.SHED, 'shed'],
  [Outcome.EXPIRED, 'expired'],
  [Outcome.SUPERSEDED, 'superseded'],
  [Outcome.FAILED, 'failed'],
]);

/**
 * Streams known frames: the next is sent as soon as an answer makes room for it, and every
 * answer must be to a frame that waits for one, hold the probabilities of its pixels, and
 * name the version that gives those and that the stream has announced.
 */
export function openCheckedStream(
  { streamNumber, options = {}, inFlight, everyMs = 0, goesOn }: CheckedStreamOptions,
  { client, frames, tally, onAnswer }: CheckedStreamCollaborators,
): CheckedStream {
  const stream = client.openStream();
  const sentAtMs = new Map<number, number>();
  let sent = 0;
  let announced = 0;
  let isWriting = false;
  let isEnding = false;

  const send = async () => {
    if (isWriting || isEnding) return;
    isWriting = true;
    while (sentAtMs.size < inFlight && !isEnding) {
      if (!goesOn(sent)) {
        isEnding = true;
        stream.end();
        break;
      }
      const number = sent;
      sent += 1;
      tally.sent += 1;
      sentAtMs.set(number, performance.now());
      const isTaken = stream.write(
        frames.encode(frameId(streamNumber, number), number % frames.contents),
      );
      if (!isTaken) await new Promise<void>((resolve) => stream.once('drain', resolve));
      if (everyMs > 0) await sleep(everyMs);
    }
    isWriting = false;
  };

  const check = ({ frameId: id, outcome, modelVersion, probabilities }: Prediction) => {
    const number = numberOf(id, streamNumber);
    const sentAt = number === null ? undefined : sentAtMs.get(number);
    if (number === null || sentAt === undefined) {
      tally.doubled += 1;
      return;
    }
    sentAtMs.delete(number);
    count(tally.outcomes, outcomeNames.get(outcome) ?? String(outcome));
    if (outcome !== Outcome.OK) return;
    const isItsOwn =
      modelVersion === announced &&
      frames.isAnswer(number % frames.contents, modelVersion, probabilities);
    if (!isItsOwn) tally.crossed += 1;
    onAnswer?.({ sentAtMs: sentAt, atMs: performance.now(), version: modelVersion });
  };

  stream.on('data', (bytes: Buffer) => {
    const { message } = ClassifyResponse.decode(bytes);
    if (message?.$case === 'model') announced = message.value.version;
    else if (message?.$case === 'prediction') check(message.value);
    void send();
  });
  // The status tells the same.
  stream.on('error', () => {});
  const ended = Promise.all([
    new Promise<StatusObject>((resolve) => stream.once('status', resolve)),
    new Promise<void>((resolve) => stream.once('end', resolve)),
  ]).then(([{ code }]) => {
    isEnding = true;
    if (code === grpcStatus.OK) tally.lost += sentAtMs.size;
    return { code, unanswered: sentAtMs.size };
  });
  stream.write(encodeOptions({ model: modelName, ...options }));
  void send();
  return { ended, cancel: () => stream.cancel() };
}
