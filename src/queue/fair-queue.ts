import { type Place, type Priority, priorities, type Waiting } from './waiting.js';

const none: Tally = Object.freeze({ frames: 0, bytes: 0 });

/** How much waits. */
export interface Tally {
  readonly frames: number;
  readonly bytes: number;
}

/** The streams of one priority, each with what of it waits, the earliest deadline first. */
interface Level<T> {
  /** Those that have not had their turn in this round. */
  round: Map<string, T[]>;
  /** Those that had it, and those that came meanwhile. */
  next: Map<string, T[]>;
}

/**
 * What waits, in the order in which it is to go.
 *
 * Behaviour: a higher priority goes first. Within one, streams take turns in rounds: each
 * has one in a round, in which the earliest deadline goes first, equal ones in the order in
 * which the streams came; who comes during a round is of the next. So a stream of one waits
 * for at most two of each other, whatever their rates and deadlines. Within a stream too the
 * earliest deadline goes first, equal ones as they came. Adding costs O(log n) comparisons in
 * what waits of the stream, and moves what has later deadlines; taking costs O(n) in the streams.
 * Not for: deciding when to take, or who makes room (makeRoom).
 */
export class FairQueue<T extends Waiting> {
  readonly #levels = new Map<Priority, Level<T>>(
    priorities.map((priority) => [priority, { round: new Map(), next: new Map() }]),
  );
  /** By stream, over all priorities; a stream that has none waiting is not in it. */
  readonly #ofStream = new Map<string, Tally>();
  #all = none;
  #sheddable = none;

  /** How many wait. */
  get frames(): number {
    return this.#all.frames;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#all.bytes;
  }

  /** What of it may be shed. */
  get sheddable(): Tally {
    return this.#sheddable;
  }

  /** What of one stream may be shed. */
  ofStream(streamId: string): Tally {
    return this.#ofStream.get(streamId) ?? none;
  }

  /** Each stream of one priority, with what of it waits, in order. */
  *lines(priority: Priority): Iterable<readonly [streamId: string, line: readonly T[]]> {
    const { round, next } = this.#level(priority);
    yield* round;
    yield* next;
  }

  /** How many would go before a newcomer to this place, if none came after it. */
  ahead({ priority, streamId, deadlineAtMs }: Place): number {
    let count = 0;
    for (const level of priorities) {
      if (level === priority) break;
      for (const [, line] of this.lines(level)) count += line.length;
    }
    const { round, next } = this.#level(priority);
    const own = round.get(streamId) ?? next.get(streamId) ?? [];
    const place = placeOf(own, deadlineAtMs);
    // This round is the first; streams of the next begin one later.
    const lastRound = round.has(streamId) ? place : place + 1;
    count += place;
    for (const [stream, line] of this.lines(priority)) {
      if (stream === streamId) continue;
      const turns = Math.max(0, round.has(stream) ? lastRound : lastRound - 1);
      const isOfLastRound = round.has(stream) || lastRound > 0;
      const rival = isOfLastRound ? line[turns] : undefined;
      count += Math.min(line.length, turns);
      if (rival !== undefined && rival.deadlineAtMs <= deadlineAtMs) count += 1;
    }
    return count;
  }

  add(entry: T): void {
    const { round, next } = this.#level(entry.priority);
    const line = round.get(entry.streamId) ?? next.get(entry.streamId);
    if (line) line.splice(placeOf(line, entry.deadlineAtMs), 0, entry);
    else next.set(entry.streamId, [entry]);
    this.#count(entry, 1);
  }

  /** Takes out what goes next; undefined when nothing waits. */
  take(): T | undefined {
    for (const priority of priorities) {
      const level = this.#level(priority);
      if (level.round.size === 0) {
        const { round, next } = level;
        Object.assign(level, { round: next, next: round });
      }
      const line = mostUrgent(level.round.values());
      const entry = line?.shift();
      if (!line || !entry) continue;
      level.round.delete(entry.streamId);
      if (line.length > 0) level.next.set(entry.streamId, line);
      this.#count(entry, -1);
      return entry;
    }
    return undefined;
  }

  /** Takes this one out, wherever it stands; false if it does not wait here. */
  remove(entry: T): boolean {
    const { round, next } = this.#level(entry.priority);
    const line = round.get(entry.streamId) ?? next.get(entry.streamId);
    const index = line?.indexOf(entry) ?? -1;
    if (!line || index < 0) return false;
    line.splice(index, 1);
    if (line.length === 0) {
      round.delete(entry.streamId);
      next.delete(entry.streamId);
    }
    this.#count(entry, -1);
    return true;
  }

  #level(priority: Priority): Level<T> {
    const level = this.#levels.get(priority);
    if (!level) throw new Error(`bug: no such priority: ${priority}`);
    return level;
  }

  #count({ streamId, byteLength, whenFull }: T, sign: 1 | -1): void {
    const counted = ({ frames, bytes }: Tally): Tally => ({
      frames: frames + sign,
      bytes: bytes + sign * byteLength,
    });
    this.#all = counted(this.#all);
    if (whenFull === 'keep') return;
    this.#sheddable = counted(this.#sheddable);
    const ofStream = counted(this.ofStream(streamId));
    if (ofStream.frames === 0) this.#ofStream.delete(streamId);
    else this.#ofStream.set(streamId, ofStream);
  }
}

/** The line whose first has the earliest deadline; of equal ones the first. */
function mostUrgent<T extends Waiting>(lines: Iterable<T[]>): T[] | undefined {
  let most: T[] | undefined;
  let earliestMs = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    const deadlineAtMs = line[0]?.deadlineAtMs ?? Number.POSITIVE_INFINITY;
    if (most !== undefined && deadlineAtMs >= earliestMs) continue;
    most = line;
    earliestMs = deadlineAtMs;
  }
  return most;
}

/** Where a deadline belongs among ascending ones: behind its equals. */
function placeOf(line: readonly Place[], deadlineAtMs: number): number {
  let low = 0;
  let high = line.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((line[middle]?.deadlineAtMs ?? Number.POSITIVE_INFINITY) <= deadlineAtMs) {
      low = middle + 1;
    } else high = middle;
  }
  return low;
}
