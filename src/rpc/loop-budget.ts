export interface LoopBudgetOptions {
  /** Work of one turn of the event loop, in milliseconds; the piece that exceeds it is finished. */
  readonly turnMs: number;
}

export interface LoopBudgetCollaborators {
  /** In milliseconds. @default performance.now */
  readonly now?: () => number;
}

/**
 * Cuts what comes all at once into turns of the event loop.
 *
 * Why: a turn takes in what the windows of all connections hold, and thousands of streams that
 * open or leave. Were it all worked off in that turn, nobody else would be answered before its
 * end: neither a health check nor a stream that sends two frames a second.
 * Behaviour: pieces are done at once while their turn has time left; from then on they wait, the
 * next turn takes them up in the order in which they came, and sockets are read in between. A
 * piece is over when its promises are settled as far as they can be, so that its time is known.
 * Use: one for everything that shares an event loop and comes in numbers that others choose.
 */
export interface LoopBudget {
  /** null when a piece of work may be done now; otherwise resolves when it may. */
  enter(): Promise<void> | null;
  /** Does a piece of work, now or as soon as it may; says whether it is done. */
  run(work: () => void): boolean;
}

/** Of a list: taking the first of ten thousand out of an array moves all the others. */
interface Piece {
  readonly work: () => void;
  next: Piece | null;
}

export function createLoopBudget(
  { turnMs }: LoopBudgetOptions,
  { now = () => performance.now() }: LoopBudgetCollaborators = {},
): LoopBudget {
  /** The piece that waits longest, and the one that came last. */
  let first: Piece | null = null;
  let last: Piece | null = null;
  /** Of the turn that goes on; null where none has begun. */
  let endsAtMs: number | null = null;

  const begin = (): number => {
    // Immediates come after the sockets of a turn, and those set there a turn later.
    setImmediate(takeUp);
    endsAtMs = now() + turnMs;
    return endsAtMs;
  };
  const takeUp = () => {
    endsAtMs = null;
    if (first === null) return;
    begin();
    step();
  };
  const step = () => {
    if (endsAtMs === null || now() >= endsAtMs) return;
    if (first === null) return;
    const { work } = first;
    first = first.next;
    // Behind the promises and ticks that the work leaves, in front of the next immediate.
    queueMicrotask(() => process.nextTick(step));
    work();
  };
  const wait = (work: () => void) => {
    const piece: Piece = { work, next: null };
    if (first === null || last === null) first = piece;
    else last.next = piece;
    last = piece;
  };
  const mayGoOn = () => now() < (endsAtMs ?? begin()) && first === null;

  return {
    enter() {
      if (mayGoOn()) return null;
      return new Promise(wait);
    },
    run(work) {
      const isNow = mayGoOn();
      if (isNow) work();
      else wait(work);
      return isNow;
    },
  };
}
