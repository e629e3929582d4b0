/** Weight of the newest run in how loaded the machine is: about the last ten runs count. */
const newestWeight = 0.2;
/** Runs that stood still must not shut out all that come after. */
const maxLoad = 20;
/** A size within this part of the best rate is as good: the smaller one answers earlier. */
const goodRate = 0.95;
/** Batches that each lane has waiting before a larger size is taken for its fewer hand-overs. */
const deepBacklog = 4;
/** What the larger size may seem to lose: few runs of it, on a busy machine, say no more than that. */
const fairRate = 0.8;

/**
 * What a run of each batch size takes, learned from the runs themselves.
 *
 * Behaviour: the best time a size, and one load for all: how many times longer than their
 * best the last runs took, of any two in a row the better one: one run that stood still (a
 * stopped process) says nothing. So what a size costs against another never suffers from what
 * else the machine was doing, and a slow minute is known of every size at once. A size
 * that never ran is taken from the straight line, time = a·n + b, through the nearest two
 * that did.
 */
export class RunTime {
  readonly #bestMs = new Map<number, number>();
  #load = 1;
  #lastLoad = 1;

  learn(batchSize: number, runMs: number): void {
    const bestMs = this.#bestMs.get(batchSize);
    if (bestMs === undefined || runMs < bestMs) this.#bestMs.set(batchSize, runMs);
    if (bestMs === undefined || bestMs <= 0) return;
    const load = Math.min(maxLoad, Math.max(1, runMs / bestMs));
    this.#load += newestWeight * (Math.min(load, this.#lastLoad) - this.#load);
    this.#lastLoad = load;
  }

  /** Milliseconds a run of this size takes on an idle machine; null where one point is known or none. */
  bestMs(batchSize: number): number | null {
    const known = this.#bestMs.get(batchSize);
    if (known !== undefined) return known;
    const points = [...this.#bestMs].sort(
      ([left], [right]) => Math.abs(left - batchSize) - Math.abs(right - batchSize),
    );
    const [first, second] = points;
    if (!first || !second) return null;
    const slope = (second[1] - first[1]) / (second[0] - first[0]);
    return Math.max(0, first[1] + slope * (batchSize - first[0]));
  }

  /** Milliseconds a run of this size takes now; null before any run. */
  expectMs(batchSize: number): number | null {
    const bestMs = this.bestMs(batchSize) ?? this.#proportionalMs(batchSize);
    return bestMs === null ? null : bestMs * this.#load;
  }

  /**
   * The fewest milliseconds in which one lane runs so many, in batches of one of these sizes
   * and what is left of them in the best of the others; null before any run.
   */
  fewestMs(count: number, sizes: readonly number[]): number | null {
    const runs = sizes.map((size) => ({ size, runMs: this.expectMs(size) ?? Number.NaN }));
    const inOneSize = (rest: number) =>
      Math.min(...runs.map(({ size, runMs }) => Math.ceil(rest / size) * runMs));
    const fewestMs = Math.min(
      ...runs.map(({ size, runMs }) => Math.floor(count / size) * runMs + inOneSize(count % size)),
    );
    return Number.isNaN(fewestMs) ? null : fewestMs;
  }

  /** One point says nothing of b: at worst the time grows with the frames. */
  #proportionalMs(batchSize: number): number | null {
    for (const [size, ms] of this.#bestMs) return (ms * batchSize) / size;
    return null;
  }
}

/**
 * How many of the waiting Tickets to run, and padded to which size: the smallest choice
 * that gives nearly the most Tickets a millisecond. On a CPU, where time grows with the
 * size, that is a small filled batch, which answers early and leaves room for what is more
 * urgent; on a GPU, where it hardly grows, everything that waits, padded. Before enough is
 * known: the largest size that is filled, so that it becomes known.
 *
 * A larger one that is not clearly worse is taken once the `backlog` of each lane holds
 * several of it: its Tickets wait longer than it takes anyway, and every batch costs the
 * process a hand-over, which no run time shows.
 */
export function chooseBatch(
  waiting: number,
  sizes: readonly number[],
  runTime: RunTime,
  backlog = 0,
): { readonly tickets: number; readonly batchSize: number } {
  const padded = sizes.find((size) => size >= waiting);
  const choices = sizes
    .filter((size) => size <= (padded ?? size))
    .map((batchSize) => {
      const tickets = Math.min(waiting, batchSize);
      return { tickets, batchSize, rate: tickets / (runTime.bestMs(batchSize) ?? Number.NaN) };
    });
  const bestRate = Math.max(...choices.map(({ rate }) => rate));
  const hasRate = (part: number) => (choice: { readonly rate: number }) =>
    choice.rate >= part * bestRate;
  const smallest = choices.find(hasRate(goodRate));
  const larger = choices
    .filter(({ batchSize }) => batchSize * deepBacklog <= backlog)
    .findLast(hasRate(fairRate));
  const chosen =
    (larger && smallest && larger.batchSize > smallest.batchSize ? larger : smallest) ??
    choices.findLast(({ batchSize }) => batchSize <= waiting) ??
    choices[0];
  const { tickets, batchSize } = chosen ?? { tickets: 1, batchSize: 1 };
  return { tickets, batchSize };
}

/**
 * The next size above a chosen one, if so many wait; else null. Run now and then, it gets
 * measured again: a time that was learned while the machine was busy would otherwise keep
 * that size from ever being chosen.
 */
export function sizeToTry(
  chosen: number,
  waiting: number,
  sizes: readonly number[],
): number | null {
  const next = sizes[sizes.indexOf(chosen) + 1];
  return next !== undefined && next <= waiting ? next : null;
}

/**
 * Whether a size above those measured, in ascending order, may be worth a try: not once two
 * in a row gave no more Tickets a millisecond than a smaller one. Memory grows with the
 * largest size that is ever run, on a CPU for nothing.
 */
export function mayGainMore(runMs: ReadonlyMap<number, number>): boolean {
  let bestRate = 0;
  let inVain = 0;
  for (const [batchSize, ms] of runMs) {
    // A clock that saw no time pass tells nothing.
    if (ms <= 0) return true;
    const rate = batchSize / ms;
    inVain = rate * goodRate > bestRate ? 0 : inVain + 1;
    bestRate = Math.max(bestRate, rate);
  }
  return inVain < 2;
}
