import { DomainError } from '../errors.js';
import type { FairQueue, Tally } from './fair-queue.js';
import { type Newcomer, type Priority, priorities, type Waiting } from './waiting.js';

/** How much may wait. What is kept is not counted: its sender bounds it. */
export interface Bounds {
  readonly maxQueuedFrames: number;
  readonly maxQueuedBytes: number;
  /** Of one stream. */
  readonly maxStreamFrames: number;
  readonly maxStreamBytes: number;
}

/**
 * Makes room in the queue for one more; `where` ends the sentence of a refusal.
 *
 * Behaviour: a lower priority makes room for a higher one; within one, the stream that has the
 * most of what there is too much of (frames or bytes), unless it would have less left than the
 * newcomer's then has; else the newcomer's own, if it drops its oldest. A stream loses its
 * last, or its oldest if it drops that. What is kept makes no room and needs none. Nobody is
 * shed for a newcomer that is refused all the same.
 *
 * Throws `overloaded` when nobody has to make room, or the newcomer's own stream is full; with the
 * time until there will be, which `untilRoomMs` is asked for then.
 */
export function makeRoom<T extends Waiting>(
  queue: FairQueue<T>,
  newcomer: Newcomer,
  { maxQueuedFrames, maxQueuedBytes, maxStreamFrames, maxStreamBytes }: Bounds,
  where: string,
  untilRoomMs: () => number | undefined = () => undefined,
): void {
  const { streamId, byteLength, whenFull } = newcomer;
  if (whenFull === 'keep') return;
  const overloaded = (frames: number, bytes: number, place: string) =>
    new DomainError('overloaded', `expected at most ${frames} frames and ${bytes} bytes ${place}`, {
      retryAfterMs: untilRoomMs(),
    });
  const all = { ...queue.sheddable };
  const ofStream = { ...queue.ofStream(streamId) };
  const fullOf = () => excess(all, byteLength, maxQueuedFrames, maxQueuedBytes);
  const streamFullOf = () => excess(ofStream, byteLength, maxStreamFrames, maxStreamBytes);
  if (fullOf() === null && streamFullOf() === null) return;

  const lines = linesOf(queue);
  const own = lines.find((line) => isOf(line, newcomer));
  const ownOldest = whenFull === 'dropOldest' ? own : undefined;
  const victims: { readonly victim: T; readonly refusal: DomainError }[] = [];
  /** Decides on the next of this line, which is told `refusal`; so is the newcomer if there is none. */
  const choose = (line: Line<T> | undefined, refusal: DomainError): void => {
    const victim = line && nextToGo(line.entries);
    if (!line || !victim) throw refusal;
    line.entries.splice(line.entries.indexOf(victim), 1);
    for (const tally of line.streamId === streamId ? [line, all, ofStream] : [line, all]) {
      tally.frames -= 1;
      tally.bytes -= victim.byteLength;
    }
    victims.push({ victim, refusal });
  };
  if (streamFullOf() !== null) {
    const refusal = overloaded(maxStreamFrames, maxStreamBytes, `of this stream ${where}`);
    while (streamFullOf() !== null) choose(ownOldest, refusal);
  }
  if (fullOf() !== null) {
    const refusal = overloaded(maxQueuedFrames, maxQueuedBytes, where);
    for (let bound = fullOf(); bound !== null; bound = fullOf()) {
      choose(longest(lines, newcomer, bound, own?.[bound] ?? 0) ?? ownOldest, refusal);
    }
  }
  for (const { victim, refusal } of victims) victim.shed(refusal);
}

/** What of one stream and priority may be shed, less those that were decided on. */
interface Line<T> {
  readonly priority: Priority;
  readonly streamId: string;
  readonly entries: T[];
  frames: number;
  bytes: number;
}

function linesOf<T extends Waiting>(queue: FairQueue<T>): Line<T>[] {
  return priorities.flatMap((priority) =>
    [...queue.lines(priority)].map(([streamId, waiting]) => {
      const entries = waiting.filter(({ whenFull }) => whenFull !== 'keep');
      const bytes = entries.reduce((sum, { byteLength }) => sum + byteLength, 0);
      return { priority, streamId, entries, frames: entries.length, bytes };
    }),
  );
}

const isOf = (line: Line<unknown>, { priority, streamId }: Newcomer): boolean =>
  line.priority === priority && line.streamId === streamId;

/** Which bound one more would pass, if any. */
function excess(
  { frames, bytes }: Tally,
  byteLength: number,
  maxFrames: number,
  maxBytes: number,
): keyof Tally | null {
  if (frames + 1 > maxFrames) return 'frames';
  return bytes + byteLength > maxBytes ? 'bytes' : null;
}

/** The line that has to make room for a newcomer whose own has so much. */
function longest<T extends Waiting>(
  lines: readonly Line<T>[],
  newcomer: Newcomer,
  bound: keyof Tally,
  ownSize: number,
): Line<T> | undefined {
  const sizeOf = ({ byteLength }: Newcomer) => (bound === 'frames' ? 1 : byteLength);
  for (const priority of priorities.toReversed()) {
    const isLower = priority !== newcomer.priority;
    let most: Line<T> | undefined;
    for (const line of lines) {
      const victim = line.priority === priority ? nextToGo(line.entries) : undefined;
      if (!victim || (most && most[bound] >= line[bound])) continue;
      const hasMore = line[bound] - sizeOf(victim) >= ownSize + sizeOf(newcomer);
      if (isLower || hasMore) most = line;
    }
    if (most || !isLower) return most;
  }
  return undefined;
}

/** Which of a stream's has to go before the others. */
function nextToGo<T extends Waiting>(entries: readonly T[]): T | undefined {
  const last = entries.at(-1);
  if (last?.whenFull !== 'dropOldest') return last;
  return entries.reduce((oldest, entry) => (entry.queuedAtMs < oldest.queuedAtMs ? entry : oldest));
}
