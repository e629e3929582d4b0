import { type Priority, priorities } from './options.js';
import type { Ticket } from './ticket.js';

const none = Object.freeze({ frames: 0, bytes: 0 });

/** Where a Ticket that is not queued yet would stand. */
export type Place = Pick<Ticket, 'priority' | 'streamId' | 'deadlineAtMs'>;

/**
 * The waiting Tickets, in the order in which they are to run.
 *
 * Behaviour: a higher priority goes first; within one, streams take turns, so that a
 * stream of 500 frames/s never delays one of 2 by more than one Ticket each; within a
 * stream the earliest deadline goes first, equal ones as they came. Adding and taking
 * cost O(log n) in the Tickets of one stream.
 * Not for: deciding when to run, or settling.
 */
export class FairQueue {
  // A Map keeps the order of insertion: its first stream is the one whose turn it is.
  readonly #levels = new Map<Priority, Map<string, Ticket[]>>(
    priorities.map((priority) => [priority, new Map()]),
  );
  /** By stream, over all priorities; a stream that has none waiting is not in it. */
  readonly #ofStream = new Map<string, { frames: number; bytes: number }>();
  #frames = 0;
  #bytes = 0;

  /** Tickets that wait. */
  get frames(): number {
    return this.#frames;
  }

  /** Bytes of their tensors. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What of one stream waits. */
  ofStream(streamId: string): { readonly frames: number; readonly bytes: number } {
    return this.#ofStream.get(streamId) ?? none;
  }

  /** How many would run before a new one at this place, if none came after it. */
  ahead({ priority, streamId, deadlineAtMs }: Place): number {
    const own = this.#level(priority).get(streamId) ?? [];
    const turn = placeOf(own, deadlineAtMs);
    let count = turn;
    for (const level of priorities) {
      for (const [stream, tickets] of this.#level(level)) {
        if (level !== priority) count += tickets.length;
        else if (stream !== streamId) count += Math.min(tickets.length, turn + 1);
      }
      if (level === priority) break;
    }
    return count;
  }

  /**
   * Who has to make room for a new one, if anyone: the last of the longest stream of the
   * lowest priority below its own; else of its own priority, if that stream would still
   * have as many waiting as the newcomer's. What is kept is passed over.
   */
  victimFor({ priority, streamId }: Place): Ticket | undefined {
    for (const level of priorities.toReversed()) {
      const longest = longestOf(this.#level(level).values());
      if (level !== priority) {
        if (longest) return longest.at(-1);
        continue;
      }
      const own = this.#level(level).get(streamId)?.length ?? 0;
      return longest && longest.length > own + 1 ? longest.at(-1) : undefined;
    }
    return undefined;
  }

  add(ticket: Ticket): void {
    const level = this.#level(ticket.priority);
    const tickets = level.get(ticket.streamId);
    if (tickets) tickets.splice(placeOf(tickets, ticket.deadlineAtMs), 0, ticket);
    else level.set(ticket.streamId, [ticket]);
    this.#count(ticket, 1);
  }

  /** Takes out the Ticket whose turn it is; undefined when none waits. */
  take(): Ticket | undefined {
    for (const priority of priorities) {
      const level = this.#level(priority);
      const first = level.entries().next();
      if (first.done) continue;
      const [streamId, tickets] = first.value;
      const ticket = tickets.shift();
      level.delete(streamId);
      if (tickets.length > 0) level.set(streamId, tickets);
      if (ticket) this.#count(ticket, -1);
      return ticket;
    }
    return undefined;
  }

  /** Takes this Ticket out, wherever it stands; false if it does not wait here. */
  remove(ticket: Ticket): boolean {
    const level = this.#level(ticket.priority);
    const tickets = level.get(ticket.streamId);
    const index = tickets?.indexOf(ticket) ?? -1;
    if (!tickets || index < 0) return false;
    tickets.splice(index, 1);
    if (tickets.length === 0) level.delete(ticket.streamId);
    this.#count(ticket, -1);
    return true;
  }

  #level(priority: Priority): Map<string, Ticket[]> {
    const level = this.#levels.get(priority);
    if (!level) throw new Error(`bug: no such priority: ${priority}`);
    return level;
  }

  #count({ streamId, pixels }: Ticket, sign: 1 | -1): void {
    this.#frames += sign;
    this.#bytes += sign * pixels.byteLength;
    const stream = this.#ofStream.get(streamId) ?? { frames: 0, bytes: 0 };
    stream.frames += sign;
    stream.bytes += sign * pixels.byteLength;
    if (stream.frames === 0) this.#ofStream.delete(streamId);
    else this.#ofStream.set(streamId, stream);
  }
}

/** The stream with the most Tickets among those whose last may be shed. */
function longestOf(streams: Iterable<Ticket[]>): Ticket[] | undefined {
  let longest: Ticket[] | undefined;
  for (const tickets of streams) {
    if (tickets.at(-1)?.isKept) continue;
    if (tickets.length > (longest?.length ?? 0)) longest = tickets;
  }
  return longest;
}

/** Where a deadline belongs among ascending ones: behind its equals. */
function placeOf(tickets: readonly Ticket[], deadlineAtMs: number): number {
  let low = 0;
  let high = tickets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((tickets[middle]?.deadlineAtMs ?? Number.POSITIVE_INFINITY) <= deadlineAtMs) {
      low = middle + 1;
    } else high = middle;
  }
  return low;
}
