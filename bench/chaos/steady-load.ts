import type { StreamOptions } from '../../src/rpc/index.js';
import { connectRaw } from '../raw-client.js';
import { type OkAnswer, openCheckedStream } from '../soak/checked-stream.js';
import type { KnownFrames } from '../soak/known-frames.js';
import type { Tally } from '../soak/tally.js';

export interface SteadyLoadOptions {
  readonly port: number;
  readonly streams: number;
  /** Frames that each sender allows itself without an answer. @default 16 */
  readonly inFlight?: number;
  /** From one frame of a stream to its next. @default as fast as they are answered */
  readonly everyMs?: number;
  /** The options of a stream, by its number. @default the server's */
  readonly optionsOf?: (streamNumber: number) => Partial<StreamOptions>;
  /** Number of the first stream: loads of one tally must not share any. @default 0 */
  readonly firstStream?: number;
  readonly frames: KnownFrames;
  readonly tally: Tally;
  readonly onAnswer?: (answer: OkAnswer) => void;
}

/** Streams that go on until they are told to end. */
export interface SteadyLoad {
  /** Resolves with the first `frames` ok answers from now on; rejects when all streams end before. */
  answered(frames: number): Promise<void>;
  /** Half-closes every stream and waits for what is on its way; returns the status codes. */
  end(): Promise<readonly number[]>;
  /** Resolves with the status codes when the server, not we, has ended all streams. */
  readonly ended: Promise<readonly number[]>;
}

/** Well-behaved clients beside the bad one: whoever suffers, it must not be they. */
export function startSteadyLoad({
  port,
  streams,
  inFlight = 16,
  everyMs,
  optionsOf = () => ({}),
  firstStream = 0,
  frames,
  tally,
  onAnswer,
}: SteadyLoadOptions): SteadyLoad {
  const client = connectRaw(port);
  let isOver = false;
  let answers = 0;
  const waiting = new Set<{ readonly at: number; readonly resolve: () => void }>();
  const opened = Array.from({ length: streams }, (_, index) =>
    openCheckedStream(
      {
        streamNumber: firstStream + index,
        inFlight,
        everyMs,
        options: optionsOf(index),
        goesOn: () => !isOver,
      },
      {
        client,
        frames,
        tally,
        onAnswer: (answer) => {
          answers += 1;
          onAnswer?.(answer);
          for (const waiter of waiting) {
            if (answers < waiter.at) continue;
            waiting.delete(waiter);
            waiter.resolve();
          }
        },
      },
    ),
  );
  const ended = Promise.all(opened.map(async (stream) => (await stream.ended).code)).finally(() =>
    client.close(),
  );
  return {
    ended,
    answered: (wanted) =>
      new Promise((resolve, reject) => {
        waiting.add({ at: answers + wanted, resolve });
        void ended.then((codes) =>
          reject(new Error(`all streams ended, with status ${[...new Set(codes)].join(', ')}`)),
        );
      }),
    end() {
      isOver = true;
      return ended;
    },
  };
}

/** A fault for each stream that did not end well. */
export function badEnds(codes: readonly number[]): string[] {
  return codes.filter((code) => code !== 0).map((code) => `a stream ended with status ${code}`);
}
