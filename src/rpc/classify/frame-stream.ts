import { type Clock, systemClock } from '../../batching/index.js';
import { DomainError, type ErrorCode } from '../../errors.js';
import type { ClassifyRequest, ClassifyResponse } from '../../gen/cytostream/v1/classifier.js';
import type { Log } from '../../log.js';
import type { Metrics } from '../../telemetry/index.js';
import type { CallContext } from '../calls.js';
import type { ClassifierLike, LenderLike } from '../collaborators.js';
import type { LoopBudget } from '../loop-budget.js';
import type { Received } from '../received.js';
import type { FrameRequest } from '../wire/frame.js';
import { toWirePrediction, toWireStreamModel } from '../wire/prediction.js';
import type { Leave } from './admission.js';
import { createAlarm } from './alarm.js';
import { checkFrame } from './checked-frame.js';
import {
  type Arrival,
  classifyOne,
  deadlineOf,
  type Ended,
  endedEarly,
  type LentModel,
  toAnswer,
} from './classify-one.js';
import { createFrameWindow } from './frame-window.js';
import type { Opening } from './opening.js';
import { createOutbox } from './outbox.js';

export interface FrameStreamCollaborators {
  readonly lender: LenderLike;
  readonly classifier: ClassifierLike;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly budget: LoopBudget;
  /** Writes one message; the stream does not care whether the client reads it. */
  readonly write: (response: ClassifyResponse) => void;
  /** Called whenever a frame has ended. */
  readonly onEnded: () => void;
  /** @default systemClock */
  readonly clock?: Clock | undefined;
}

/** A frame that was read, and is to be let in. */
export interface ReadFrame {
  readonly position: number;
  /** Of the message as it came. */
  readonly byteLength: number;
  readonly arrival: Arrival;
  readonly request: FrameRequest;
  /** On the clock of `performance.now()`; `Infinity` for none. */
  readonly deadlineAtMs: number;
}

/** The frames of one opened stream on their way to their answers. */
export interface FrameStream {
  /** Tells the client which version answers. */
  tellModel(model: LentModel): void;
  /**
   * Reads one message; null where it is answered already, since it cannot be read or came after
   * its deadline. Throws `option_invalid` for options.
   */
  read(message: Received<ClassifyRequest>): ReadFrame | null;
  /**
   * Takes a frame that was read; exactly one answer will follow, and `leave` is called when it
   * does. Where `leave` is null the port has no room for the frame: it is shed.
   */
  accept(frame: ReadFrame, leave: Leave | null): void;
  /** Bytes of each frame that waits, the oldest first. */
  readonly waitingBytes: readonly number[];
  /** Drops so many of the frames that wait, the oldest first, for a newer one. */
  dropOldest(count: number): void;
  /** Whether a frame may come now without an older one being blocked. */
  readonly hasRoom: boolean;
  /** Frames without an answer. */
  readonly size: number;
  /** Throws `internal` when an answer could not be written. */
  assertWhole(): void;
  /** Lets go what waits, because the call was aborted: answered `failed`, or counted where the caller left. */
  abandon(): void;
  /** For the log line of the call. */
  summary(): Readonly<Record<string, unknown>>;
}

/**
 * Answers that may wait for one before them. Frames that are refused or driven out take no
 * place in the window: while the first of a stream in order takes long, they could come
 * without end.
 */
const mostHeld = 1024;

/** Faults of ours that say nothing of themselves elsewhere in the log. */
const loggedCodes: readonly ErrorCode[] = ['internal', 'answer_invalid'];

interface Entry extends ReadFrame {
  readonly leave: Leave;
}

export function createFrameStream(
  { options, maxInFlight, maxBytes }: Opening & { readonly maxBytes: number },
  context: CallContext,
  collaborators: FrameStreamCollaborators,
): FrameStream {
  const { metrics, log, budget, write, onEnded, clock = systemClock } = collaborators;
  const window = createFrameWindow<Entry>({ overflow: options.overflow, maxInFlight, maxBytes });
  const way = {
    ...options,
    streamId: context.id,
    whenFull: options.overflow === 'block' ? ('keep' as const) : ('dropOldest' as const),
    signal: context.signal,
    deadlineAtMs: context.deadlineAtMs,
  };
  const counts = new Map<string, number>();
  let position = 0;
  let told: LentModel | null = null;
  let hasLoggedFailure = false;
  // Only a bug of ours comes here: the stream ends instead of the process.
  let broken: DomainError | null = null;

  const tellModel = (model: LentModel) => {
    told = model;
    const value = toWireStreamModel({ ...model, maxInFlight: window.limit });
    write({ message: { $case: 'model', value } });
  };

  const send = ({ arrival, ended }: { arrival: Arrival; ended: Ended }) => {
    const isGone = hasLeft(context.signal);
    const outcome = isGone ? 'cancelled' : ended.outcome;
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    if (isGone) {
      metrics.frameCancelled();
      return;
    }
    const { model } = ended;
    if (model !== null && (told?.version !== model.version || told.name !== model.name)) {
      tellModel(model);
    }
    const answer = toAnswer(arrival, ended);
    write({ message: { $case: 'prediction', value: toWirePrediction(answer) } });
    if (model === null) metrics.frameRefused(ended.outcome);
    else metrics.frameAnswered(model, answer);
    if (ended.outcome === 'failed' && loggedCodes.includes(ended.error.code) && !hasLoggedFailure) {
      hasLoggedFailure = true; // the next frames would only repeat it
      const error = ended.error.cause ?? ended.error;
      log.error({ id: context.id, frame: arrival.frameId, error }, 'frame failed');
    }
  };
  const outbox = createOutbox(options.delivery, send);

  const startWhatMay = () => {
    for (let next = window.activate(); next !== null; next = window.activate()) {
      const entry = next;
      const { position: place, arrival, request, leave } = entry;
      classifyOne(request, arrival, way, collaborators)
        .then(async (ended) => {
          // Thousands may end at the same moment, by their deadlines for one.
          const turn = budget.enter();
          if (turn !== null) await turn;
          window.done(entry);
          outbox.put(place, { arrival, ended });
          startWhatMay();
          if (window.size === 0) alarm.forget();
        })
        .catch((thrown: unknown) => {
          broken ??= DomainError.from(thrown);
        })
        .finally(() => {
          leave();
          onEnded();
        });
    }
  };

  const expireWaiting = () => {
    try {
      for (const { position: place, arrival, leave } of window.takeExpired(clock.now())) {
        outbox.put(place, { arrival, ended: expired });
        leave();
      }
    } catch (thrown) {
      broken ??= DomainError.from(thrown);
    }
    alarm.set(window.nextDeadlineAtMs);
    onEnded();
  };
  // Those of thousands of streams may pass at the same moment.
  const alarm = createAlarm(() => budget.run(expireWaiting), { clock });
  const isOver = (deadlineAtMs: number): boolean =>
    Number.isFinite(deadlineAtMs) && deadlineAtMs <= clock.now();

  const driveOut = ({ position: place, arrival, leave }: Entry) => {
    outbox.put(place, { arrival, ended: drivenOut[options.overflow] });
    leave();
  };

  return {
    tellModel,
    read(message) {
      const checked = checkFrame(message);
      const place = position;
      position += 1;
      const { arrival } = checked;
      if ('faults' in checked) {
        const error = new DomainError('frame_invalid', checked.faults.join('; '));
        outbox.put(place, { arrival, ended: endedEarly('invalid', error) });
        return null;
      }
      const { request } = checked;
      const deadlineAtMs = deadlineOf(request, arrival, way);
      if (isOver(deadlineAtMs)) {
        outbox.put(place, { arrival, ended: expired });
        return null;
      }
      const { byteLength } = message;
      return { position: place, byteLength, arrival, request, deadlineAtMs };
    },
    accept({ position: place, byteLength, arrival: read, request, deadlineAtMs }, leave) {
      // What a frame waited for the port is part of its receipt.
      const { frameId, receivedAtMs } = read;
      const arrival = { frameId, receivedAtMs, checkedAtMs: performance.now() };
      if (leave === null) {
        outbox.put(place, { arrival, ended: noRoom });
        return;
      }
      if (isOver(deadlineAtMs)) {
        outbox.put(place, { arrival, ended: expired });
        leave();
        return;
      }
      const entry = { position: place, byteLength, arrival, request, deadlineAtMs, leave };
      for (const driven of window.add(entry)) driveOut(driven);
      startWhatMay();
      if (window.newestWaiting === entry) alarm.set(deadlineAtMs);
    },
    get waitingBytes() {
      return window.waitingBytes;
    },
    dropOldest(count) {
      for (const entry of window.takeOldest(count)) driveOut(entry);
    },
    get hasRoom() {
      if (outbox.held >= mostHeld) return false;
      return options.overflow !== 'block' || window.hasRoom;
    },
    get size() {
      return window.size;
    },
    assertWhole() {
      if (broken !== null) throw broken;
    },
    abandon() {
      const error = DomainError.from(context.signal.reason);
      for (const { position: place, arrival, leave } of window.clear()) {
        outbox.put(place, { arrival, ended: endedEarly('failed', error) });
        leave();
      }
    },
    summary: () => ({
      model: told === null ? undefined : `${told.name}@${told.version}`,
      frames: position,
      outcomes: Object.fromEntries(counts),
    }),
  };
}

/** How a frame ends for which the port has no room. */
const noRoom = endedEarly(
  'shed',
  new DomainError('overloaded', 'the frames on their way to an answer are as many bytes as may be'),
);

/** How a frame ends whose deadline passed before a model was asked. */
const expired = endedEarly(
  'expired',
  new DomainError('deadline', "the frame's deadline passed before it was answered"),
);

/** Whether nobody is there to be answered. A call that a drain cuts is told of its frames first. */
function hasLeft({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(reason instanceof DomainError && reason.code === 'draining');
}

/** How a frame ends that a newer one drove out. `block` never drives one out. */
const drivenOut = {
  block: endedEarly('failed', new DomainError('internal', 'bug: a full stream was read')),
  dropOldest: endedEarly(
    'shed',
    new DomainError('overloaded', 'too many frames of the stream wait'),
  ),
  latestOnly: endedEarly(
    'superseded',
    new DomainError('overloaded', 'a newer frame took its place'),
  ),
} as const;
