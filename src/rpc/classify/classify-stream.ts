import type { ServerDuplexStream } from '@grpc/grpc-js';
import { DomainError } from '../../errors.js';
import type { ClassifyRequest, ClassifyResponse } from '../../gen/cytostream/v1/classifier.js';
import type { DuplexHandler } from '../adapter.js';
import type { Received } from '../received.js';
import type { Admission, Leave } from './admission.js';
import { createBell } from './bell.js';
import { describeHandle } from './classify-one.js';
import { createFrameStream, type FrameStreamCollaborators } from './frame-stream.js';
import { createMessageReader } from './message-reader.js';
import { readOpening } from './opening.js';

export interface ClassifyStreamOptions {
  /** The server's limits on what of a stream is without an answer. */
  readonly maxInFlight: number;
  readonly maxStreamBytes: number;
}

export type ClassifyStreamCollaborators = Omit<FrameStreamCollaborators, 'write' | 'onEnded'> & {
  readonly admission: Admission;
};

/**
 * `Classify`: a stream of frames in, a stream of predictions out.
 *
 * 1. opens with the options, or with a frame and the defaults; tells the model
 * 2. reads a message when the window has room and the client takes its answers
 * 3. checks it; one that cannot be read is answered `invalid`, and the stream goes on
 * 4. lets it in where the port as a whole has room: where it blocks it waits for that, until its
 *    deadline; where it drops as many of the oldest go as make room, or the newcomer if all that
 *    wait would not
 * 5. hands it to the model as the window allows, and writes its answer in the order asked for
 * 6. at the client's half-close, or when the server drains, answers what is there, then ends
 *
 * Throws `option_invalid`, `model_unknown`, `not_ready` or `model_failed` at the opening;
 * `option_invalid` for options that come later; `draining` after a drain. Every frame
 * that was read is answered before the stream ends, unless the client left.
 */
export function createClassifyStream(
  { maxInFlight, maxStreamBytes }: ClassifyStreamOptions,
  { admission, ...collaborators }: ClassifyStreamCollaborators,
): DuplexHandler<ClassifyRequest, ClassifyResponse> {
  return async (call, context) => {
    const bell = createBell();
    const reader = createMessageReader(call, context, { bell, budget: collaborators.budget });
    const first = await reader.next();
    if (first === null) {
      reader.throwIfCutShort();
      return;
    }
    const opening = readOpening(first, maxInFlight);
    if (opening.frame === null) first.taken?.();
    const handle = await collaborators.lender.acquire(opening.options.model);
    const model = describeHandle(handle);
    handle.release();
    // A small file may become a large tensor, and what blocks is bounded nowhere behind this.
    const { channels, heightPx, widthPx } = model.inputSpec;
    const preparedBytes = channels.length * heightPx * widthPx;

    const writer = createWriter(call, bell.ring);
    const stream = createFrameStream({ ...opening, maxBytes: maxStreamBytes }, context, {
      ...collaborators,
      write: writer.write,
      onEnded: bell.ring,
    });
    stream.tellModel(model);
    const own = admission.openStream();
    const isKept = opening.options.overflow === 'block';
    /** Where there is no room, in place of the oldest that wait; none of them goes in vain. */
    const enterNow = (byteLength: number): Leave | null => {
      const leave = own.tryEnter(byteLength);
      if (leave !== null) return leave;
      let bytes = 0;
      for (const [at, size] of stream.waitingBytes.entries()) {
        bytes += size;
        const count = at + 1;
        const instead = own.tryEnter(byteLength, { count, bytes });
        if (instead === null) continue;
        stream.dropOldest(count);
        return instead;
      }
      return null;
    };
    let failure: DomainError | null = null;
    try {
      let message = opening.frame ?? (await reader.next());
      while (message !== null) {
        const frame = stream.read(message);
        if (frame === null) message.taken?.();
        else {
          const { byteLength, deadlineAtMs } = frame;
          const patience = { signal: context.signal, deadlineAtMs };
          const leave = isKept
            ? await own.enter(Math.max(byteLength, preparedBytes), patience)
            : enterNow(byteLength);
          // Not before: while it waits nothing is to be read behind it.
          message.taken?.();
          try {
            stream.accept(frame, leave);
          } catch (thrown) {
            leave?.();
            throw thrown;
          }
        }
        while (!(stream.hasRoom && writer.isTaken()) && !context.signal.aborted) await bell.heard();
        stream.assertWhole();
        message = await reader.next();
      }
    } catch (thrown) {
      failure = DomainError.from(thrown);
    }
    while (stream.size > 0) {
      if (context.signal.aborted) stream.abandon();
      stream.assertWhole();
      if (stream.size > 0) await bell.heard();
    }
    context.note(stream.summary());
    if (failure !== null) throw failure;
    reader.throwIfCutShort();
  };
}

/** Writes without waiting, and says whether the client keeps up. */
function createWriter(
  call: ServerDuplexStream<Received<ClassifyRequest>, ClassifyResponse>,
  onDrain: () => void,
) {
  let isTaken = true;
  call.on('drain', () => {
    isTaken = true;
    onDrain();
  });
  return {
    write(response: ClassifyResponse) {
      if (!call.write(response)) isTaken = false;
    },
    isTaken: () => isTaken,
  };
}
