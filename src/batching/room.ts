import { DomainError } from '../errors.js';
import type { FairQueue, Place } from './fair-queue.js';
import type { BatcherOptions } from './options.js';

type Bounds = Pick<
  BatcherOptions,
  'maxQueuedFrames' | 'maxQueuedBytes' | 'maxStreamFrames' | 'maxStreamBytes'
>;

/**
 * Makes room in the queue for one more tensor: where all of it is taken, the longest
 * stream or a lower priority loses its last Ticket.
 *
 * Throws `overloaded` when the Ticket's own stream is full, or nobody has to make room; with the
 * time until there will be, which `untilRoomMs` is asked for then.
 */
export function makeRoom(
  queue: FairQueue,
  place: Place,
  byteLength: number,
  { maxQueuedFrames, maxQueuedBytes, maxStreamFrames, maxStreamBytes }: Bounds,
  untilRoomMs: () => number | undefined,
): void {
  const overloaded = (frames: number, bytes: number, where: string) =>
    new DomainError('overloaded', `expected at most ${frames} frames and ${bytes} bytes ${where}`, {
      retryAfterMs: untilRoomMs(),
    });
  const own = queue.ofStream(place.streamId);
  if (own.frames >= maxStreamFrames || own.bytes + byteLength > maxStreamBytes) {
    throw overloaded(maxStreamFrames, maxStreamBytes, 'of this stream waiting for the model');
  }
  const isFull = () => queue.frames >= maxQueuedFrames || queue.bytes + byteLength > maxQueuedBytes;
  if (!isFull()) return;
  const refusal = overloaded(maxQueuedFrames, maxQueuedBytes, 'waiting for the model');
  queue.victimFor(place)?.drop(refusal, 'shed');
  if (isFull()) throw refusal;
}
