import type { FairQueue, Place } from '../queue/index.js';
import type { Lanes } from './lanes.js';
import type { RunTime } from './run-time.js';
import type { Ticket } from './ticket.js';

/** An engine that idled for so many of its runs is given one more: it then idles most of the time. */
const idleRunsPerTry = 4;

export interface OutlookOptions {
  readonly laneCount: number;
  /** Ascending. */
  readonly batchSizes: readonly number[];
}

export interface OutlookCollaborators {
  readonly queue: FairQueue<Ticket>;
  readonly lanes: Lanes;
  readonly runTime: RunTime;
}

/**
 * Who can still be in time, by what runs took so far. Times are milliseconds on the clock of
 * the Batcher.
 *
 * Behaviour: of a Ticket that comes, those before it are thought to be shared out among the
 * lanes, and to run with it in the batches that take the least time; of a batch that is about
 * to begin, its own size. Where nothing was learned yet nobody is late. A wrong estimate would
 * refuse for ever if only runs could put it right and it let none begin: so an engine that has
 * idled for a while is due for a try.
 */
export class Outlook {
  readonly #options: OutlookOptions;
  readonly #collaborators: OutlookCollaborators;
  #idleSinceMs = Number.NEGATIVE_INFINITY;

  constructor(options: OutlookOptions, collaborators: OutlookCollaborators) {
    this.#options = options;
    this.#collaborators = collaborators;
  }

  /** By how much a newcomer to this place would miss its deadline; 0 or less: it is in time. */
  lateMs(place: Place, nowMs: number): number {
    if (place.deadlineAtMs === Number.POSITIVE_INFINITY) return 0;
    const { queue, lanes, runTime } = this.#collaborators;
    const { laneCount, batchSizes } = this.#options;
    const tickets = Math.ceil((queue.ahead(place) + 1) / laneCount);
    const runMs = runTime.fewestMs(tickets, batchSizes);
    return runMs === null ? 0 : lanes.beginsAtMs(nowMs) + runMs - place.deadlineAtMs;
  }

  /**
   * The largest size up to this one in which a batch that is handed over now is back by the
   * deadline; the smallest of all where none is.
   */
  sizeInTime(deadlineAtMs: number, batchSize: number, nowMs: number): number {
    const inTime = this.#options.batchSizes.findLast(
      (size) => size <= batchSize && this.endsAtMs(size, nowMs) <= deadlineAtMs,
    );
    return inTime ?? this.#smallest;
  }

  /** The smallest size up to this one that holds so many. */
  smallestFor(ticketCount: number, batchSize: number): number {
    return this.#options.batchSizes.find((size) => size >= ticketCount) ?? batchSize;
  }

  /** When a batch that is handed over now is expected back; now where nothing is known. */
  endsAtMs(batchSize: number, nowMs: number): number {
    const { lanes, runTime } = this.#collaborators;
    const runMs = runTime.expectMs(batchSize);
    return runMs === null ? nowMs : lanes.beginsAtMs(nowMs) + runMs;
  }

  /** Whether a Ticket may begin that is thought to be late, so that runs are learned anew. */
  isTryDue(nowMs: number): boolean {
    const { queue, lanes, runTime } = this.#collaborators;
    if (lanes.batches + queue.frames > 0) return false;
    const runMs = runTime.expectMs(this.#smallest) ?? 0;
    return nowMs - this.#idleSinceMs >= idleRunsPerTry * runMs;
  }

  /** Is told when a batch has come back. */
  ended(nowMs: number): void {
    this.#idleSinceMs = nowMs;
  }

  get #smallest(): number {
    return this.#options.batchSizes[0] ?? 1;
  }
}
